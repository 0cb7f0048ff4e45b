//! Reading parts of a JSON object. To all of these an explicit null is the same as nothing.

use serde_json::Value;

/// The key of the part that money needs and that is not there or cannot be used.
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

/// A text that money needs.
pub(super) fn needed(object: &Value, key: &'static str) -> Result<String, Missing> {
    owned(object, key).ok_or(Missing(key))
}
