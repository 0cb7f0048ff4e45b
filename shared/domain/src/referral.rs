//! The referral edge and the commission that hangs on it.

use serde::{Deserialize, Serialize};

use crate::{CommissionId, MemberId, Money, PaymentKey, RuleSnapshot, Timestamp};

/// How far a referral has come. It only ever leaves `Pending`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ReferralState {
    /// The referee has joined and not paid yet.
    Pending,
    /// A payment qualified.
    Converted {
        /// The payment.
        payment: PaymentKey,
        /// When it settled.
        at: Timestamp,
    },
    /// The window closed without a payment.
    Expired,
}

/// Who brought whom. A referee has one referrer for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// Who brought the referee.
    pub referrer: MemberId,
    /// Who was brought.
    pub referee: MemberId,
    /// When the referee joined.
    pub joined_at: Timestamp,
    /// A payment at or after this instant converts nothing any more.
    pub expires_at: Timestamp,
    /// How far it has come.
    #[serde(flatten)]
    pub state: ReferralState,
}

impl Referral {
    /// A payment has converted it.
    pub const fn is_converted(&self) -> bool {
        matches!(self.state, ReferralState::Converted { .. })
    }
}

/// Where a commission stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CommissionState {
    /// Booked, not spendable yet.
    Held,
    /// In the beneficiary's wallet since the entry `entry_seq` of it.
    Released {
        /// The wallet's entry.
        entry_seq: u64,
        /// When.
        at: Timestamp,
    },
    /// Undone before it was released.
    Void {
        /// When.
        at: Timestamp,
    },
}

impl CommissionState {
    /// The word used in the API.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Released { .. } => "released",
            Self::Void { .. } => "void",
        }
    }
}

/// One reward to one beneficiary for one payment. Everything but its state is frozen at payment time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commission {
    /// Deterministic id.
    pub id: CommissionId,
    /// Who gets it.
    pub beneficiary: MemberId,
    /// Whose payment it is for.
    pub referee: MemberId,
    /// The payment.
    pub payment: PaymentKey,
    /// How much.
    pub amount: Money,
    /// What the amount was computed on.
    pub base: Money,
    /// The rule, frozen.
    pub snapshot: RuleSnapshot,
    /// When the payment settled.
    pub paid_at: Timestamp,
    /// When it was booked.
    pub booked_at: Timestamp,
    /// When it may be released.
    pub due_at: Timestamp,
    /// Where it stands.
    #[serde(flatten)]
    pub state: CommissionState,
}

/// A name as strangers may see it: the first character of each of the first two words, then dots.
pub fn mask_name(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().next());
    match (words.next(), words.next()) {
        (Some(first), Some(second)) => format!("{first}••• {second}•••"),
        (Some(first), None) => format!("{first}•••"),
        _ => "•••".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_masked() {
        let check = |name: &str, expect: &str| assert_eq!(mask_name(name), expect);
        check("Alice", "A•••");
        check("Alice Liddell", "A••• L•••");
        check("  Łukasz  Jan Nowak", "Ł••• J•••");
        check("", "•••");
        check("@handle", "@•••");
    }
}
