//! The tests whose body is longer than a screen, each with the reason. The list only gets shorter: a test that is
//! shortened must leave it.

/// A test and why it is longer.
pub(crate) const LONGER: &[(&str, &str)] = &[
    ("a_rewritten_log_says_the_same", "One journey, in the order in which it happens."),
    ("a_sound_ledger_has_no_difference_and_a_tampered_one_names_it", "A table of cases, a row each."),
    ("a_subscription_sends_signed_events", "One journey, in the order in which it happens."),
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
    ("rates_and_counts_by_default", "A table of cases, a row each."),
    ("reads_a_line_of_every_version", "A table of cases, a row each."),
    ("reads_the_states_and_the_amount", "A table of cases, a row each."),
    ("takes_the_tier_from_the_largest_subscription_line", "A table of cases, a row each."),
    ("tells_refused_from_busy_from_unknown", "A table of cases, a row each."),
    ("the_pages_of_a_scan_are_the_table", "Pages of one list, read to their end."),
    ("what_is_out_of_bounds_is_named_with_its_bounds", "A table of cases, a row each."),
];
