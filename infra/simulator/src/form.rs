//! `application/x-www-form-urlencoded`, and Stripe's bracket syntax on top of it.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Deeper keys than this are kept whole: no client nests so deep, and the limit bounds the recursion.
const MAX_DEPTH: usize = 8;

/// The decoded pairs of a form body or a query string, in order.
pub(crate) fn pairs(encoded: &str) -> Vec<(String, String)> {
    encoded
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(key), decode(value))
        })
        .collect()
}

/// The pairs as one flat JSON object of strings.
pub(crate) fn flat(encoded: &str) -> Map<String, Value> {
    pairs(encoded).into_iter().map(|(key, value)| (key, Value::String(value))).collect()
}

/// The pairs as nested JSON: `metadata[a]=b` is `{"metadata":{"a":"b"}}`, `expand[]=x` and `expand[0]=x` are
/// lists. Leaves stay strings, as they travelled.
pub(crate) fn nested(encoded: &str) -> Value {
    let mut root = Value::Object(Map::new());
    for (key, value) in pairs(encoded).into_iter().filter(|(key, _)| !key.is_empty()) {
        insert(&mut root, &segments(&key), value);
    }
    listify(&mut root);
    root
}

fn decode(part: &str) -> String {
    percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn segments(key: &str) -> Vec<String> {
    let Some((head, rest)) = key.split_once('[') else { return vec![key.to_owned()] };
    let Some(inner) = rest.strip_suffix(']') else { return vec![key.to_owned()] };
    let mut path = vec![head.to_owned()];
    path.extend(inner.split("][").map(str::to_owned));
    if head.is_empty() || path.len() > MAX_DEPTH { vec![key.to_owned()] } else { path }
}

fn insert(slot: &mut Value, path: &[String], value: String) {
    let Some((head, rest)) = path.split_first() else {
        *slot = Value::String(value);
        return;
    };
    if head.is_empty() {
        if !slot.is_array() {
            *slot = Value::Array(Vec::new());
        }
        if let Value::Array(items) = slot {
            let mut item = Value::Null;
            insert(&mut item, rest, value);
            items.push(item);
        }
        return;
    }
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    if let Value::Object(fields) = slot {
        insert(fields.entry(head.clone()).or_insert(Value::Null), rest, value);
    }
}

/// Turns `{"0":..,"1":..}` into a list. Metadata is left alone: there, digits are ordinary names.
fn listify(value: &mut Value) {
    let Value::Object(fields) = value else { return };
    for (name, field) in fields.iter_mut() {
        if name != "metadata" {
            listify(field);
        }
    }
    let mut indexes: Vec<usize> = fields.keys().filter_map(|key| key.parse().ok()).collect();
    if fields.is_empty() || indexes.len() != fields.len() {
        return;
    }
    indexes.sort_unstable();
    let items = indexes.iter().filter_map(|index| fields.remove(&index.to_string())).collect();
    *value = Value::Array(items);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn brackets_nest() {
        let check = |form: &str, expected: Value| assert_eq!(nested(form), expected, "{form}");
        check("", json!({}));
        check("amount=-1000&currency=usd", json!({"amount": "-1000", "currency": "usd"}));
        check("description=a+b%20c%26", json!({"description": "a b c&"}));
        check(
            "metadata[commission]=c1&metadata%5B7%5D=x",
            json!({"metadata": {"commission": "c1", "7": "x"}}),
        );
        check("expand[]=a&expand[]=b", json!({"expand": ["a", "b"]}));
        check(
            "items[0][price]=p&items[1][price]=q&expand[0]=z",
            json!({"items": [{"price": "p"}, {"price": "q"}], "expand": ["z"]}),
        );
        check("a[b=1&c]=2&=3", json!({"a[b": "1", "c]": "2"}));
        check("[]=1&[x]=2", json!({"[]": "1", "[x]": "2"}));
        check("a[b]=1&a=2", json!({"a": "2"}));
    }
}
