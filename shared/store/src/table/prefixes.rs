//! The prefixes and fixed texts of all keys.
//!
//! A text that ends in `#` is followed by an id or another distinguishing part; one without is a whole key.

use std::fmt::{self, Display};

use crate::table::item::Key;

/// The key attribute that a prefix belongs to. Texts of different roles never meet in one attribute, so they
/// may be equal.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// `pk`.
    Partition,
    /// `sk`.
    Sort,
    /// `gsi1pk` or `gsi2pk`.
    Index,
}

/// Makes the enum, its texts and its roles from one list.
macro_rules! prefixes {
    ($($role:ident { $($(#[$doc:meta])* $name:ident = $text:literal,)* })*) => {
        /// A prefix of the table's keys.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Prefix {
            $($($(#[$doc])* $name,)*)*
        }

        impl Prefix {
            /// Every prefix with its role.
            #[cfg(test)]
            const ALL: &[(Self, Role)] = &[$($((Self::$name, Role::$role),)*)*];

            /// The text, as it is stored.
            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $($(Self::$name => $text,)*)*
                }
            }
        }
    };
}

prefixes! {
    Partition {
        /// A member's own items.
        Member = "M#",
        /// A referrer's edges, commissions and counters.
        Referrer = "R#",
        Code = "CODE#",
        Customer = "CUSTOMER#",
        Payment = "PAYMENT#",
        /// Another name of a payment.
        Reference = "REFERENCE#",
        Order = "ORDER#",
        FailedPayment = "FAILED#",
        Click = "CLICK#",
        /// A list that the projector maintains.
        List = "LIST#",
        /// Members who were seen with a fingerprint.
        Print = "PRINT#",
        /// Events that wait for a handler.
        ParkedKind = "PARKED#",
        /// The use of the program's budget.
        Budget = "BUDGET#",
        /// All versions of the program.
        Program = "PROGRAM",
        /// Totals and days.
        Stats = "STATS",
        /// The histogram of a ranking.
        Histograms = "RANKING#",
        /// The answer given to an idempotency key.
        Idempotency = "IDEMPOTENCY#",
        /// An operator, their sessions and sign-in links.
        Operator = "OPERATOR#",
        /// All keys of services.
        Services = "SERVICES",
        Settings = "SETTINGS",
        /// A month of the audit trail.
        Audit = "AUDIT#",
        /// A Telegram update that was answered.
        Update = "UPDATE#",
        Notification = "NOTIFICATION#",
        Verification = "VERIFICATION",
        /// Runs of a scheduled job.
        Job = "JOB#",
        /// Calls of a principal, counted.
        Rate = "RATE#",
        /// Attempts to sign in to a group of accounts, counted.
        SignIns = "SIGNINS#",
    }
    Sort {
        /// A member's record.
        Profile = "MEMBER",
        Wallet = "WALLET#",
        Entry = "ENTRY#",
/// The Stripe customers of a member.
        BilledCustomers = "CUSTOMERS",
                Posting = "POSTING#",
        /// The effect of an invoice on bill credit.
        Invoice = "INVOICE#",
        Adjustment = "ADJUSTMENT#",
        Withdrawal = "WITHDRAWAL#",
        /// What a button of a member's will do.
        Intent = "INTENT#",
        /// A line in the list of a member's payments.
        PaymentLink = "PAYMENT#",
        /// The use of a rule's cap.
        Cap = "CAP#",
        Flag = "FLAG#",
        /// A member's counters as a payer.
        Payer = "PAYER",
        Referral = "REFERRAL#",
        Commission = "COMMISSION#",
        /// The marker of a referrer with due commissions.
        ReleaseDue = "DUE#",
        /// A member's counters as a referrer.
        ReferrerStats = "STATS",
        /// A member's score.
        Rank = "RANK#",
        /// A parked event, in the partition of the thing that it waits for.
        ParkedEvent = "PARKED#",
        /// A version of the program.
        Version = "VERSION#",
        /// Settings that were in force until an instant.
        Until = "UNTIL#",
        Total = "TOTAL",
        Day = "DAY#",
        Histogram = "HISTOGRAM",
        /// A stored answer.
        Response = "RESPONSE",
        Session = "SESSION#",
        SignInLink = "LINK#",
        ServiceKey = "KEY#",
        /// The cursor of the verification.
        Cursor = "CURSOR",
        /// A difference that an operator acknowledged.
        Acknowledged = "ACKNOWLEDGED#",
        /// A program that the preset has had.
        KnownProgram = "PRESET#",
    }
    Index {
        /// Withdrawals in a state.
        Withdrawals = "WITHDRAWALS#",
        /// A day's payments.
        Payments = "PAYMENTS#",
        CodesDue = "DUE#CODE#",
        ReferralsDue = "DUE#REFERRAL#",
        /// Commissions sorted by the end of their time to be claimed.
        ClaimsDue = "DUE#CLAIM#",
        ReleasesDue = "DUE#RELEASE#",
        /// Commissions that a member may claim.
        ToClaim = "CLAIM#",
        /// Held commissions of a member.
        Held = "HELD#",
        Referrers = "REFERRERS#",
        /// Members who have paid.
        Payers = "CUSTOMERS#",
        /// Scores of a ranking.
        Ranking = "RANKING#",
        /// Parked events by waiting time.
        Parked = "PARKED#",
        /// Payments that wait for a decision.
        Undecided = "UNDECIDED#",
        /// Fingerprints that a member was seen with.
        Seen = "SEEN#",
        /// Flags in a state.
        Flags = "FLAGS#",
    }
}

impl Prefix {
    /// Makes the key of the prefix and `rest`.
    pub(crate) fn with(self, rest: impl Display) -> String {
        format!("{self}{rest}")
    }

    /// The text without its `#`.
    pub(crate) fn word(self) -> &'static str {
        self.as_str().trim_end_matches('#')
    }

    /// Makes the key of the item that a partition is named after, such as `ORDER#id` and `ORDER`.
    pub(crate) fn item(self, id: impl Display) -> Key {
        Key::new(self.with(id), self.word())
    }

    /// The rest of a key after the prefix; nothing when the key begins with something else.
    pub(crate) fn strip(self, key: &str) -> Option<&str> {
        key.strip_prefix(self.as_str())
    }
}

impl Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Prefix> for String {
    fn from(prefix: Prefix) -> Self {
        prefix.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn within_a_role_no_prefix_begins_another() {
        for (n, (prefix, role)) in Prefix::ALL.iter().enumerate() {
            for (_, (other, _)) in Prefix::ALL.iter().enumerate().filter(|(m, (_, of))| *m != n && of == role)
            {
                let (text, longer) = (prefix.as_str(), other.as_str());
                assert!(!longer.starts_with(text), "{role:?}: {prefix:?} begins {other:?}");
            }
        }
    }

    /// Collects the sources in a folder and all below it, except this one, with their paths.
    fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.display().to_string();
            if path.is_dir() {
                sources(&path, found);
            } else if name.ends_with(".rs") && !name.ends_with("prefixes.rs") {
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }

    /// True when the line has a prefix of the enum as a text, or capitals before a `#` that are not in it
    /// yet.
    fn has_prefix_as_text(line: &str) -> bool {
        let mut before = line.chars();
        let capital_and_hash = line
            .chars()
            .skip(1)
            .any(|next| before.next().is_some_and(|c| c.is_ascii_uppercase()) && next == '#');
        let quoted = |text: &str| line.contains(&format!("\"{text}\""));
        capital_and_hash
            || Prefix::ALL.iter().any(|(prefix, _)| quoted(prefix.as_str()) || quoted(prefix.word()))
    }

    #[test]
    fn no_prefix_is_written_as_text_elsewhere() {
        let mut found = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        assert!(found.len() > 20, "the sources were found");
        for (path, source) in found {
            for (n, line) in (1..).zip(source.lines()) {
                let is_comment = line.trim_start().starts_with("//");
                assert!(is_comment || !has_prefix_as_text(line), "{path}:{n} needs a Prefix: {line}");
            }
        }
    }

    #[test]
    fn a_literal_is_seen_however_it_is_written() {
        for literal in
            [r#"format!("ORDER#{id}")"#, r#"Key::new(pk, "STATS")"#, r#"format!("{pk}/GIFT#{id}")"#]
        {
            assert!(has_prefix_as_text(literal), "{literal}");
        }
        for other in [r##"name("#state", "state")"##, r#"string("member")"#, "Prefix::Order.item(id)"] {
            assert!(!has_prefix_as_text(other), "{other}");
        }
    }
}
