//! The program: the rules in force, and the rates that convert other currencies.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    money::{Currency, Money, MoneyError, Rounding},
    programs::{Beneficiary, Cap, Rule},
    time::Timestamp,
};

/// The rules in force. A change makes a new version and never changes booked commissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The version: 1 for the preset's own rules, then one more for each change.
    pub version: u32,
    /// The rules. Each is considered for every payment, in this order. Without rules there are no referral
    /// rewards.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Switches level 2 on: uplines are rewarded too. Off by default, because Telegram forbids schemes of
    /// many levels; there is no level 3.
    #[serde(default)]
    pub second_level: bool,
    /// An upline who has not paid within this many days before the payment is skipped. Absent: no upline is
    /// skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upline_active_days: Option<i64>,
    /// The most that the whole program may release within a period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Cap>,
    /// The rates for payments in other currencies. A payment in a currency without a rate earns nothing, and
    /// its trace gives that reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<ExchangeRate>,
}

/// The value of one unit of a foreign currency, as the operator set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRate {
    /// The foreign currency.
    pub from: Currency,
    /// The currency of the program.
    pub to: Currency,
    /// Major units of `to` for one major unit of `from`.
    pub rate: Decimal,
    /// The instant at which the rate was observed; frozen with each commission.
    pub as_of: Timestamp,
}

impl ExchangeRate {
    /// Converts an amount to the rate's target currency, rounded half to even to its minor unit.
    ///
    /// # Errors
    /// [`MoneyError`] when it does not fit or is not in the rate's source currency.
    pub fn convert(&self, amount: Money) -> Result<Money, MoneyError> {
        if amount.currency() != self.from {
            return Err(MoneyError::CurrencyMismatch { left: self.from, right: amount.currency() });
        }
        let scale = |currency: Currency| Decimal::from(10_i64.pow(currency.exponent()));
        let rate = self
            .rate
            .checked_mul(scale(self.to))
            .and_then(|rate| rate.checked_div(scale(self.from)))
            .ok_or(MoneyError::Overflow)?;
        Money::new(amount.minor(), self.to).checked_mul_rate(rate, Rounding::HalfEven, 1)
    }
}

impl Program {
    /// Returns the rule that texts describe: the first that rewards the referrer.
    pub fn headline(&self) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.beneficiary == Beneficiary::Referrer)
    }

    /// True when a rule counts payments, so that referrals have to keep counts.
    pub fn counts(&self) -> bool {
        self.rules.iter().any(|rule| rule.trigger.counts())
    }
}
