//! One rule of the program: its trigger, beneficiary, amount and limits.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::ids::{ProductId, RuleId};
use crate::{
    exchange::ExchangeRate,
    money::{Currency, Money, MoneyError, Rounding},
    payments::{PaymentFacts, Purpose},
    referrals::Counted,
    time::Timestamp,
    wallets::WalletKind,
};

/// The trigger of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The referee's first purchase that satisfies the rule, also where another rule's reward converted the referral.
    FirstPayment,
    /// Every purchase that satisfies the rule.
    EveryPayment,
    /// The referee's purchase that is the n-th to satisfy the rule: once.
    NthPayment(u32),
    /// The purchase with which the referee has paid in n different calendar months (UTC): once.
    Months(u32),
    /// Money that the referee puts into their wallet.
    Deposit,
    /// Money that the referee spends from their wallet.
    Spend,
}

impl Trigger {
    /// The purpose of the payments that it applies to.
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Deposit => Purpose::Deposit,
            Self::Spend => Purpose::Spend,
            Self::FirstPayment | Self::EveryPayment | Self::NthPayment(_) | Self::Months(_) => {
                Purpose::Purchase
            }
        }
    }

    /// What it counts before it fires, if it counts: the referral keeps the count.
    pub const fn counted(self) -> Option<Counted> {
        match self {
            Self::NthPayment(_) => Some(Counted::Payments),
            Self::Months(_) => Some(Counted::Months),
            Self::FirstPayment | Self::EveryPayment | Self::Deposit | Self::Spend => None,
        }
    }

    /// True when it rewards one payment of a referee.
    pub const fn is_once(self) -> bool {
        matches!(self, Self::FirstPayment | Self::NthPayment(_) | Self::Months(_))
    }
}

/// The member whom a rule rewards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beneficiary {
    /// Level 1: the payer's referrer.
    #[default]
    Referrer,
    /// Level 2: the referrer's referrer. Only if the program switches level 2 on.
    Upline,
    /// The payer.
    Referee,
}

impl Beneficiary {
    /// The level shown and stored: 1 and 2, and 0 for the payer.
    pub const fn level(self) -> u8 {
        match self {
            Self::Referee => 0,
            Self::Referrer => 1,
            Self::Upline => 2,
        }
    }

    fn is_referrer(&self) -> bool {
        *self == Self::Referrer
    }
}

/// The amount that a rule grants.
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
        /// The percentage: 3 means 3%. Written as a text.
        #[serde(with = "crate::decimal")]
        percent: Decimal,
        /// The rounding of the share to minor units.
        rounding: Rounding,
        /// The share is a multiple of this many minor units.
        quantum_minor: i64,
    },
    /// A share of the profit: the payment net of tax, less what the product costs to make.
    PercentOfProfit {
        /// The percentage: 30 means 30%. Written as a text.
        #[serde(with = "crate::decimal")]
        percent: Decimal,
        /// The rounding of the share to minor units.
        rounding: Rounding,
        /// The share is a multiple of this many minor units.
        quantum_minor: i64,
    },
    /// Days of premium, counted in the currency [`Currency::DAY`].
    PremiumDays {
        /// The number of days.
        days: i64,
    },
}

/// The period after which a limit starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapPeriod {
    /// A UTC day.
    Day,
    /// A UTC month.
    Month,
    /// No period: the limit never starts again.
    Ever,
}

impl CapPeriod {
    /// The key of the period that `at` falls into: `2026-11-21`, `2026-11`, `ever`.
    pub fn key(self, at: Timestamp) -> String {
        match self {
            Self::Day => at.day(),
            Self::Month => at.month(),
            Self::Ever => "ever".to_owned(),
        }
    }
}

/// The most that may be released within a period. The time of the payment decides the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// The limit.
    pub amount: Money,
    /// The period.
    pub per: CapPeriod,
}

/// One rule of the program. A copy is frozen into every commission it grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Short stable name, part of the commission's id: lower-case letters, digits and `-`.
    pub id: RuleId,
    /// The trigger.
    pub trigger: Trigger,
    /// The member whom it rewards.
    #[serde(default, skip_serializing_if = "Beneficiary::is_referrer")]
    pub beneficiary: Beneficiary,
    /// The amount that it grants.
    pub amount: Amount,
    /// The least that must be paid for it, net of tax. Of more than the list price, the list price counts.
    pub minimum_payment: Money,
    /// The products that earn; empty means all. Of an invoice with others, their share is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<ProductId>,
    /// Seconds between the payment and the release of the commission.
    pub hold_seconds: i64,
    /// The wallet that receives it.
    pub target: WalletKind,
    /// The number of days after the hold within which the beneficiary has to claim it. It is not released
    /// before it is claimed, and void after that time. Absent: it is released without a claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_within_days: Option<i64>,
    /// The largest amount of one commission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_commission: Option<Money>,
    /// The most that this rule may release to one beneficiary within a period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_member: Option<Cap>,
}

impl Rule {
    /// True when the reward depends on what the product costs to make.
    pub const fn shares_profit(&self) -> bool {
        matches!(self.amount, Amount::PercentOfProfit { .. })
    }

    /// What the rule's products in a payment cost to make, in the currency of `base`: zero where the reward does not depend
    /// on it. Nothing when it is not known.
    ///
    /// # Errors
    /// [`MoneyError`] when amounts do not fit or combine.
    pub fn cost_of(
        &self,
        payment: &PaymentFacts,
        base: Money,
        exchange: Option<ExchangeRate>,
    ) -> Result<Option<Money>, MoneyError> {
        if !self.shares_profit() {
            return Ok(Some(Money::zero(base.currency())));
        }
        match (payment.cost_of(&self.products)?, exchange) {
            (Some(cost), Some(rate)) if cost.currency() != base.currency() => rate.convert(cost).map(Some),
            (cost, _) => Ok(cost),
        }
    }

    /// Computes the reward for a payment of `base` net of tax whose product costs `cost` to make. Zero when
    /// there is no profit.
    ///
    /// # Errors
    /// [`MoneyError`] when it does not fit, or currencies differ.
    pub fn amount_for(&self, base: Money, cost: Money) -> Result<Money, MoneyError> {
        let share = |of: Money, percent: Decimal, rounding, quantum_minor| {
            let rate = percent.checked_div(Decimal::ONE_HUNDRED).ok_or(MoneyError::Overflow)?;
            of.checked_mul_rate(rate, rounding, quantum_minor)
        };
        let granted = match self.amount {
            Amount::Flat { amount } => amount,
            Amount::PercentOfPayment { percent, rounding, quantum_minor } => {
                share(base, percent, rounding, quantum_minor)?
            }
            Amount::PercentOfProfit { percent, rounding, quantum_minor } => {
                share(base.checked_sub(cost)?, percent, rounding, quantum_minor)?
            }
            Amount::PremiumDays { days } => Money::new(days, Currency::DAY),
        };
        let granted = if granted.is_positive() { granted } else { Money::zero(granted.currency()) };
        match self.cap_commission {
            Some(cap) if granted.checked_sub(cap)?.is_positive() => Ok(cap),
            _ => Ok(granted),
        }
    }

    /// The currency of the rule's commissions, for payments in `currency`.
    pub const fn granted_currency(&self, currency: Currency) -> Currency {
        match self.amount {
            Amount::Flat { amount } => amount.currency(),
            Amount::PremiumDays { .. } => Currency::DAY,
            Amount::PercentOfPayment { .. } | Amount::PercentOfProfit { .. } => currency,
        }
    }
}
