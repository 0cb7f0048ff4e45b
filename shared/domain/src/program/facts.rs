//! What a decision is made on, and what comes of it.

use serde::{Deserialize, Serialize};

use crate::{
    Cap, CommissionId, ExchangeRate, MemberId, Money, MoneyError, PaymentKey, Purpose, Referral, Rule,
    Timestamp,
};

/// One product's part of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentLine {
    /// The product, by our name for it or by the provider's.
    pub product: String,
    /// Its amount; negative for the credit half of a proration, which nets within its payment.
    pub amount: Money,
}

/// What a payment says, free of its rail's vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFacts {
    /// The natural key.
    pub key: PaymentKey,
    /// Who paid.
    pub member: MemberId,
    /// What it is for.
    pub purpose: Purpose,
    /// Money that really settled, tax included. Zero for trials and invoices covered by credit.
    pub paid: Money,
    /// Tax within `paid`.
    pub tax: Money,
    /// List price of the tier that was paid for.
    pub tier: Money,
    /// What was bought, where the rail says so.
    pub lines: Vec<PaymentLine>,
    /// What it costs to make, for rules that share profit; zero where nobody knows.
    pub cost: Money,
    /// When it settled, by the provider's clock.
    pub paid_at: Timestamp,
    /// When we first heard of it, by our own clock.
    pub known_at: Timestamp,
}

impl PaymentFacts {
    /// A purchase of one thing at its list price, without tax, told as it settled.
    pub const fn purchase(key: PaymentKey, member: MemberId, paid: Money, at: Timestamp) -> Self {
        Self {
            key,
            member,
            purpose: Purpose::Purchase,
            paid,
            tax: Money::zero(paid.currency()),
            tier: paid,
            lines: Vec::new(),
            cost: Money::zero(paid.currency()),
            paid_at: at,
            known_at: at,
        }
    }

    /// What settled, net of tax: what every share is a share of.
    ///
    /// # Errors
    /// [`MoneyError`] when the tax is in another currency.
    pub fn net(&self) -> Result<Money, MoneyError> {
        self.paid.checked_sub(self.tax)
    }

    /// The part of the net payment that went to `products`. Lines net within the payment, so an upgrade
    /// counts with the difference; what a discount or credit took off is taken off all lines alike. A net
    /// below zero stays on the customer's balance at the provider, which lowers what they pay next time.
    ///
    /// # Errors
    /// [`MoneyError`] when amounts do not fit or combine.
    pub fn net_of(&self, products: &[String]) -> Result<Money, MoneyError> {
        let net = self.net()?;
        if products.is_empty() {
            return Ok(net);
        }
        let zero = Money::zero(net.currency());
        let add = |sum: Money, line: &PaymentLine| sum.checked_add(line.amount);
        let all = self.lines.iter().try_fold(zero, add)?;
        let wanted = |line: &&PaymentLine| products.contains(&line.product);
        let matching = self.lines.iter().filter(wanted).try_fold(zero, add)?;
        if !matching.is_positive() || !net.is_positive() {
            return Ok(zero);
        }
        if matching.minor() >= all.minor() {
            return Ok(net);
        }
        net.checked_share(matching.minor(), all.minor())
    }
}

/// What is known of a possible beneficiary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The member.
    pub member: MemberId,
    /// An operator has barred them from rewards.
    pub barred: bool,
    /// Their own latest payment.
    pub last_paid_at: Option<Timestamp>,
}

/// What is known around a payment when it is decided.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The payer's referral.
    pub referral: Option<Referral>,
    /// The referrer.
    pub referrer: Option<Party>,
    /// The referrer's referrer.
    pub upline: Option<Party>,
    /// Rules whose one commission for this referral is booked already.
    pub spent: Vec<String>,
}

