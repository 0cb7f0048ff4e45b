//! One spelling for each body: the same input, formatted in another way, is the same call.

use std::{borrow::Cow, collections::BTreeMap};

use rust_decimal::Decimal;
use serde_json::value::RawValue;

/// Levels that are looked into; what lies deeper counts as it is spelled.
const MOST_LEVELS: u32 = 16;

/// A body without what does not matter: white space, the order of fields, escapes, a number's last zeros. What is no
/// JSON stays as it is. Numbers are read from their text and pass through no float.
pub(crate) fn canonical(body: &[u8]) -> Cow<'_, [u8]> {
    match serde_json::from_slice::<&RawValue>(body) {
        Ok(value) => {
            let mut text = String::with_capacity(body.len());
            write(value.get(), MOST_LEVELS, &mut text);
            Cow::Owned(text.into_bytes())
        }
        Err(_) => Cow::Borrowed(body),
    }
}

fn write(raw: &str, levels: u32, out: &mut String) {
    let inside = levels.checked_sub(1);
    match (raw.as_bytes().first(), inside) {
        (Some(b'{'), Some(inside)) => match serde_json::from_str::<BTreeMap<String, &RawValue>>(raw) {
            Ok(fields) => {
                out.push('{');
                for (name, value) in fields {
                    out.push_str(&serde_json::Value::from(name).to_string());
                    out.push(':');
                    write(value.get(), inside, out);
                    out.push(',');
                }
                out.push('}');
            }
            Err(_) => out.push_str(raw),
        },
        (Some(b'['), Some(inside)) => match serde_json::from_str::<Vec<&RawValue>>(raw) {
            Ok(items) => {
                out.push('[');
                for item in items {
                    write(item.get(), inside, out);
                    out.push(',');
                }
                out.push(']');
            }
            Err(_) => out.push_str(raw),
        },
        (Some(b'"'), _) => match serde_json::from_str::<String>(raw) {
            Ok(text) => out.push_str(&serde_json::Value::from(text).to_string()),
            Err(_) => out.push_str(raw),
        },
        _ => match Decimal::from_str_exact(raw) {
            Ok(number) => out.push_str(&number.normalize().to_string()),
            Err(_) => out.push_str(raw),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(left: &str, right: &str, same: bool) {
        assert_eq!(canonical(left.as_bytes()) == canonical(right.as_bytes()), same, "{left} {right}");
    }

    #[test]
    fn formatting_does_not_matter_and_content_does() {
        for (left, right) in [
            (r#"{"a":1,"b":[true,null]}"#, " {\n\"b\" : [ true, null ], \"a\": 1 }\n"),
            (r#"{"amount":10.00}"#, r#"{"amount":10}"#),
            (r#"{"a":{"x":1,"y":2}}"#, r#"{"a":{"y":2,"x":1}}"#),
            (r#""caf\u00e9""#, "\"caf\u{e9}\""),
            ("", ""),
            ("no json", "no json"),
        ] {
            check(left, right, true);
        }
        for (left, right) in [
            (r#"{"a":1}"#, r#"{"a":2}"#),
            (r#"{"a":1}"#, r#"{"a":"1"}"#),
            (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#),
            (r#"{"a":12345678901234567.88}"#, r#"{"a":12345678901234567.89}"#),
            (r#"["a","b"]"#, r#"["a,b"]"#),
            (r#"{"a":{},"b":1}"#, r#"{"a":{"b":1}}"#),
            ("no json", "no  json"),
            ("", "{}"),
        ] {
            check(left, right, false);
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(8000) + &"]".repeat(8000);
        check(&deep, &deep, true);
    }
}
