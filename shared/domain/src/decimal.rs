//! Decimal numbers as texts. A number in JSON passes through a binary fraction on its way, so it is not accepted.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Writes the number as a text.
///
/// # Errors
/// Those of the writer.
pub fn serialize<S: Serializer>(number: &Decimal, writer: S) -> Result<S::Ok, S::Error> {
    writer.collect_str(number)
}

/// Reads a text of digits, with at most one point and a sign: `30`, `1.085`.
///
/// # Errors
/// Says what is expected.
pub fn deserialize<'de, D: Deserializer<'de>>(reader: D) -> Result<Decimal, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Whole(i32),
        Text(String),
    }
    let expected = || D::Error::custom("a decimal number is written as a text, such as \"1.085\"");
    match Written::deserialize(reader).map_err(|_| expected())? {
        Written::Whole(whole) => Ok(Decimal::from(whole)),
        Written::Text(text) => read(&text).ok_or_else(expected),
    }
}

fn read(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits.len() <= 30;
    if is_plain { Decimal::from_str_exact(text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Percent(#[serde(with = "super")] Decimal);

    #[test]
    fn a_text_is_read_exactly_and_a_fraction_in_json_is_refused() {
        for (json, number) in
            [(r#""30""#, "30"), (r#""1.085""#, "1.085"), (r#""-0.5""#, "-0.5"), ("30", "30")]
        {
            let read: Percent = serde_json::from_str(json).unwrap();
            assert_eq!(read.0.to_string(), number);
        }
        for json in
            [r#""5_0""#, "0.1", "1e3", r#""1e3""#, r#""""#, r#"".""#, r#""+1""#, r#"" 1""#, "7.9e28", "true"]
        {
            assert!(serde_json::from_str::<Percent>(json).is_err(), "{json}");
        }
    }
}
