//! Money: integer minor units with their currency, checked arithmetic, every rounding named.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};

/// The reason why an amount of money could not be made or combined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is not three to five ASCII letters or digits.
    #[error("'{0}' is not a currency code")]
    UnknownCurrency(String),
    /// Two amounts have different currencies.
    #[error("amounts in {left} and {right} cannot be combined")]
    CurrencyMismatch {
        /// Currency of the left operand.
        left: Currency,
        /// Currency of the right operand.
        right: Currency,
    },
    /// The result does not fit 64 bits of minor units.
    #[error("the amount is too large")]
    Overflow,
    /// The text is not a decimal amount with at most the currency's number of decimals.
    #[error("'{0}' is not an amount in this currency")]
    Malformed(String),
}

/// A currency: ISO 4217, or `XTR` (Telegram Stars), `BTC`, `LTC`. Always upper case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency {
    bytes: [u8; 5],
    len: u8,
}

impl Currency {
    /// United States dollar.
    pub const USD: Self = Self::literal(*b"USD");
    /// Euro.
    pub const EUR: Self = Self::literal(*b"EUR");
    /// Polish zloty.
    pub const PLN: Self = Self::literal(*b"PLN");
    /// Indian rupee.
    pub const INR: Self = Self::literal(*b"INR");
    /// Telegram Stars.
    pub const XTR: Self = Self::literal(*b"XTR");
    /// Days of premium: some programs grant these instead of money.
    pub const DAY: Self = Self::literal(*b"DAY");

    const fn literal(code: [u8; 3]) -> Self {
        Self { bytes: [code[0], code[1], code[2], 0, 0], len: 3 }
    }

