//! DynamoDB's numbers: 38 significant decimal digits, exact, in one canonical form.

use std::{cmp::Ordering, fmt};

use super::error::Refusal;

/// Largest number of significant digits.
const DIGITS: u32 = 38;
/// A number is `0.d1d2... * 10^p`; these are the greatest and the least `p` (9.9...E+125 and 1E-130).
const MOST: i32 = 126;
const LEAST: i32 = -129;
/// Bytes of a number in the form that is compared, and its first byte.
const ORDERED: usize = 18;
const ZERO: u8 = 0x80;
const POSITIVE: u8 = 0xC0;

/// `digits * 10^exponent`, negated if `negative`. It has no trailing zeros, so equal numbers have equal fields. The
/// struct is packed; otherwise each value of an item would be half as large again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(Rust, packed(8))]
pub(crate) struct Number {
    negative: bool,
    digits: u128,
    exponent: i32,
}

impl Number {
    /// Reads `-1.50e3`.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let not_a_number =
            || Refusal::Validation(format!("The parameter cannot be converted to a numeric value: {text}"));
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (coefficient, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((coefficient, exponent)) => (coefficient, exponent.parse().map_err(|_| not_a_number())?),
            None => (unsigned, 0_i32),
        };
        let (mut digits, mut count, mut zeros, mut fraction, mut seen) = (0_u128, 0, 0_u32, None, false);
        for byte in coefficient.bytes() {
            match byte {
                b'.' if fraction.is_none() => fraction = Some(0_i32),
                b'0'..=b'9' => {
                    seen = true;
                    fraction = fraction.map(|n| n + 1);
                    match (byte, digits) {
                        (b'0', 0) => {}
                        (b'0', _) => zeros += 1,
                        _ => {
                            count += if digits == 0 { 1 } else { zeros + 1 };
                            if count > DIGITS {
                                return Err(too_precise());
                            }
                            digits = digits * 10_u128.pow(zeros + 1) + u128::from(byte - b'0');
                            zeros = 0;
                        }
                    }
                }
                _ => return Err(not_a_number()),
            }
        }
        if !seen {
            return Err(not_a_number());
        }
        let zeros = i32::try_from(zeros).unwrap_or(i32::MAX);
        Self::checked(negative, digits, exponent.saturating_sub(fraction.unwrap_or(0)).saturating_add(zeros))
    }

    /// Strips trailing zeros and checks the range.
    fn checked(negative: bool, mut digits: u128, mut exponent: i32) -> Result<Self, Refusal> {
        if digits == 0 {
            return Ok(Self::default());
        }
        while digits.is_multiple_of(10) {
            digits /= 10;
            exponent = exponent.saturating_add(1);
        }
        let number = Self { negative, digits, exponent };
        if number.count() > DIGITS {
            return Err(too_precise());
        }
        let beyond = |word, size| {
            let text = format!(
                "Number {word}. Attempting to store a number with magnitude {size} than supported range"
            );
            Err(Refusal::Validation(text))
        };
        match number.point() {
            point if point > MOST => beyond("overflow", "larger"),
            point if point < LEAST => beyond("underflow", "smaller"),
            _ => Ok(number),
        }
    }

    pub(crate) fn from_count(count: usize) -> Self {
        let digits = u128::try_from(count).unwrap_or(u128::MAX);
        Self::checked(false, digits, 0).unwrap_or_default()
    }

    /// The number of significant digits.
    fn count(&self) -> u32 {
        self.digits.checked_ilog10().map_or(0, |log| log + 1)
    }

    /// Position of the decimal point: the digits before it, negative for leading zeros after it.
    fn point(&self) -> i32 {
        self.exponent.saturating_add(self.count().cast_signed())
    }

    /// The sum, or a refusal when it needs more digits than a number may have.
    pub(crate) fn plus(self, other: Self) -> Result<Self, Refusal> {
        if self.digits == 0 || other.digits == 0 {
            return Ok(if self.digits == 0 { other } else { self });
        }
        let exponent = self.exponent.min(other.exponent);
        // A sum that does not fit into 128 bits has more than 38 significant digits.
        let aligned = |number: Self| {
            let shift = number.exponent.abs_diff(exponent);
            10_u128.checked_pow(shift).and_then(|factor| number.digits.checked_mul(factor))
        };
        let (one, two) = aligned(self).zip(aligned(other)).ok_or_else(too_precise)?;
        if self.negative == other.negative {
            return Self::checked(self.negative, one.checked_add(two).ok_or_else(too_precise)?, exponent);
        }
        Self::checked(if one > two { self.negative } else { other.negative }, one.abs_diff(two), exponent)
    }

    pub(crate) fn negated(self) -> Self {
        Self { negative: !self.negative && self.digits != 0, ..self }
    }

    /// Bytes that compare as the numbers do: the sign, the place of the decimal point, and all 38 digits; of a negative
    /// number all of them are inverted.
    pub(crate) fn ordered(&self) -> [u8; ORDERED] {
        let mut bytes = [0; ORDERED];
        if self.digits == 0 {
            bytes[0] = ZERO;
            return bytes;
        }
        bytes[0] = POSITIVE;
        bytes[1] = u8::try_from(self.point() - LEAST).unwrap_or(u8::MAX);
        let digits = self.digits * 10_u128.pow(DIGITS - self.count());
        bytes[2..].copy_from_slice(&digits.to_be_bytes());
        if self.negative { bytes.map(|byte| !byte) } else { bytes }
    }

    /// The number of these bytes; none if there is none.
    pub(crate) fn from_ordered(bytes: &[u8; ORDERED]) -> Option<Self> {
        let (negative, bytes) = match bytes[0] {
            ZERO => return (bytes[1..] == [0; ORDERED - 1]).then(Self::default),
            POSITIVE => (false, *bytes),
            _ => (true, bytes.map(|byte| !byte)),
        };
        let (head, digits) = bytes.split_last_chunk::<16>()?;
        if head[0] != POSITIVE {
            return None;
        }
        let exponent = i32::from(head[1]) + LEAST - DIGITS.cast_signed();
        Self::checked(negative, u128::from_be_bytes(*digits), exponent).ok()
    }

    /// Bytes that count for an item's size.
    pub(crate) fn size(&self) -> usize {
        let count = self.count();
        let before = self.point().clamp(0, count.cast_signed()).unsigned_abs();
        let bytes = before.div_ceil(2) + (count - before).div_ceil(2) + 1 + u32::from(self.negative);
        bytes as usize
    }

    /// Whole seconds, for a point in time; none when it is out of an `i64`'s range.
    pub(crate) fn whole(&self) -> Option<i64> {
        let digits = i64::try_from(self.digits).ok()?;
        let factor = 10_i64.checked_pow(self.exponent.unsigned_abs());
        let size = match (self.exponent < 0, factor) {
            (false, factor) => digits.checked_mul(factor?)?,
            (true, factor) => factor.map_or(0, |factor| digits / factor),
        };
        Some(if self.negative { -size } else { size })
    }
}

