//! One rule of the program: when it fires, for whom, how much, within which limits.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    money::{Currency, Money, MoneyError, Rounding},
    payments::Purpose,
    time::Timestamp,
    wallets::WalletKind,
};

/// When a rule fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The referee's first purchase that satisfies the rule. It converts the referral.
    FirstPayment,
    /// Every purchase that satisfies the rule.
    EveryPayment,
    /// The referee's purchase that is the n-th to satisfy the rule: once.
    NthPayment(u32),
    /// The purchase with which the referee has paid in n different calendar months (UTC): once.
    Months(u32),
    /// Money that the referee puts into their wallet.
    Deposit,
    /// What the referee spends from their wallet.
    Spend,
}

impl Trigger {
    /// What kind of payment it looks at.
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Deposit => Purpose::Deposit,
            Self::Spend => Purpose::Spend,
            Self::FirstPayment | Self::EveryPayment | Self::NthPayment(_) | Self::Months(_) => {
                Purpose::Purchase
            }
        }
    }

    /// It counts payments before it fires, so the referral keeps a count.
    pub const fn counts(self) -> bool {
        matches!(self, Self::NthPayment(_) | Self::Months(_))
    }
}

/// Whom a rule rewards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beneficiary {
    /// Level 1: who brought the payer.
    #[default]
    Referrer,
    /// Level 2: who brought the referrer. Only where the program switches level 2 on.
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
    /// A share of the profit: the payment net of tax, less what the product costs to make.
    PercentOfProfit {
        /// 30 means 30%.
        percent: Decimal,
        /// How the share becomes minor units.
        rounding: Rounding,
        /// The share is a multiple of this many minor units.
        quantum_minor: i64,
    },
    /// Days of premium, counted in the currency [`Currency::DAY`].
    PremiumDays {
        /// How many.
        days: i64,
    },
}

/// How long a limit lasts before it starts afresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapPeriod {
    /// A UTC day.
    Day,
    /// A UTC month.
    Month,
    /// It never does.
    Ever,
}

impl CapPeriod {
    /// The period that `at` falls into: `2026-11-21`, `2026-11`, `ever`.
    pub fn key(self, at: Timestamp) -> String {
        match self {
            Self::Day => at.day(),
            Self::Month => at.month(),
            Self::Ever => "ever".to_owned(),
        }
    }
}

/// An upper limit of what is released within a period. The period is the payment's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// The limit.
    pub amount: Money,
    /// How long it lasts.
    pub per: CapPeriod,
}

/// One rule of the program. A copy is frozen into every commission it grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Short stable name, part of the commission's id: lower-case letters, digits and `-`.
    pub id: String,
    /// When it fires.
    pub trigger: Trigger,
    /// Whom it rewards.
    #[serde(default, skip_serializing_if = "Beneficiary::is_referrer")]
    pub beneficiary: Beneficiary,
    /// How much it grants.
    pub amount: Amount,
    /// The payment's tier must cost at least this (list price, before discounts).
    pub minimum_payment: Money,
    /// Only these products earn; empty means all. Of an invoice with others, their share is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<String>,
    /// Seconds between the payment and the release of the commission.
    pub hold_seconds: i64,
    /// The wallet that receives it.
    pub target: WalletKind,
    /// The beneficiary has to claim it, within this many days after the hold; until then it is not released, and
    /// afterwards it is void. Absent: it comes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_within_days: Option<i64>,
    /// No commission is larger than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_commission: Option<Money>,
    /// What one beneficiary may be released by this rule within a period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_member: Option<Cap>,
}

impl Rule {
    /// What the rule grants on a payment of `base` net of tax whose product costs `cost` to make.
    /// Zero when there is no profit.
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

    /// The currency that the rule's commissions are in, for payments in `currency`.
    pub const fn granted_currency(&self, currency: Currency) -> Currency {
        match self.amount {
            Amount::Flat { amount } => amount.currency(),
            Amount::PremiumDays { .. } => Currency::DAY,
            Amount::PercentOfPayment { .. } | Amount::PercentOfProfit { .. } => currency,
        }
    }
}
