//! Exchange rates between currencies, as operators set them.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    decimal,
    money::{Currency, Money, MoneyError, Rounding},
    time::Timestamp,
};

/// The value of one unit of a foreign currency, as the operator set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRate {
    /// The foreign currency.
    pub from: Currency,
    /// The currency of the program.
    pub to: Currency,
    /// Major units of `to` for one major unit of `from`: above zero, at most [`MOST_RATE`](Self::MOST_RATE), with at most
    /// 12 decimals. Written as a text.
    #[serde(with = "decimal")]
    pub rate: Decimal,
    /// The instant at which the rate was observed; frozen with each commission.
    pub as_of: Timestamp,
}

impl ExchangeRate {
    /// The largest rate. A bitcoin is worth less than this in any currency.
    pub const MOST_RATE: i64 = 100_000_000_000;

    /// True when its number can be meant.
    pub fn is_sound(&self) -> bool {
        self.rate > Decimal::ZERO && self.rate <= Decimal::from(Self::MOST_RATE) && self.rate.scale() <= 12
    }

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
