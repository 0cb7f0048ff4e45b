//! Conditions: of writes, of filters, and of keys.

use super::{
    Path,
    token::{Cursor, Token},
};
use crate::tables::error::{Refusal, invalid};

/// A condition.
#[derive(Debug)]
pub(crate) enum Condition {
    Compare(Operand, Comparison, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Exists(Path),
    NotExists(Path),
    HasType(Path, Operand),
    BeginsWith(Operand, Operand),
    Contains(Operand, Operand),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
}

/// An operand of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Path(Path),
    Value(usize),
    Size(Path),
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Comparison {
    const ALL: [(&'static str, Self); 6] = [
        ("=", Self::Equal),
        ("<>", Self::Unequal),
        ("<", Self::Less),
        ("<=", Self::AtMost),
        (">", Self::Greater),
        (">=", Self::AtLeast),
    ];

    pub(super) fn sign(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, comparison)| *comparison == self).map_or("", |(sign, _)| sign)
    }
}

pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Condition, Refusal> {
    either(cursor, &mut None)
}

/// The span of the parentheses that were closed last: a second pair right around them is refused.
type Closed = Option<(usize, usize)>;

fn either(cursor: &mut Cursor<'_>, closed: &mut Closed) -> Result<Condition, Refusal> {
    let mut left = both(cursor, closed)?;
    while cursor.takes_keyword("OR") {
        left = Condition::Or(Box::new(left), Box::new(both(cursor, closed)?));
    }
    Ok(left)
}

fn both(cursor: &mut Cursor<'_>, closed: &mut Closed) -> Result<Condition, Refusal> {
    let mut left = negation(cursor, closed)?;
    while cursor.takes_keyword("AND") {
        left = Condition::And(Box::new(left), Box::new(negation(cursor, closed)?));
    }
    Ok(left)
}

fn negation(cursor: &mut Cursor<'_>, closed: &mut Closed) -> Result<Condition, Refusal> {
    if cursor.takes_keyword("NOT") {
        return Ok(Condition::Not(Box::new(negation(cursor, closed)?)));
    }
    let open = cursor.position();
    if !cursor.takes("(") {
        return simple(cursor);
    }
    let inner = either(cursor, closed)?;
    let close = cursor.position();
    cursor.expect(")")?;
    if *closed == Some((open + 1, close - 1)) {
        return invalid("Invalid expression: The expression has redundant parentheses");
    }
    *closed = Some((open, close));
    Ok(inner)
}

fn simple(cursor: &mut Cursor<'_>) -> Result<Condition, Refusal> {
    if !matches!(cursor.peek(), Some(Token::Word("size")))
        && let Some(name) = cursor.function()
    {
        let condition = function(cursor, name)?;
        cursor.expect(")")?;
        return Ok(condition);
    }
    let left = operand(cursor)?;
    for (sign, comparison) in Comparison::ALL {
        if cursor.takes(sign) {
            return Ok(Condition::Compare(left, comparison, operand(cursor)?));
        }
    }
    if cursor.takes_keyword("BETWEEN") {
        let low = operand(cursor)?;
        if !cursor.takes_keyword("AND") {
            return Err(cursor.unexpected());
        }
        return Ok(Condition::Between(left, low, operand(cursor)?));
    }
    if !cursor.takes_keyword("IN") {
        return Err(cursor.unexpected());
    }
    cursor.expect("(")?;
    let mut among = vec![operand(cursor)?];
    while cursor.takes(",") {
        among.push(operand(cursor)?);
    }
    cursor.expect(")")?;
    Ok(Condition::In(left, among))
}

fn function(cursor: &mut Cursor<'_>, name: &str) -> Result<Condition, Refusal> {
    Ok(match name {
        "attribute_exists" => Condition::Exists(cursor.path()?),
        "attribute_not_exists" => Condition::NotExists(cursor.path()?),
        "attribute_type" => {
            let path = cursor.path()?;
            cursor.expect(",")?;
            Condition::HasType(path, operand(cursor)?)
        }
        "begins_with" => {
            let text = operand(cursor)?;
            cursor.expect(",")?;
            Condition::BeginsWith(text, operand(cursor)?)
        }
        "contains" => {
            let whole = operand(cursor)?;
            cursor.expect(",")?;
            Condition::Contains(whole, operand(cursor)?)
        }
        _ => return invalid(format!("Invalid expression: Invalid function name; function: {name}")),
    })
}

fn operand(cursor: &mut Cursor<'_>) -> Result<Operand, Refusal> {
    if let Some(value) = cursor.value() {
        return Ok(Operand::Value(value));
    }
    match cursor.function() {
        Some("size") => {
            let path = cursor.path()?;
            cursor.expect(")")?;
            Ok(Operand::Size(path))
        }
        Some(name) => invalid(format!("Invalid expression: Invalid function name; function: {name}")),
        None => Ok(Operand::Path(cursor.path()?)),
    }
}