/// Why a rule granted nothing. The stable `code` is what the API and the explain trace show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The member was not referred by anybody.
    NotReferred,
    /// We knew of the payment before the member joined: who has paid before is no new referee.
    BeforeReferral,
    /// An earlier payment has already converted the referral.
    AlreadyConverted,
    /// The referral's window had closed when the payment settled.
    ReferralExpired,
    /// Nothing was really paid: a trial, a full discount, or credit.
    ZeroAmount,
    /// The tier costs less than the program asks for.
    BelowMinimum,
    /// The payment is in another currency than the program, and the program has no rate for it.
    CurrencyMismatch,
    /// The rule looks at payments of another kind: purchases, deposits or spending.
    OtherPurpose,
    /// None of what was bought is among the rule's products.
    OtherProduct,
    /// The rule waits for a later payment of this referee.
    NotYet,
    /// The price did not exceed what the product costs.
    NoProfit,
    /// The share rounds to nothing.
    TooSmall,
    /// Level 2 is switched off.
    SecondLevelOff,
    /// The referrer was brought by nobody.
    NoUpline,
    /// An operator has barred the beneficiary from rewards.
    BeneficiaryBarred,
    /// The upline has not paid recently enough.
    UplineInactive,
    /// No money settled: an operator vouched for the payment, and level 2 is paid on settled sales only.
    NotSettled,
}

impl Refusal {
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
            Self::BeforeReferral => "We knew of the payment before the member joined.",
            Self::AlreadyConverted => "An earlier payment has already converted the referral.",
            Self::ReferralExpired => "The referral's window had closed when the payment settled.",
            Self::ZeroAmount => "Nothing was really paid: a trial, a full discount, or credit.",
            Self::BelowMinimum => "The tier costs less than the program asks for.",
            Self::CurrencyMismatch => {
                "The payment is in another currency, and the program has no rate for it."
            }
            Self::OtherPurpose => "The rule looks at payments of another kind.",
            Self::OtherProduct => "None of what was bought is among the rule's products.",
            Self::NotYet => "The rule waits for a later payment of this referee.",
            Self::NoProfit => "The price did not exceed what the product costs.",
            Self::TooSmall => "The share rounds to nothing.",
            Self::SecondLevelOff => "Level 2 is switched off.",
            Self::NoUpline => "The referrer was brought by nobody.",
            Self::BeneficiaryBarred => "An operator has barred the beneficiary from rewards.",
            Self::UplineInactive => "The upline has not paid recently enough.",
            Self::NotSettled => "No money settled, and level 2 is paid on settled sales only.",
        }
    }
}

/// Where a commission stands in its beneficiary's partition. The place is a guard: only one commission
/// ever stands in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Place {
    /// One for each payment and rule.
    #[default]
    Payment,
    /// The commission that converts a referral: one for each referral, whatever the rule.
    Conversion {
        /// When the referee joined.
        joined_at: Timestamp,
    },
    /// One for each referral and rule.
    Once {
        /// When the referee joined.
        joined_at: Timestamp,
    },
}

impl Place {
    /// The default, which is not stored.
    pub fn is_payment(&self) -> bool {
        *self == Self::Payment
    }
}

/// The rule that granted a commission, frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSnapshot {
    /// The program's version.
    pub version: u32,
    /// 1 for the referrer, 2 for the upline, 0 for the payer.
    pub level: u8,
    /// The rule.
    pub rule: Rule,
    /// The program's budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Cap>,
    /// The rate at which the payment counted, when it was in another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<ExchangeRate>,
}

/// A commission that is to be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Deterministic: the same payment and rule give the same id.
    pub commission: CommissionId,
    /// Who gets it.
    pub beneficiary: MemberId,
    /// How much.
    pub amount: Money,
    /// What the amount was computed on: the rule's part of the payment, net of tax.
    pub base: Money,
    /// When it may be released.
    pub due_at: Timestamp,
    /// What guards it.
    pub place: Place,
    /// The rule as it was, with the program's version.
    pub snapshot: RuleSnapshot,
}

/// What one rule said to a payment: a line of the explain trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The rule.
    pub rule: String,
    /// 1 for the referrer, 2 for the upline, 0 for the payer.
    pub level: u8,
    /// What it said.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What a rule said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Verdict {
    /// A commission was booked.
    Granted {
        /// Who gets it.
        beneficiary: MemberId,
        /// How much.
        reward: Money,
        /// What guards it.
        #[serde(default, skip_serializing_if = "Place::is_payment")]
        place: Place,
    },
    /// Nothing was booked.
    Refused {
        /// Why.
        reason: Refusal,
    },
}

/// How far a referee has come towards a rule that counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Payments that satisfied a rule of [`Trigger::NthPayment`](crate::Trigger).
    #[serde(default)]
    pub payments: u32,
    /// Months with such a payment, as `2026-11`, for a rule of [`Trigger::Months`](crate::Trigger).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub months: Vec<String>,
}