fn too_precise() -> Refusal {
    Refusal::Validation("Attempting to store more than 38 significant digits in a Number".to_owned())
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits, number.negative) {
            (0, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        };
        let signs = sign(self).cmp(&sign(other));
        if signs != Ordering::Equal {
            return signs;
        }
        let aligned = |number: &Self| number.digits * 10_u128.pow(DIGITS - number.count());
        let sizes = self.point().cmp(&other.point()).then_with(|| aligned(self).cmp(&aligned(other)));
        if self.negative { sizes.reverse() } else { sizes }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        let digits = { self.digits }.to_string();
        let point = self.point();
        match usize::try_from(point) {
            Ok(point) if self.exponent >= 0 => write!(f, "{digits:0<point$}"),
            Ok(point) if point > 0 => {
                let (whole, fraction) = digits.split_at(point);
                write!(f, "{whole}.{fraction}")
            }
            _ => write!(f, "0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn a_number_has_one_form() {
        let check = |text: &str, expect: &str| assert_eq!(number(text).to_string(), expect, "{text}");
        check("0", "0");
        check("-0.00", "0");
        check("0042", "42");
        check("1.200", "1.2");
        check("-7", "-7");
        check("+.5", "0.5");
        check("5.", "5");
        check("100", "100");
        check("1e3", "1000");
        check("1.5E-3", "0.0015");
        check("10.01", "10.01");
        check("12345678901234567890123456789012345678", "12345678901234567890123456789012345678");
        check("1E125", &format!("1{}", "0".repeat(125)));
        check("1e-130", &format!("0.{}1", "0".repeat(129)));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", ".", "1e", "e5", "1.2.3", "++5", " 5", "1_0", "NaN", "1e126", "1e-131"] {
            assert!(Number::parse(text).is_err(), "{text}");
        }
        assert!(Number::parse(&"1".repeat(39)).is_err());
        assert!(Number::parse(&format!("1{}1", "0".repeat(37))).is_err());
        assert!(Number::parse(&format!("1{}", "0".repeat(60))).is_ok());
    }

    #[test]
    fn numbers_are_ordered_by_their_value() {
        let ascending =
            ["-1e100", "-12", "-1.5", "-1e-9", "0", "1e-130", "0.9", "1", "9", "10", "10.5", "1e2"];
        for (place, one) in ascending.iter().enumerate() {
            for (other_place, other) in ascending.iter().enumerate() {
                assert_eq!(number(one).cmp(&number(other)), place.cmp(&other_place), "{one} {other}");
            }
        }
        let long = "99999999999999999999999999999999999999";
        assert!(number(long) > number("99999999999999999999999999999999999998"));
    }

    #[test]
    fn sums_are_exact_or_refused() {
        let check = |one: &str, two: &str, expect: &str| {
            assert_eq!(number(one).plus(number(two)).unwrap().to_string(), expect, "{one} {two}");
        };
        check("1", "-1", "0");
        check("0.1", "0.2", "0.3");
        check("5", "-7.5", "-2.5");
        check("1e38", "-1", "99999999999999999999999999999999999999");
        check("99999999999999999999999999999999999995", "5", &format!("1{}", "0".repeat(38)));
        check(
            &format!("9{}", "0".repeat(37)),
            &format!("9{}", "0".repeat(37)),
            &format!("18{}", "0".repeat(37)),
        );
        assert!(number("1e38").plus(number("1")).is_err());
        assert!(number("1e100").plus(number("1")).is_err());
        assert!(number("9e125").plus(number("9e125")).is_err());
    }

    #[test]
    fn sizes_follow_the_digits() {
        for (text, expect) in [("0", 1), ("42", 2), ("-42", 3), ("1000", 2), ("1.5", 3), ("123456", 4)] {
            assert_eq!(number(text).size(), expect, "{text}");
        }
        assert_eq!(number("1795253400.9").whole(), Some(1_795_253_400));
    }
}
