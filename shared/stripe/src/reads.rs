//! The places of a payload that were read.

use std::cell::RefCell;

use serde_json::{Map, Value};

/// The places of a payload that its reader looked at, and what to keep of each.
#[derive(Debug, Default)]
pub(crate) struct Reads(RefCell<Vec<(String, Value)>>);

impl Reads {
    /// Notes a place. Of an object or a list only its existence is kept: what is read inside is noted by itself.
    pub(crate) fn note(&self, path: String, value: &Value) {
        let kept = match value {
            Value::Object(_) => Value::Object(Map::new()),
            Value::Array(_) => Value::Array(Vec::new()),
            plain => plain.clone(),
        };
        self.0.borrow_mut().push((path, kept));
    }

    /// Makes a payload of the places and nothing else.
    pub(crate) fn into_value(self) -> Value {
        let mut all = Value::Object(Map::new());
        for (path, kept) in self.0.into_inner() {
            let place = path.split('.').fold(&mut all, |value, step| child(value, step));
            if place.is_null() {
                *place = kept;
            }
        }
        all
    }
}

/// Returns the place that a step such as `lines` or `data[3]` leads to, which is made if it is missing.
fn child<'a>(value: &'a mut Value, step: &str) -> &'a mut Value {
    let (key, index) = match step.strip_suffix(']').and_then(|step| step.split_once('[')) {
        Some((key, index)) => (key, index.parse::<usize>().ok()),
        None => (step, None),
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let field = &mut value[key];
    let Some(index) = index else { return field };
    if !field.is_array() {
        *field = Value::Array(Vec::new());
    }
    if let Value::Array(list) = field
        && list.len() <= index
    {
        list.resize(index.saturating_add(1), Value::Null);
    }
    &mut field[index]
}