    /// Reads a code in any case: `usd` and `USD` are the same currency.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`] unless it is 3 to 5 ASCII letters or digits.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let well_formed = (3..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if !well_formed {
            return Err(MoneyError::UnknownCurrency(text.chars().take(16).collect()));
        }
        let mut bytes = [0; 5];
        for (slot, byte) in bytes.iter_mut().zip(text.bytes()) {
            *slot = byte.to_ascii_uppercase();
        }
        Ok(Self { bytes, len: text.len() as u8 })
    }

    /// The upper-case code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len as usize]).unwrap_or_default()
    }

    /// The number of decimals between the minor and the major unit, as Stripe and Telegram count them.
    pub fn exponent(&self) -> u32 {
        match self.as_str() {
            "BTC" | "LTC" => 8,
            "XTR" | "DAY" | "BIF" | "CLP" | "DJF" | "GNF" | "JPY" | "KMF" | "KRW" | "MGA" | "PYG" | "RWF"
            | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "JOD" | "KWD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }

    /// True when it exists: one of ISO 4217, or one of ours that is not counted in days.
    pub fn is_known(&self) -> bool {
        matches!(self.as_str(), "XTR" | "BTC" | "LTC")
            || iso_currency::Currency::from_code(self.as_str()).is_some()
    }

    fn symbol(&self) -> Option<&'static str> {
        match self.as_str() {
            "USD" => Some("$"),
            "EUR" => Some("€"),
            "GBP" => Some("£"),
            "INR" => Some("₹"),
            _ => None,
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        Self::parse(&text)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The way in which a product of money and a rate becomes whole minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// 0.5 is rounded away from zero. The default of every preset.
    HalfUp,
    /// 0.5 is rounded to the even neighbour.
    HalfEven,
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
}

impl Rounding {
    fn strategy(self) -> RoundingStrategy {
        match self {
            Self::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Self::HalfEven => RoundingStrategy::MidpointNearestEven,
            Self::Down => RoundingStrategy::ToZero,
            Self::Up => RoundingStrategy::AwayFromZero,
        }
    }
}

/// An amount: signed integer minor units and their currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// `minor` units of `currency` (cents, paise, satoshi, whole Stars).
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Zero, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Reads `"10"` or `"10.00"`.
    ///
    /// # Errors
    /// [`MoneyError::Malformed`] for anything that is not a decimal of at most the currency's decimals,
    /// [`MoneyError::Overflow`] when it does not fit.
    pub fn parse_major(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let malformed = || MoneyError::Malformed(text.chars().take(32).collect());
        let decimal = Decimal::from_str_exact(text).map_err(|_| malformed())?;
        if decimal.normalize().scale() > currency.exponent() {
            return Err(malformed());
        }
        let factor = Decimal::from(10_i64.pow(currency.exponent()));
        let minor = decimal.checked_mul(factor).and_then(|d| d.to_i64()).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, currency))
    }

    /// The signed count of minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// True when it is above zero.
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// True when it is exactly zero.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Adds two amounts.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], or [`MoneyError::Overflow`] when the sum does not fit.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// Subtracts `other`.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], or [`MoneyError::Overflow`] when the difference does not fit.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.checked_add(other.checked_neg()?)
    }

    /// Changes the sign.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for the one value that has no opposite.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        Ok(Self::new(self.minor.checked_neg().ok_or(MoneyError::Overflow)?, self.currency))
    }

    /// Computes `self * rate`, rounded as given to a multiple of `quantum_minor` minor units.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when the result does not fit; [`MoneyError::Malformed`] when the quantum is
    /// below one.
    pub fn checked_mul_rate(
        self,
        rate: Decimal,
        rounding: Rounding,
        quantum_minor: i64,
    ) -> Result<Self, MoneyError> {
        if quantum_minor < 1 {
            return Err(MoneyError::Malformed(format!("rounding quantum {quantum_minor}")));
        }
        let quantum = Decimal::from(quantum_minor);
        let exact = Decimal::from(self.minor).checked_mul(rate).ok_or(MoneyError::Overflow)?;
        let steps = exact.checked_div(quantum).ok_or(MoneyError::Overflow)?;
        let whole = steps.round_dp_with_strategy(0, rounding.strategy());
        let minor = whole.checked_mul(quantum).and_then(|d| d.to_i64()).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// Computes `self * part / whole` exactly, rounded half away from zero to the minor unit.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when `whole` is zero or the result does not fit.
    #[allow(clippy::arithmetic_side_effects, reason = "two numbers of 64 bits multiply within 128")]
    pub fn checked_share(self, part: i64, whole: i64) -> Result<Self, MoneyError> {
        let product = i128::from(self.minor) * i128::from(part);
        let (quotient, rest) = match i128::from(whole) {
            0 => return Err(MoneyError::Overflow),
            whole => (product / whole, product % whole),
        };
        let away = if (product < 0) == (whole < 0) { 1 } else { -1 };
        let half_or_more = rest.abs() * 2 >= i128::from(whole).abs() && rest != 0;
        let rounded = if half_or_more { quotient + away } else { quotient };
        let minor = i64::try_from(rounded).map_err(|_| MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// The amount in major units, with all its decimals: `1000` cents are `10.00`.
    pub fn to_major(self) -> Decimal {
        Decimal::new(self.minor, self.currency.exponent())
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
        }
    }
}

/// Formats for people: `$10.00`, `-$2.50`, `135.00 PLN`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.to_major().abs();
        let sign = if self.minor < 0 { "-" } else { "" };
        match self.currency.symbol() {
            _ if self.currency == Currency::DAY && self.minor == 1 => f.write_str("1 day"),
            _ if self.currency == Currency::DAY => write!(f, "{sign}{magnitude} days"),
            Some(symbol) => write!(f, "{sign}{symbol}{magnitude}"),
            None => write!(f, "{sign}{magnitude} {}", self.currency),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_shows_major_units() {
        let check = |text: &str, currency: Currency, minor: i64, shown: &str| {
            let money = Money::parse_major(text, currency).unwrap();
            assert_eq!((money.minor(), money.to_string().as_str()), (minor, shown));
        };
        check("10", Currency::USD, 1000, "$10.00");
        check("39.5", Currency::USD, 3950, "$39.50");
        check("-2.50", Currency::USD, -250, "-$2.50");
        check("135.00", Currency::PLN, 13500, "135.00 PLN");
        check("250", Currency::XTR, 250, "250 XTR");
        check("0.00000001", Currency::parse("btc").unwrap(), 1, "0.00000001 BTC");
    }

    #[test]
    fn refuses_what_is_not_an_amount() {
        for text in ["", "ten", "1.001", "1e3", "1,00", "NaN", "99999999999999999999"] {
            assert!(Money::parse_major(text, Currency::USD).is_err(), "{text}");
        }
        assert!(Money::parse_major("1.5", Currency::XTR).is_err());
        for code in ["", "us", "dollars", "U$D", "€€€"] {
            assert!(Currency::parse(code).is_err(), "{code}");
        }
    }

    #[test]
    fn rounds_to_the_quantum_as_named() {
        // The `ott` preset: 30% and 10% of a profit of 93 rupees, half up to the whole rupee.
        let profit = Money::new(9300, Currency::INR);
        let round = |rate, rounding| profit.checked_mul_rate(rate, rounding, 100).unwrap().minor();
        assert_eq!(round(Decimal::new(30, 2), Rounding::HalfUp), 2800);
        assert_eq!(round(Decimal::new(10, 2), Rounding::HalfUp), 900);
        assert_eq!(round(Decimal::new(10, 2), Rounding::Up), 1000);
        let one = Money::new(5, Currency::USD);
        assert_eq!(one.checked_mul_rate(Decimal::new(5, 1), Rounding::HalfUp, 1).unwrap().minor(), 3);
        assert_eq!(one.checked_mul_rate(Decimal::new(5, 1), Rounding::HalfEven, 1).unwrap().minor(), 2);
        assert_eq!(one.checked_mul_rate(Decimal::new(5, 1), Rounding::Down, 1).unwrap().minor(), 2);
        assert!(one.checked_mul_rate(Decimal::ONE, Rounding::Down, 0).is_err());
    }

    #[test]
    fn a_share_is_exact_and_half_away_from_zero() {
        let check = |minor: i64, part, whole, expect: i64| {
            let share = Money::new(minor, Currency::USD).checked_share(part, whole).unwrap();
            assert_eq!(share.minor(), expect, "{minor} * {part} / {whole}");
        };
        check(1000, 1, 3, 333);
        check(1000, 2, 3, 667);
        check(5, 1, 2, 3);
        check(-5, 1, 2, -3);
        check(5, -1, 2, -3);
        check(4, 1, 2, 2);
        check(i64::MAX, i64::MAX, i64::MAX, i64::MAX);
        assert!(Money::new(1, Currency::USD).checked_share(1, 0).is_err());
        assert!(Money::new(i64::MAX, Currency::USD).checked_share(2, 1).is_err());
        assert_eq!(Money::new(30, Currency::DAY).to_string(), "30 days");
    }

    #[test]
    fn different_currencies_never_combine() {
        let error = Money::new(1, Currency::USD).checked_add(Money::new(1, Currency::EUR)).unwrap_err();
        assert_eq!(error, MoneyError::CurrencyMismatch { left: Currency::USD, right: Currency::EUR });
    }

    proptest! {
        #[test]
        fn addition_undoes_subtraction_or_overflows(a: i64, b: i64) {
            let (a, b) = (Money::new(a, Currency::USD), Money::new(b, Currency::USD));
            if let Ok(sum) = a.checked_add(b) {
                prop_assert_eq!(sum.checked_sub(b).map_err(|_| ()), if b.minor() == i64::MIN { Err(()) } else { Ok(a) });
            } else {
                prop_assert!(i128::from(a.minor()) + i128::from(b.minor()) != i128::from(a.minor().wrapping_add(b.minor())));
            }
        }

        #[test]
        fn major_text_round_trips(minor: i64) {
            let money = Money::new(minor, Currency::USD);
            prop_assert_eq!(Money::parse_major(&money.to_major().to_string(), Currency::USD), Ok(money));
        }
    }
}
