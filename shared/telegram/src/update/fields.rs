//! Functions that read parts of a JSON object. All of them treat an explicit null like a missing field.

use serde_json::Value;

/// Key of a required field of a money update that is missing or invalid.
pub(super) struct Missing(pub(super) &'static str);

pub(super) fn present<'a>(object: &'a Value, key: &str) -> Option<&'a Value> {
    object.get(key).filter(|value| !value.is_null())
}

pub(super) fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    present(object, key)?.as_str()
}

pub(super) fn owned(object: &Value, key: &str) -> Option<String> {
    text(object, key).map(str::to_owned)
}

pub(super) fn int(object: &Value, key: &str) -> Option<i64> {
    present(object, key)?.as_i64()
}

pub(super) fn flag(object: &Value, key: &str) -> bool {
    present(object, key).and_then(Value::as_bool).unwrap_or(false)
}

/// Reads a required text of a money update.
pub(super) fn needed(object: &Value, key: &'static str) -> Result<String, Missing> {
    owned(object, key).ok_or(Missing(key))
}
