//! The program: which payment earns whom how much, and why not.
//!
//! `decide` is pure: the same payment, referral and program always give the same decision, which is what
//! lets a redelivered webhook be compared with what is booked instead of booked again.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    CommissionId, IdError, MemberId, Money, MoneyError, PaymentKey, Referral, Rounding, Timestamp, WalletKind,
};

/// When a rule fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The referee's first payment that satisfies the rule. It converts the referral.
    FirstPayment,
    /// Every payment that satisfies the rule.
    EveryPayment,
}

/// How much a rule grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Amount {
    /// A fixed sum.
    Flat {
        /// The sum.
        amount: Money,
    },
    /// A share of the payment net of tax.
    PercentOfPayment {
        /// 3 means 3%.
        percent: Decimal,
        /// How the share becomes minor units.
        rounding: Rounding,
        /// The share is a multiple of this many minor units.
        quantum_minor: i64,
    },
}

/// One rule of the program. A copy is frozen into every commission it grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Short stable name, part of the commission's id: lower-case letters, digits and `-`.
    pub id: String,
    /// When it fires.
    pub trigger: Trigger,
    /// How much it grants.
    pub amount: Amount,
    /// The payment's tier must cost at least this (list price, before discounts).
    pub minimum_payment: Money,
    /// Seconds between the payment and the release of the commission.
    pub hold_seconds: i64,
    /// The wallet that receives it.
    pub target: WalletKind,
}

/// The rules in force. A change makes a new version and never touches what is booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// 1 for the preset's own rules.
    pub version: u32,
    /// The rule for level 1: the referrer of the member who paid.
    pub referrer: Rule,
}

/// What a payment says, free of its rail's vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFacts {
    /// The natural key.
    pub key: PaymentKey,
    /// Who paid.
    pub member: MemberId,
    /// Money that really settled, tax included. Zero for trials and invoices covered by credit.
    pub paid: Money,
    /// Tax within `paid`.
    pub tax: Money,
    /// List price of the tier that was paid for.
    pub tier: Money,
    /// When it settled, by the provider's clock.
    pub paid_at: Timestamp,
    /// When we first heard of it, by our own clock.
    pub known_at: Timestamp,
}

/// Why a payment earned nobody anything. The stable `code` is what the API and the explain trace show.
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
    /// The payment is in another currency than the program's minimum.
    CurrencyMismatch,
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
        }
    }
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
    /// What the amount was computed on: the payment net of tax.
    pub base: Money,
    /// When it may be released.
    pub due_at: Timestamp,
    /// The rule as it was, with the program's version.
    pub snapshot: RuleSnapshot,
}

/// The rule that granted a commission, frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSnapshot {
    /// The program's version.
    pub version: u32,
    /// 1 for the referrer, 2 for the upline.
    pub level: u8,
    /// The rule.
    pub rule: Rule,
}

/// What a payment leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Book this commission; `converts` says that the referral turns to converted with it.
    Grant {
        /// The commission.
        grant: Box<Grant>,
        /// The payment is the referral's first.
        converts: bool,
    },
    /// Record the payment, book nothing, and remember why.
    Refuse(Refusal),
}

/// The numbers could not be computed. A program that was checked when it was loaded never causes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// An amount does not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The commission's id does not fit.
    #[error(transparent)]
    Id(#[from] IdError),
}

impl Program {
    /// Decides what `payment` earns, given the payer's referral if there is one.
    ///
    /// Refusals are tried in a fixed order, so the reason shown is always the first that applies.
    ///
    /// # Errors
    /// [`DecideError`] when a number does not fit.
    pub fn decide(
        &self,
        payment: &PaymentFacts,
        referral: Option<&Referral>,
    ) -> Result<Decision, DecideError> {
        let rule = &self.referrer;
        let Some(referral) = referral else { return Ok(Decision::Refuse(Refusal::NotReferred)) };
        let converted = referral.is_converted();
        let base = payment.paid.checked_sub(payment.tax)?;
        let refusal = if !base.is_positive() {
            Some(Refusal::ZeroAmount)
        } else if payment.known_at < referral.joined_at {
            Some(Refusal::BeforeReferral)
        } else if converted && rule.trigger == Trigger::FirstPayment {
            Some(Refusal::AlreadyConverted)
        } else if !converted && payment.paid_at >= referral.expires_at {
            Some(Refusal::ReferralExpired)
        } else if payment.tier.currency() != rule.minimum_payment.currency() {
            Some(Refusal::CurrencyMismatch)
        } else if payment.tier.minor() < rule.minimum_payment.minor() {
            Some(Refusal::BelowMinimum)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return Ok(Decision::Refuse(refusal));
        }
        let amount = rule.amount_for(base)?;
        if !amount.is_positive() {
            return Ok(Decision::Refuse(Refusal::ZeroAmount));
        }
        let grant = Grant {
            commission: payment.key.commission(&rule.id, 1)?,
            beneficiary: referral.referrer.clone(),
            amount,
            base,
            due_at: payment.paid_at.plus_seconds(rule.hold_seconds),
            snapshot: RuleSnapshot { version: self.version, level: 1, rule: rule.clone() },
        };
        Ok(Decision::Grant { grant: Box::new(grant), converts: !converted })
    }
}

