//! Evaluation of conditions for items.

use std::borrow::Cow;

use super::{
    Bindings,
    condition::{Comparison, Condition, Operand},
};
use crate::tables::{
    error::{Refusal, invalid},
    key::KeySchema,
    number::Number,
    value::{Attributes, Value},
};

/// Names of types that `attribute_type` may ask for.
const TYPES: [&str; 10] = ["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"];

impl Condition {
    /// Returns whether the condition holds for the item. A missing item has no attributes.
    pub(crate) fn holds(&self, item: &Attributes, bindings: &Bindings<'_>) -> bool {
        let get = |operand: &Operand| operand.get(item, bindings);
        match self {
            Self::Compare(left, comparison, right) => match (get(left), get(right)) {
                (Some(left), Some(right)) => comparison.holds(&left, &right),
                // A missing attribute is unequal to everything, and neither less nor greater.
                _ => *comparison == Comparison::Unequal,
            },
            Self::Between(operand, low, high) => match (get(operand), get(low), get(high)) {
                (Some(value), Some(low), Some(high)) => {
                    Comparison::AtLeast.holds(&value, &low) && Comparison::AtMost.holds(&value, &high)
                }
                _ => false,
            },
            Self::In(operand, among) => {
                get(operand).is_some_and(|value| among.iter().filter_map(get).any(|other| *value == *other))
            }
            Self::Exists(path) => path.get(item, bindings).is_some(),
            Self::NotExists(path) => path.get(item, bindings).is_none(),
            Self::HasType(path, name) => match (path.get(item, bindings), get(name).as_deref()) {
                (Some(value), Some(Value::S(name))) => value.type_name() == name,
                _ => false,
            },
            Self::BeginsWith(text, prefix) => match (get(text).as_deref(), get(prefix).as_deref()) {
                (Some(Value::S(text)), Some(Value::S(prefix))) => text.starts_with(prefix.as_str()),
                (Some(Value::B(bytes)), Some(Value::B(prefix))) => bytes.starts_with(prefix),
                _ => false,
            },
            Self::Contains(whole, part) => match (get(whole), get(part)) {
                (Some(whole), Some(part)) => contains(&whole, &part),
                _ => false,
            },
            Self::And(left, right) => left.holds(item, bindings) && right.holds(item, bindings),
            Self::Or(left, right) => left.holds(item, bindings) || right.holds(item, bindings),
            Self::Not(inner) => !inner.holds(item, bindings),
        }
    }

    /// Refuses what is wrong for any item: bounds in the wrong order, operands of an impossible type.
    pub(crate) fn check(&self, bindings: &Bindings<'_>) -> Result<(), Refusal> {
        let value = |operand: &Operand| match operand {
            Operand::Value(value) => Some(bindings.values[*value]),
            _ => None,
        };
        match self {
            Self::Compare(left, comparison, right) => {
                let ordering = !matches!(comparison, Comparison::Equal | Comparison::Unequal);
                for operand in [left, right].into_iter().filter(|_| ordering) {
                    check_ordered(value(operand), comparison.sign())?;
                }
                Ok(())
            }
            Self::Between(operand, low, high) => {
                for operand in [operand, low, high] {
                    check_ordered(value(operand), "BETWEEN")?;
                }
                match (value(low), value(high)) {
                    (Some(low), Some(high)) if low.type_name() != high.type_name() => invalid(
                        "Invalid expression: The BETWEEN operator requires same data type for lower and upper bounds",
                    ),
                    (Some(low), Some(high)) if Comparison::Greater.holds(low, high) => invalid(
                        "Invalid expression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound",
                    ),
                    _ => Ok(()),
                }
            }
            Self::HasType(_, name) => match value(name) {
                Some(Value::S(name)) if TYPES.contains(&name.as_str()) => Ok(()),
                Some(Value::S(name)) => {
                    invalid(format!("Invalid expression: Invalid attribute type name found; type: {name}"))
                }
                _ => invalid("Invalid expression: attribute_type needs a value of type S"),
            },
            Self::BeginsWith(_, prefix) => match value(prefix) {
                None | Some(Value::S(_) | Value::B(_)) => Ok(()),
                Some(other) => wrong_type("begins_with", other),
            },
            Self::Contains(whole, part) if whole == part => invalid(
                "Invalid expression: The first operand must be distinct from the remaining operands for this operator or function; operator: contains",
            ),
            Self::And(left, right) | Self::Or(left, right) => {
                left.check(bindings)?;
                right.check(bindings)
            }
            Self::Not(inner) => inner.check(bindings),
            Self::In(..) | Self::Exists(_) | Self::NotExists(_) | Self::Contains(..) => Ok(()),
        }
    }

