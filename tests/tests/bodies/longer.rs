//! The tests whose body is longer than a screen, each with the reason. The list only gets shorter: a test that is
//! shortened must leave it.

/// A test and why it is longer.
pub(crate) const LONGER: &[(&str, &str)] = &[
    ("a_payment_with_several_reversals", "A table of cases, a row each."),
    ("a_referral_counts_from_what_was_read", "One journey, in the order in which it happens."),
    ("a_rewritten_log_says_the_same", "One journey, in the order in which it happens."),
    ("a_sound_ledger_has_no_difference_and_a_tampered_one_names_it", "A table of cases, a row each."),
    ("a_subscription_sends_signed_events", "One journey, in the order in which it happens."),
    ("an_audited_request_is_written_once_under_its_key", "One journey, in the order in which it happens."),
    ("calls_and_replies_land_in_the_outbox_once", "One journey, in the order in which it happens."),
    (
        "credit_is_applied_at_finalization_and_returned_by_a_void",
        "One journey, in the order in which it happens.",
    ),
    ("each_change_means_one_event", "A table of cases, a row each."),
    ("every_trigger_and_amount_reads_as_a_sentence", "A table of cases, a row each."),
    ("findings_explain_themselves", "A table of cases, a row each."),
    ("idempotency_keys_replay_and_conflict", "One journey, in the order in which it happens."),
    ("nothing_else_opens", "A table of cases, a row each."),
    ("of_several_first_payments_at_once_one_converts", "One journey, in the order in which it happens."),
    (
        "pattern_22_a_payments_commissions_come_in_the_order_of_its_trace",
        "Pages of one list, read to their end.",
    ),
    ("pattern_23_a_withdrawal_is_found_by_its_id", "Pages of one list, read to their end."),
    ("pattern_27_a_days_payments_are_found_in_all_shards", "Pages of one list, read to their end."),
    ("pattern_28_a_limit_is_counted_by_owner_and_period", "Pages of one list, read to their end."),
    (
        "pattern_31_reading_the_whole_table_finds_each_wallet_and_payment_once",
        "Pages of one list, read to their end.",
    ),
    ("pattern_42_flags_of_all_shards_are_paged_the_latest_first", "Pages of one list, read to their end."),
    ("rates_and_counts_by_default", "A table of cases, a row each."),
    ("reads_a_line_of_every_version", "A table of cases, a row each."),
    ("reads_the_states_and_the_amount", "A table of cases, a row each."),
    ("takes_the_tier_from_the_largest_subscription_line", "A table of cases, a row each."),
    ("tells_refused_from_busy_from_unknown", "A table of cases, a row each."),
    ("the_pages_of_a_scan_are_the_table", "Pages of one list, read to their end."),
    ("what_is_out_of_bounds_is_named_with_its_bounds", "A table of cases, a row each."),
];
