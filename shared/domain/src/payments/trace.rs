//! The trace of a payment: each rule's decision, and the place of each commission it granted.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{MemberId, RuleId},
    money::Money,
    referrals::Counted,
    stored::is_default,
    time::Timestamp,
};

/// The reason why a rule granted nothing. The API and the explain trace show its stable `code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The member was not referred by anybody.
    NotReferred,
    /// The payment settled, or we knew of it, before the member joined: a member who has paid before is not a new
    /// referee.
    BeforeReferral,
    /// The rule, which rewards one payment of a referee, has rewarded an earlier one.
    AlreadyConverted,
    /// The referral's window had closed when the payment settled.
    ReferralExpired,
    /// No money was paid: a trial, a full discount, or credit.
    ZeroAmount,
    /// Less was paid, net of tax, or the tier costs less than the rule asks for.
    BelowMinimum,
    /// The payment is in another currency than the program, and the program has no rate for it.
    CurrencyMismatch,
    /// The rule looks at payments of another kind: purchases, deposits or spending.
    OtherPurpose,
    /// None of what was bought is among the rule's products.
    OtherProduct,
    /// The rule waits for a later payment of this referee.
    NotYet,
    /// The rule shares the profit, and nobody has said what the product costs to make.
    CostUnknown,
    /// The rule's amount cannot be computed: a number is too large.
    NotComputable,
    /// The rule could not decide, and was taken out of the program before it was decided again.
    RuleWithdrawn,
    /// The price did not exceed what the product costs.
    NoProfit,
    /// The share rounds to nothing.
    TooSmall,
    /// Level 2 is switched off.
    SecondLevelOff,
    /// The referrer has no referrer of their own.
    NoUpline,
    /// An operator has barred the beneficiary from rewards.
    BeneficiaryBarred,
    /// The upline has not paid recently enough.
    UplineInactive,
    /// No money settled: an operator vouched for the payment, and level 2 is paid on settled sales only.
    NotSettled,
}

impl Refusal {
    /// True when an operator can supply what is missing, and the payment can be decided again then.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::CostUnknown | Self::NotComputable)
    }

    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotReferred => "not_referred",
            Self::BeforeReferral => "before_referral",
            Self::AlreadyConverted => "already_converted",
            Self::ReferralExpired => "referral_expired",
            Self::ZeroAmount => "zero_amount",
            Self::BelowMinimum => "below_minimum",
            Self::CurrencyMismatch => "currency_mismatch",
            Self::OtherPurpose => "other_purpose",
            Self::OtherProduct => "other_product",
            Self::NotYet => "not_yet",
            Self::CostUnknown => "cost_unknown",
            Self::NotComputable => "not_computable",
            Self::RuleWithdrawn => "rule_withdrawn",
            Self::NoProfit => "no_profit",
            Self::TooSmall => "too_small",
            Self::SecondLevelOff => "second_level_off",
            Self::NoUpline => "no_upline",
            Self::BeneficiaryBarred => "beneficiary_barred",
            Self::UplineInactive => "upline_inactive",
            Self::NotSettled => "not_settled",
        }
    }

    /// The reason in a sentence, for operators.
    pub const fn explain(self) -> &'static str {
        match self {
            Self::NotReferred => "The member was not referred by anybody.",
            Self::BeforeReferral => "The payment was made before the member joined.",
            Self::AlreadyConverted => "The rule has already rewarded an earlier payment of this referee.",
            Self::ReferralExpired => "The referral's window had closed when the payment settled.",
            Self::ZeroAmount => "Nothing was really paid: a trial, a full discount, or credit.",
            Self::BelowMinimum => "Less was paid than the rule asks for.",
            Self::CurrencyMismatch => {
                "The payment is in another currency, and the program has no rate for it."
            }
            Self::OtherPurpose => "The rule looks at payments of another kind.",
            Self::OtherProduct => "None of what was bought is among the rule's products.",
            Self::NotYet => "The rule waits for a later payment of this referee.",
            Self::CostUnknown => {
                "What the product costs is not known. Name the product or the cost, then it is decided again."
            }
            Self::NotComputable => {
                "The amount cannot be computed: a number is too large. Correct the program, then it is decided again."
            }
            Self::RuleWithdrawn => "The rule was taken out of the program before it could decide.",
            Self::NoProfit => "The price did not exceed what the product costs.",
            Self::TooSmall => "The share rounds to nothing.",
            Self::SecondLevelOff => "Level 2 is switched off.",
            Self::NoUpline => "The referrer has no referrer.",
            Self::BeneficiaryBarred => "An operator has barred the beneficiary from rewards.",
            Self::UplineInactive => "The upline has not paid recently enough.",
            Self::NotSettled => "No money settled, and level 2 is paid on settled sales only.",
        }
    }
}

/// The place of a commission in its beneficiary's partition. It is a guard: only one commission can exist at
/// a place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Place {
    /// One for each payment and rule.
    #[default]
    Payment,
    /// The commission that converts a referral: one for each referral, whatever the rule.
    Conversion {
        /// The instant at which the referee joined.
        joined_at: Timestamp,
        /// The number of conversions before it whose payment was undone as a whole.
        #[serde(default, skip_serializing_if = "is_default")]
        attempt: u32,
    },
    /// One for each referral and rule.
    Once {
        /// The instant at which the referee joined.
        joined_at: Timestamp,
        /// The number of commissions before it whose payment was undone as a whole.
        #[serde(default, skip_serializing_if = "is_default")]
        attempt: u32,
    },
}

impl Place {
    /// True for the default, which is not stored.
    pub fn is_payment(&self) -> bool {
        *self == Self::Payment
    }

    /// The place of the next attempt, when the payment of this one was undone as a whole. Other payments are not limited
    /// to one.
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Payment => None,
            Self::Conversion { joined_at, attempt } => {
                Some(Self::Conversion { joined_at, attempt: attempt.saturating_add(1) })
            }
            Self::Once { joined_at, attempt } => {
                Some(Self::Once { joined_at, attempt: attempt.saturating_add(1) })
            }
        }
    }

    /// The place of the attempt before, if there was one.
    pub const fn previous(self) -> Option<Self> {
        match self {
            Self::Conversion { joined_at, attempt: attempt @ 1.. } => {
                Some(Self::Conversion { joined_at, attempt: attempt.saturating_sub(1) })
            }
            Self::Once { joined_at, attempt: attempt @ 1.. } => {
                Some(Self::Once { joined_at, attempt: attempt.saturating_sub(1) })
            }
            _ => None,
        }
    }
}

/// The decision of one rule about a payment: a line of the explain trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The rule.
    pub rule: RuleId,
    /// 1 for the referrer, 2 for the upline, 0 for the payer.
    pub level: u8,
    /// The version of the program that decided, if it is another one than the payment's, because it was decided again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// What the payment counts for, towards a rule that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    /// The decision.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// The decision of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Verdict {
    /// A commission was booked.
    Granted {
        /// The member who gets it.
        beneficiary: MemberId,
        /// The amount.
        reward: Money,
        /// The place: the key under which only one commission can exist.
        #[serde(default, skip_serializing_if = "Place::is_payment")]
        place: Place,
    },
    /// No commission was booked.
    Refused {
        /// The reason.
        reason: Refusal,
    },
}
