//! The tests whose body is longer than a screen, each with the reason. The list only gets shorter: a test that is
//! shortened must leave it.

/// A test and why it is longer.
pub(crate) const LONGER: &[(&str, &str)] = &[
    ("a_rewritten_log_says_the_same", "One journey, in the order in which it happens."),
    ("a_subscription_sends_signed_events", "One journey, in the order in which it happens."),
    ("calls_and_replies_land_in_the_outbox_once", "One journey, in the order in which it happens."),
    (
        "credit_is_applied_at_finalization_and_returned_by_a_void",
        "One journey, in the order in which it happens.",
    ),
    ("idempotency_keys_replay_and_conflict", "One journey, in the order in which it happens."),
    ("the_pages_of_a_scan_are_the_table", "Pages of one list, read to their end."),
];
