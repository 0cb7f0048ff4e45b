//! Key conditions: the part of a partition that a query reads.

use std::ops::Bound;

use super::{
    Bindings, Parsed,
    condition::{Comparison, Condition, Operand},
};
use crate::tables::{
    error::{Refusal, invalid},
    key::{Key, KeyAttribute, KeySchema, Place, Tail},
};

/// One partition and the places in it from and up to which a query reads.
#[derive(Debug)]
pub(crate) struct KeyRange {
    pub(crate) hash: Key,
    pub(crate) from: Bound<Place>,
    pub(crate) to: Bound<Place>,
}

impl KeyRange {
    /// Returns whether it ends before it begins, which an impossible condition can cause.
    pub(crate) fn is_crossed(&self) -> bool {
        match (&self.from, &self.to) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(from), Bound::Included(to)) => from > to,
            (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => {
                from >= to
            }
        }
    }
}

impl Parsed<Condition> {
    /// Reads the condition as one on the key's attributes.
    pub(crate) fn key_range(&self, schema: &KeySchema, bindings: &Bindings<'_>) -> Result<KeyRange, Refusal> {
        let mut parts = Vec::new();
        flatten(&self.tree, &mut parts)?;
        let on = |condition: &Condition, attribute: &KeyAttribute| {
            subject(condition, bindings).is_some_and(|name| name == attribute.name)
        };
        let Some(hash) = parts.iter().position(|part| on(part, &schema.hash)).map(|n| parts.remove(n)) else {
            return invalid(format!("Query condition missed key schema element: {}", schema.hash.name));
        };
        let Condition::Compare(_, Comparison::Equal, hash) = hash else {
            return invalid("Query key condition not supported");
        };
        let hash = key(hash, &schema.hash, bindings)?;
        let whole = (Bound::Unbounded, Bound::Unbounded);
        let (from, to) = match (parts.as_slice(), &schema.range) {
            ([], _) => whole,
            ([part], Some(range)) if on(part, range) => span(part, range, bindings)?,
            _ => return invalid("Query key condition not supported"),
        };
        Ok(KeyRange { hash, from, to })
    }
}

fn flatten<'a>(condition: &'a Condition, parts: &mut Vec<&'a Condition>) -> Result<(), Refusal> {
    match condition {
        Condition::And(left, right) => {
            flatten(left, parts)?;
            flatten(right, parts)
        }
        Condition::Compare(..) | Condition::Between(..) | Condition::BeginsWith(..) => {
            parts.push(condition);
            Ok(())
        }
        _ => invalid("Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression"),
    }
}

/// The attribute that a condition is on.
fn subject<'a>(condition: &'a Condition, bindings: &Bindings<'a>) -> Option<&'a str> {
    let (Condition::Compare(Operand::Path(path), ..)
    | Condition::Between(Operand::Path(path), ..)
    | Condition::BeginsWith(Operand::Path(path), _)) = condition
    else {
        return None;
    };
    (path.0.len() == 1).then(|| path.top(bindings))
}

fn key(operand: &Operand, attribute: &KeyAttribute, bindings: &Bindings<'_>) -> Result<Key, Refusal> {
    let Operand::Value(value) = operand else {
        return invalid("Invalid KeyConditionExpression: a key is compared with a value");
    };
    match Key::of(bindings.values[*value], attribute.kind) {
        Some(Key::S(text)) if text.is_empty() => empty(&attribute.name),
        Some(key) => Ok(key),
        None => invalid(
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
    }
}

fn empty<T>(name: &str) -> Result<T, Refusal> {
    invalid(format!(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain \
         an empty string value. Key: {name}"
    ))
}

type Span = (Bound<Place>, Bound<Place>);

fn span(condition: &Condition, range: &KeyAttribute, bindings: &Bindings<'_>) -> Result<Span, Refusal> {
    let before = |key: Key| Place { range: Some(key), tail: Tail::Least };
    let behind = |key: Key| Place { range: Some(key), tail: Tail::Greatest };
    Ok(match condition {
        Condition::Compare(_, comparison, operand) => {
            let key = key(operand, range, bindings)?;
            match comparison {
                Comparison::Equal => (Bound::Included(before(key.clone())), Bound::Included(behind(key))),
                Comparison::Less => (Bound::Unbounded, Bound::Excluded(before(key))),
                Comparison::AtMost => (Bound::Unbounded, Bound::Included(behind(key))),
                Comparison::Greater => (Bound::Excluded(behind(key)), Bound::Unbounded),
                Comparison::AtLeast => (Bound::Included(before(key)), Bound::Unbounded),
                Comparison::Unequal => {
                    return invalid("Unsupported operator in KeyConditionExpression: operator: <>");
                }
            }
        }
        Condition::Between(_, low, high) => {
            let (low, high) = (key(low, range, bindings)?, key(high, range, bindings)?);
            (Bound::Included(before(low)), Bound::Included(behind(high)))
        }
        Condition::BeginsWith(_, prefix) => {
            let prefix = key(prefix, range, bindings)?;
            let end = successor(&prefix).map_or(Bound::Unbounded, |end| Bound::Excluded(before(end)));
            if matches!(prefix, Key::N(_)) {
                return invalid("Invalid KeyConditionExpression: begins_with needs a key of type S or B");
            }
            (Bound::Included(before(prefix)), end)
        }
        _ => return invalid("Query key condition not supported"),
    })
}

/// The least key after all those that begin with `prefix`.
fn successor(prefix: &Key) -> Option<Key> {
    match prefix {
        Key::S(prefix) => {
            let mut text = prefix.to_string();
            while let Some(last) = text.pop() {
                if let Some(next) = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32) {
                    text.push(next);
                    return Some(Key::S(text.into()));
                }
            }
            None
        }
        Key::B(prefix) => {
            let mut bytes = prefix.clone();
            while let Some(last) = bytes.pop() {
                if let Some(next) = last.checked_add(1) {
                    bytes.push(next);
                    return Some(Key::B(bytes));
                }
            }
            None
        }
        Key::N(_) => None,
    }
}
