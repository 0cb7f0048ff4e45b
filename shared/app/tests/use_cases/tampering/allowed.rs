//! The fields that do not matter to money, each with the reason.

const WHO_AND_WHEN: &str =
    "who did it, when and why: the audit trail has it as well, and no amount follows from it";
const SHOWN: &str = "it is shown, and no amount follows from it";
const LATER: &str = "it takes part in decisions to come; nothing that is booked follows from it";
const PROJECTED: &str = "a figure or a list: it is counted again from the records";
const TRACED: &str = "a search in the logs";
const ACCESS: &str = "who may call: no amount follows from it";

/// A type, a path (a `*` at its end stands for any rest), what was done to it (empty: anything), and the reason.
const LISTED: &[(&str, &str, &str, &str)] = &[
    // Types of which no money depends.
    ("totals", "*", "", PROJECTED),
    ("member_stats", "*", "", PROJECTED),
    ("day", "*", "", PROJECTED),
    ("histogram", "*", "", PROJECTED),
    ("rank", "*", "", PROJECTED),
    ("payer", "*", "", PROJECTED),
    ("listed", "*", "", PROJECTED),
    (
        "release_due",
        "*",
        "",
        "a marker for the sweep: each view of a balance releases what is due without it",
    ),
    ("audit", "*", "", WHO_AND_WHEN),
    ("response", "*", "", "an answer that was given"),
    ("update", "*", "", "an update that was answered"),
    ("notification", "*", "", "a message that was sent"),
    ("verification", "*", "", "how far the verification is"),
    (
        "known_program",
        "*",
        "",
        "the rules that the verification compares with; found as far as commissions have them",
    ),
    ("job_run", "*", "", SHOWN),
    ("operator", "*", "", ACCESS),
    ("session", "*", "", ACCESS),
    ("service_key", "*", "", ACCESS),
    ("settings", "*", "", LATER),
    ("program", "*", "", "it decides later payments; found as far as commissions have its rules"),
    ("code", "*", "", "whom later referees are credited to"),
    ("click", "*", "", "whom later referees are credited to"),
    ("sighting", "*", "", LATER),
    ("reference", "*", "", "the name under which a later reversal finds its payment"),
    ("parked", "*", "", LATER),
    ("intent", "*", "", "what a button would do; what it did is a record of its own"),
    (
        "budget",
        "*",
        "",
        "a sum over all members: a wrong one binds or frees later releases and changes nothing booked",
    ),
    // What any record may have.
    ("member", "correlation_id", "", TRACED),
    ("wallet", "correlation_id", "", TRACED),
    ("entry", "correlation_id", "", TRACED),
    ("adjustment", "correlation_id", "", TRACED),
    ("withdrawal", "correlation_id", "", TRACED),
    ("payment", "correlation_id", "", TRACED),
    ("commission", "correlation_id", "", TRACED),
    // Members.
    ("member", "first_name", "", SHOWN),
    ("member", "last_name", "", SHOWN),
    ("member", "username", "", SHOWN),
    ("member", "language", "", SHOWN),
    ("member", "blocked_bot", "", "whether messages are sent"),
    ("member", "barred", "", "an operator's decision about what is to come, in the audit trail"),
    ("member", "code.*", "", "whom later referees are credited to"),
    ("member", "joined.update_id", "", "by which a redelivery is recognised"),
    ("member", "last_paid_at", "", LATER),
    // Wallets.
    ("wallet", "moved_at", "deleted", "a wallet that an older version wrote has none"),
    ("adjustment", "at", "", WHO_AND_WHEN),
    ("adjustment", "principal", "", WHO_AND_WHEN),
    ("adjustment", "reason", "", WHO_AND_WHEN),
    ("withdrawal", "request_key", "", "by which a repeated request is recognised"),
    ("withdrawal", "requested_at", "", "its place in the queue; the wallet's entry has the time as well"),
    ("withdrawal", "approved.*", "", WHO_AND_WHEN),
    ("withdrawal", "claimed.*", "", WHO_AND_WHEN),
    ("withdrawal", "closed.*", "", WHO_AND_WHEN),
    ("withdrawal", "batch", "", WHO_AND_WHEN),
    ("withdrawal", "proof", "", "the bank's reference: the bank has it"),
    ("withdrawal", "reason", "", WHO_AND_WHEN),
    // Bill credit.
    ("posting", "claimed_at", "", "until when others leave it alone"),
    ("posting", "claimed_by", "", "who goes on with it at once"),
    ("posting", "transaction", "", "Stripe's name for it: Stripe has it"),
    ("posting", "posted_at", "", WHO_AND_WHEN),
    ("posting", "refused_at", "", WHO_AND_WHEN),
    ("posting", "code", "", WHO_AND_WHEN),
    (
        "posting",
        "customer",
        "other",
        "another customer of the same member; Stripe has the amount under its metadata",
    ),
    ("invoice_credit", "customer", "deleted", "a record that an older version wrote has none"),
    ("invoice_credit", "customer", "other", "another customer of the same member; the sum stays"),
    ("customers", "seq", "", "the number of changes"),
    (
        "customers",
        "customers.*.linked_at",
        "",
        "which customer gets credit to come; the member's item has it as well",
    ),
    (
        "customers",
        "customers.*.billed_at",
        "",
        "which customer gets credit to come; the member's item has it as well",
    ),
    ("customer", "linked_at", "", WHO_AND_WHEN),
    // Payments and orders.
    ("payment", "account.*", "", "a figure: the amount by the rate of the program's version"),
    ("payment", "tier.*", "", "it decided whether a rule granted; nothing that is booked follows from it"),
    ("payment", "lines*", "", "as far as a rule asks for products, its base is computed again"),
    (
        "payment",
        "cost.*",
        "",
        "as far as a rule shares the profit, its amount is computed again; else a figure",
    ),
    ("payment", "trace.*.reason", "", SHOWN),
    ("payment", "trace.*.rule", "", "of a refusal it is shown; a grant is compared with its commission"),
    ("payment", "trace.*.level", "", "of a refusal it is shown; a grant is compared with its commission"),
    ("payment", "reversals.seq", "", "the number of changes"),
    ("payment", "reversals.refunds.*.at", "", "which of two reports is the later one"),
    ("payment", "reversals.disputes.*.at", "", "which of two reports is the later one"),
    ("unrewarded payment", "trace*", "", "no rule granted: reasons that are shown"),
    ("unrewarded payment", "program_version", "", SHOWN),
    ("unrewarded payment", "reversals*", "", "no commission follows from it: a figure of refunds"),
    ("payment_link", "digest", "deleted", "a line that an older version wrote has none"),
    ("order", "product", "", SHOWN),
    ("order", "method", "", SHOWN),
    ("order", "transaction", "", "which transfer may pay it; the payment has its key"),
    ("order", "created_by", "", WHO_AND_WHEN),
    ("order", "created_at", "", WHO_AND_WHEN),
    ("order", "paid.*", "", WHO_AND_WHEN),
    ("pending order", "*", "", "what was asked for: nothing is paid"),
    // Commissions and referrals.
    ("commission", "booked_at", "", SHOWN),
    ("commission", "clawed", "deleted", "absent it is zero, and where it was another number that is found"),
    ("commission", "frozen", "deleted", "absent it is false, and where it was true that is found"),
    ("void commission", "at", "", SHOWN),
    ("commission", "claimed_at", "changed", SHOWN),
    ("commission", "claimed_at", "other", SHOWN),
    ("referral", "expires_at", "", LATER),
    ("referral", "progress*", "", LATER),
    // Fraud flags.
    ("flag", "action", "", SHOWN),
    ("flag", "signal", "", SHOWN),
    ("flag", "evidence*", "", SHOWN),
];

/// The reason why a change need not be found; nothing when it must be.
pub fn reason_to_leave(kinds: &[String], path: &str, what: &str) -> Option<&'static str> {
    let fits =
        |pattern: &str| pattern.strip_suffix('*').map_or(pattern == path, |start| path.starts_with(start));
    let is_it = |(of, pattern, done, _): &&(&str, &str, &str, &str)| {
        kinds.iter().any(|kind| kind == of) && fits(pattern) && (done.is_empty() || *done == what)
    };
    LISTED.iter().find(is_it).map(|(.., reason)| *reason)
}