    /// Refuses a filter on an attribute of the key that the query uses.
    pub(crate) fn check_filter(&self, key: &KeySchema, bindings: &Bindings<'_>) -> Result<(), Refusal> {
        let check = |operand: &Operand| match operand {
            Operand::Path(path) | Operand::Size(path) => check_not_key(path.top(bindings), key),
            Operand::Value(_) => Ok(()),
        };
        match self {
            Self::Compare(left, _, right) | Self::BeginsWith(left, right) | Self::Contains(left, right) => {
                check(left)?;
                check(right)
            }
            Self::Between(operand, low, high) => [operand, low, high].into_iter().try_for_each(check),
            Self::In(operand, among) => std::iter::once(operand).chain(among).try_for_each(check),
            Self::Exists(path) | Self::NotExists(path) | Self::HasType(path, _) => {
                check_not_key(path.top(bindings), key)
            }
            Self::And(left, right) | Self::Or(left, right) => {
                left.check_filter(key, bindings)?;
                right.check_filter(key, bindings)
            }
            Self::Not(inner) => inner.check_filter(key, bindings),
        }
    }
}

fn check_not_key(name: &str, key: &KeySchema) -> Result<(), Refusal> {
    if key.has(name) {
        return invalid(format!(
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
        ));
    }
    Ok(())
}

fn check_ordered(value: Option<&Value>, operator: &str) -> Result<(), Refusal> {
    match value {
        None | Some(Value::S(_) | Value::N(_) | Value::B(_)) => Ok(()),
        Some(other) => wrong_type(operator, other),
    }
}

fn wrong_type(operator: &str, value: &Value) -> Result<(), Refusal> {
    invalid(format!(
        "Invalid expression: Incorrect operand type for operator or function; \
         operator or function: {operator}, operand type: {}",
        value.type_name()
    ))
}

impl Operand {
    fn get<'v>(&self, item: &'v Attributes, bindings: &Bindings<'v>) -> Option<Cow<'v, Value>> {
        match self {
            Self::Path(path) => path.get(item, bindings).map(Cow::Borrowed),
            Self::Value(value) => Some(Cow::Borrowed(bindings.values[*value])),
            Self::Size(path) => {
                let size = match path.get(item, bindings)? {
                    // Like the service, this counts UTF-16 units, not bytes.
                    Value::S(text) => text.encode_utf16().count(),
                    Value::B(bytes) => bytes.len(),
                    Value::Ss(set) => set.len(),
                    Value::Ns(set) => set.len(),
                    Value::Bs(set) => set.len(),
                    Value::L(list) => list.len(),
                    Value::M(map) => map.len(),
                    Value::N(_) | Value::Bool(_) | Value::Null => return None,
                };
                Some(Cow::Owned(Value::N(Number::from_count(size))))
            }
        }
    }
}

impl Comparison {
    /// Returns whether the comparison holds. Values of different types are unequal and have no order.
    pub(super) fn holds(self, left: &Value, right: &Value) -> bool {
        let order = match (left, right) {
            (Value::S(left), Value::S(right)) => Some(left.cmp(right)),
            (Value::N(left), Value::N(right)) => Some(left.cmp(right)),
            (Value::B(left), Value::B(right)) => Some(left.cmp(right)),
            _ => None,
        };
        match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::Less => order.is_some_and(|order| order.is_lt()),
            Self::AtMost => order.is_some_and(|order| order.is_le()),
            Self::Greater => order.is_some_and(|order| order.is_gt()),
            Self::AtLeast => order.is_some_and(|order| order.is_ge()),
        }
    }
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::S(text), Value::S(part)) => text.contains(part.as_str()),
        (Value::B(bytes), Value::B(part)) => {
            part.is_empty() || bytes.windows(part.len()).any(|window| window == part)
        }
        (Value::Ss(set), Value::S(member)) => set.contains(member.as_str()),
        (Value::Ns(set), Value::N(member)) => set.contains(member),
        (Value::Bs(set), Value::B(member)) => set.contains(member),
        (Value::L(list), member) => list.contains(member),
        _ => false,
    }
}
