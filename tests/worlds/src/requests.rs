//! Keys and writes of a request in the JSON protocol.

use serde_json::Value;

/// The table.
pub const TABLE: &str = "simulated";

/// An item's key.
pub type ItemKey = (String, String);

/// The key of an item.
pub fn key_of(item: &Value) -> Option<ItemKey> {
    let part = |name: &str| item[name]["S"].as_str().map(str::to_owned);
    Some((part("pk")?, part("sk")?))
}

/// The writes of a request, each with its kind: `Put`, `Update`, `Delete` or `ConditionCheck`.
pub fn writes_of<'a>(operation: &'a str, request: &'a Value) -> Vec<(&'a str, &'a Value)> {
    if operation == "TransactWriteItems" {
        let items = request["TransactItems"].as_array().into_iter().flatten();
        return items
            .filter_map(|item| item.as_object()?.iter().next())
            .map(|(k, v)| (k.as_str(), v))
            .collect();
    }
    vec![(operation.trim_end_matches("Item"), request)]
}

/// The key that a write is for.
pub fn written_key(kind: &str, write: &Value) -> Option<ItemKey> {
    key_of(if kind == "Put" { &write["Item"] } else { &write["Key"] })
}