impl Rule {
    /// What the rule grants on a payment of `base` net of tax.
    ///
    /// # Errors
    /// [`MoneyError`] when it does not fit.
    pub fn amount_for(&self, base: Money) -> Result<Money, MoneyError> {
        match self.amount {
            Amount::Flat { amount } => Ok(amount),
            Amount::PercentOfPayment { percent, rounding, quantum_minor } => {
                let rate = percent.checked_div(Decimal::ONE_HUNDRED).ok_or(MoneyError::Overflow)?;
                base.checked_mul_rate(rate, rounding, quantum_minor)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Currency, ExternalPaymentId, Preset, Rail, ReferralState};

    const JOINED: Timestamp = Timestamp::from_seconds(1_795_000_000);

    fn member(name: &str) -> MemberId {
        MemberId::parse(name).unwrap()
    }

    fn payment(paid: i64, tier: i64) -> PaymentFacts {
        let usd = |minor| Money::new(minor, Currency::USD);
        PaymentFacts {
            key: PaymentKey { rail: Rail::Stripe, id: ExternalPaymentId::parse("in_1").unwrap() },
            member: member("bob"),
            paid: usd(paid),
            tax: usd(0),
            tier: usd(tier),
            paid_at: JOINED.plus_days(3),
            known_at: JOINED.plus_days(3),
        }
    }

    fn referral() -> Referral {
        Referral {
            referrer: member("alice"),
            referee: member("bob"),
            joined_at: JOINED,
            expires_at: JOINED.plus_days(365),
            state: ReferralState::Pending,
        }
    }

    fn program() -> Program {
        Preset::builtin("bitten").unwrap().program
    }

    #[test]
    fn bitten_pays_ten_dollars_for_the_first_39_dollar_payment() {
        let decision = program().decide(&payment(3900, 3900), Some(&referral())).unwrap();
        let Decision::Grant { grant, converts } = decision else { panic!("{decision:?}") };
        assert_eq!((grant.amount.to_string().as_str(), converts), ("$10.00", true));
        assert_eq!(grant.commission.as_str(), "stripe:in_1-recruit-1");
        assert_eq!((grant.due_at, grant.beneficiary), (JOINED.plus_days(3), member("alice")));
    }

    #[test]
    fn every_refusal_has_its_reason() {
        let check = |payment: PaymentFacts, referral: Option<Referral>, code: &str| match program()
            .decide(&payment, referral.as_ref())
            .unwrap()
        {
            Decision::Refuse(refusal) => assert_eq!(refusal.code(), code),
            granted => panic!("{code}: {granted:?}"),
        };
        check(payment(3900, 3900), None, "not_referred");
        let converted = Referral {
            state: ReferralState::Converted { payment: payment(1, 1).key, at: JOINED },
            ..referral()
        };
        check(payment(3900, 3900), Some(converted), "already_converted");
        let early = PaymentFacts { known_at: JOINED.plus_seconds(-1), ..payment(3900, 3900) };
        check(early, Some(referral()), "before_referral");
        let late = PaymentFacts { paid_at: JOINED.plus_days(365), ..payment(3900, 3900) };
        check(late, Some(referral()), "referral_expired");
        check(payment(0, 3900), Some(referral()), "zero_amount");
        check(payment(3899, 3899), Some(referral()), "below_minimum");
        let euros = PaymentFacts { tier: Money::new(3900, Currency::EUR), ..payment(3900, 3900) };
        check(euros, Some(referral()), "currency_mismatch");
    }

    #[test]
    fn a_discounted_payment_of_the_tier_still_counts() {
        let decision = program().decide(&payment(1950, 3900), Some(&referral())).unwrap();
        assert!(matches!(decision, Decision::Grant { .. }));
    }

    #[test]
    fn a_share_is_taken_of_the_payment_net_of_tax() {
        let mut program = program();
        program.referrer.trigger = Trigger::EveryPayment;
        program.referrer.amount = Amount::PercentOfPayment {
            percent: Decimal::from(3),
            rounding: Rounding::HalfUp,
            quantum_minor: 1,
        };
        let mut taxed = payment(12300, 10000);
        taxed.tax = Money::new(2300, Currency::USD);
        let decision = program.decide(&taxed, Some(&referral())).unwrap();
        let Decision::Grant { grant, .. } = decision else { panic!("{decision:?}") };
        assert_eq!(grant.amount.to_string(), "$3.00");
    }
}
