//! Updates: what they set, remove, add and delete, and the resulting item.

use std::collections::BTreeSet;

use super::{
    Bindings, Bound, Path,
    token::{Cursor, Token},
};
use crate::tables::{
    error::{Refusal, invalid},
    key::KeySchema,
    value::{Attributes, Name, Value},
};

/// An update expression.
#[derive(Debug, Default)]
pub(crate) struct Update {
    sets: Vec<(Path, Term)>,
    removes: Vec<Path>,
    adds: Vec<(Path, usize)>,
    deletes: Vec<(Path, usize)>,
}

/// The right side of a `SET`.
#[derive(Debug)]
enum Term {
    Path(Path),
    Value(usize),
    IfNotExists(Path, Box<Term>),
    ListAppend(Box<Term>, Box<Term>),
    Plus(Box<Term>, Box<Term>),
    Minus(Box<Term>, Box<Term>),
}

const BAD_PATH: &str = "The document path provided in the update expression is invalid for update";
const BAD_OPERAND: &str = "An operand in the update expression has an incorrect data type";

pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Update, Refusal> {
    let mut update = Update::default();
    let mut seen: Vec<String> = Vec::new();
    while let Some(Token::Word(word)) = cursor.peek() {
        let section = word.to_ascii_uppercase();
        if !cursor.takes_keyword(word) || seen.contains(&section) {
            return invalid(format!(
                "Invalid UpdateExpression: The \"{section}\" section can only be used once in an update expression"
            ));
        }
        loop {
            match section.as_str() {
                "SET" => {
                    let path = cursor.path()?;
                    cursor.expect("=")?;
                    update.sets.push((path, sum(cursor)?));
                }
                "REMOVE" => update.removes.push(cursor.path()?),
                "ADD" => update.adds.push(path_and_value(cursor)?),
                "DELETE" => update.deletes.push(path_and_value(cursor)?),
                _ => {
                    return invalid(format!("Invalid UpdateExpression: Syntax error; token: {word:?}"));
                }
            }
            if !cursor.takes(",") {
                break;
            }
        }
        seen.push(section);
    }
    if seen.is_empty() { Err(cursor.unexpected()) } else { Ok(update) }
}

fn path_and_value(cursor: &mut Cursor<'_>) -> Result<(Path, usize), Refusal> {
    let path = cursor.path()?;
    cursor.value().map(|value| (path, value)).ok_or_else(|| cursor.unexpected())
}

fn sum(cursor: &mut Cursor<'_>) -> Result<Term, Refusal> {
    let left = term(cursor)?;
    if cursor.takes("+") {
        return Ok(Term::Plus(Box::new(left), Box::new(term(cursor)?)));
    }
    if cursor.takes("-") {
        return Ok(Term::Minus(Box::new(left), Box::new(term(cursor)?)));
    }
    Ok(left)
}

fn term(cursor: &mut Cursor<'_>) -> Result<Term, Refusal> {
    if let Some(value) = cursor.value() {
        return Ok(Term::Value(value));
    }
    if cursor.takes("(") {
        let inner = sum(cursor)?;
        cursor.expect(")")?;
        return Ok(inner);
    }
    let Some(name) = cursor.function() else { return Ok(Term::Path(cursor.path()?)) };
    let function = match name {
        "if_not_exists" => {
            let path = cursor.path()?;
            cursor.expect(",")?;
            Term::IfNotExists(path, Box::new(term(cursor)?))
        }
        "list_append" => {
            let first = term(cursor)?;
            cursor.expect(",")?;
            Term::ListAppend(Box::new(first), Box::new(term(cursor)?))
        }
        _ => return invalid(format!("Invalid UpdateExpression: Invalid function name; function: {name}")),
    };
    cursor.expect(")")?;
    Ok(function)
}

/// The value that is written at a path.
enum Write<'a> {
    Set(Value),
    Add(&'a Value),
    Delete(&'a Value),
}

impl Update {
    fn targets(&self) -> impl Iterator<Item = &Path> {
        let sets = self.sets.iter().map(|(path, _)| path);
        let others = self.adds.iter().chain(&self.deletes).map(|(path, _)| path);
        sets.chain(&self.removes).chain(others)
    }

    /// Refuses what is wrong for any item: paths that overlap, operands of an impossible type.
    pub(crate) fn check(&self, bindings: &Bindings<'_>) -> Result<(), Refusal> {
        let paths: Vec<_> = self.targets().map(|path| path.bind(bindings)).collect();
        for (n, one) in paths.iter().enumerate() {
            let meets = |other: &&Vec<Bound<'_>>| one.starts_with(other) || other.starts_with(one);
            if paths[n + 1..].iter().any(|other| meets(&other)) {
                return invalid("Invalid UpdateExpression: Two document paths overlap with each other");
            }
        }
        let addable =
            |value: &Value| matches!(value, Value::N(_) | Value::Ss(_) | Value::Ns(_) | Value::Bs(_));
        for (_, value) in self.adds.iter().chain(&self.deletes) {
            if !addable(bindings.values[*value]) {
                return invalid(
                    "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD or DELETE",
                );
            }
        }
        match self.deletes.iter().find(|(_, value)| matches!(bindings.values[*value], Value::N(_))) {
            Some(_) => invalid(
                "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: DELETE, operand type: N",
            ),
            None => self.sets.iter().try_for_each(|(_, term)| term.check(bindings)),
        }
    }

    /// Refuses an update of the item's key.
    pub(crate) fn check_key(&self, key: &KeySchema, bindings: &Bindings<'_>) -> Result<(), Refusal> {
        match self.targets().map(|path| path.top(bindings)).find(|name| key.has(name)) {
            Some(name) => invalid(format!(
                "One or more parameter values were invalid: Cannot update attribute {name}. This attribute is part of the key"
            )),
            None => Ok(()),
        }
    }

    /// The item after the update. All values are read from the item before the update.
    pub(crate) fn apply(&self, before: &Attributes, bindings: &Bindings<'_>) -> Result<Attributes, Refusal> {
        let mut writes = Vec::new();
        for (path, term) in &self.sets {
            writes.push((path.bind(bindings), Write::Set(term.value(before, bindings)?)));
        }
        for (path, value) in &self.adds {
            writes.push((path.bind(bindings), Write::Add(bindings.values[*value])));
        }
        for (path, value) in &self.deletes {
            writes.push((path.bind(bindings), Write::Delete(bindings.values[*value])));
        }
        // In the order of their paths: elements set after a list's end are then appended in that order.
        writes.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut item = before.clone();
        let mut removals = Vec::new();
        for (path, write) in writes {
            let value = match write {
                Write::Set(value) => Some(value),
                Write::Add(value) => Some(add(get(before, &path), value)?),
                Write::Delete(value) => {
                    check_parent(before, &path)?;
                    match get(before, &path) {
                        Some(set) => delete(set, value)?,
                        None => continue,
                    }
                }
            };
            match value {
                Some(value) => put(&mut item, &path, value)?,
                None => removals.push(path),
            }
        }
        for path in &self.removes {
            let path = path.bind(bindings);
            check_parent(before, &path)?;
            if get(before, &path).is_some() {
                removals.push(path);
            }
        }
        // From the end, so that no removal moves an element that another one names.
        removals.sort_by(|one, other| other.cmp(one));
        removals.iter().for_each(|path| remove(&mut item, path));
        Ok(item)
    }

    /// The part of an item that the update changes.
    pub(crate) fn touched(&self, item: &Attributes, bindings: &Bindings<'_>) -> Attributes {
        let mut part = Attributes::new();
        for path in self.targets().map(|path| path.bind(bindings)) {
            let attributes_only = path.iter().all(|step| matches!(step, Bound::Attribute(_)));
            // For a path through a list's index the whole attribute is returned: an element alone would lose its place.
            let path = if attributes_only { &path[..] } else { &path[..1] };
            if let Some(value) = get(item, path) {
                insert(&mut part, path, value.clone());
            }
        }
        part
    }
}

impl Term {
    fn check(&self, bindings: &Bindings<'_>) -> Result<(), Refusal> {
        let is = |term: &Self, fits: fn(&Value) -> bool| match term {
            Self::Value(value) => fits(bindings.values[*value]),
            Self::Plus(..)
            | Self::Minus(..)
            | Self::Path(_)
            | Self::IfNotExists(..)
            | Self::ListAppend(..) => true,
        };
        let (one, other, fit) = match self {
            Self::Path(_) | Self::Value(_) => return Ok(()),
            Self::IfNotExists(_, other) => return other.check(bindings),
            Self::ListAppend(one, other) => {
                (one, other, is(one, |v| matches!(v, Value::L(_))) && is(other, |v| matches!(v, Value::L(_))))
            }
            Self::Plus(one, other) | Self::Minus(one, other) => {
                (one, other, is(one, |v| matches!(v, Value::N(_))) && is(other, |v| matches!(v, Value::N(_))))
            }
        };
        if !fit {
            return invalid("Invalid UpdateExpression: Incorrect operand type for operator or function");
        }
        one.check(bindings)?;
        other.check(bindings)
    }

    fn value(&self, item: &Attributes, bindings: &Bindings<'_>) -> Result<Value, Refusal> {
        let number = |term: &Self| match term.value(item, bindings)? {
            Value::N(number) => Ok(number),
            _ => invalid(BAD_OPERAND),
        };
        Ok(match self {
            Self::Path(path) => match path.get(item, bindings) {
                Some(value) => value.clone(),
                None => {
                    return invalid(
                        "The provided expression refers to an attribute that does not exist in the item",
                    );
                }
            },
            Self::Value(value) => bindings.values[*value].clone(),
            Self::IfNotExists(path, other) => match path.get(item, bindings) {
                Some(value) => value.clone(),
                None => other.value(item, bindings)?,
            },
            Self::ListAppend(first, second) => {
                match (first.value(item, bindings)?, second.value(item, bindings)?) {
                    (Value::L(mut list), Value::L(more)) => {
                        list.extend(more);
                        Value::L(list)
                    }
                    _ => return invalid(BAD_OPERAND),
                }
            }
            Self::Plus(one, other) => Value::N(number(one)?.plus(number(other)?)?),
            Self::Minus(one, other) => Value::N(number(one)?.plus(number(other)?.negated())?),
        })
    }
}

fn add(existing: Option<&Value>, value: &Value) -> Result<Value, Refusal> {
    fn union<T: Ord + Clone>(one: &BTreeSet<T>, other: &BTreeSet<T>) -> BTreeSet<T> {
        one.union(other).cloned().collect()
    }
    Ok(match (existing, value) {
        (None, value) => value.clone(),
        (Some(Value::N(one)), Value::N(other)) => Value::N(one.plus(*other)?),
        (Some(Value::Ss(one)), Value::Ss(other)) => Value::Ss(union(one, other)),
        (Some(Value::Ns(one)), Value::Ns(other)) => Value::Ns(union(one, other)),
        (Some(Value::Bs(one)), Value::Bs(other)) => Value::Bs(union(one, other)),
        _ => return invalid(BAD_OPERAND),
    })
}

/// The remaining set; none when it is empty.
fn delete(existing: &Value, value: &Value) -> Result<Option<Value>, Refusal> {
    fn rest<T: Ord + Clone>(one: &BTreeSet<T>, other: &BTreeSet<T>) -> Option<BTreeSet<T>> {
        let rest: BTreeSet<T> = one.difference(other).cloned().collect();
        (!rest.is_empty()).then_some(rest)
    }
    Ok(match (existing, value) {
        (Value::Ss(one), Value::Ss(other)) => rest(one, other).map(Value::Ss),
        (Value::Ns(one), Value::Ns(other)) => rest(one, other).map(Value::Ns),
        (Value::Bs(one), Value::Bs(other)) => rest(one, other).map(Value::Bs),
        _ => return invalid(BAD_OPERAND),
    })
}

fn get<'i>(item: &'i Attributes, path: &[Bound<'_>]) -> Option<&'i Value> {
    let (Bound::Attribute(name), rest) = path.split_first()? else { return None };
    rest.iter().try_fold(item.get(*name)?, |value, step| match (step, value) {
        (Bound::Attribute(name), Value::M(map)) => map.get(*name),
        (Bound::Index(index), Value::L(list)) => list.get(*index),
        _ => None,
    })
}

fn get_mut<'i>(item: &'i mut Attributes, path: &[Bound<'_>]) -> Option<&'i mut Value> {
    let (Bound::Attribute(name), rest) = path.split_first()? else { return None };
    rest.iter().try_fold(item.get_mut(*name)?, |value, step| match (step, value) {
        (Bound::Attribute(name), Value::M(map)) => map.get_mut(*name),
        (Bound::Index(index), Value::L(list)) => list.get_mut(*index),
        _ => None,
    })
}

/// Refuses a path whose last step leads into something that is missing, or is not a map or list.
fn check_parent(item: &Attributes, path: &[Bound<'_>]) -> Result<(), Refusal> {
    match path {
        [] | [Bound::Index(_)] => invalid(BAD_PATH),
        [Bound::Attribute(_)] => Ok(()),
        [parents @ .., last] => match (get(item, parents), last) {
            (Some(Value::M(_)), Bound::Attribute(_)) | (Some(Value::L(_)), Bound::Index(_)) => Ok(()),
            _ => invalid(BAD_PATH),
        },
    }
}

/// Writes a value; after a list's end it is appended.
fn put(item: &mut Attributes, path: &[Bound<'_>], value: Value) -> Result<(), Refusal> {
    let Some((last, parents)) = path.split_last() else { return invalid(BAD_PATH) };
    match (parents, last) {
        ([], Bound::Attribute(name)) => {
            item.insert(Name::from(*name), value);
        }
        (parents, last) => match (get_mut(item, parents), last) {
            (Some(Value::M(map)), Bound::Attribute(name)) => {
                map.insert(Name::from(*name), value);
            }
            (Some(Value::L(list)), Bound::Index(index)) => match list.get_mut(*index) {
                Some(slot) => *slot = value,
                None => list.push(value),
            },
            _ => return invalid(BAD_PATH),
        },
    }
    Ok(())
}

fn remove(item: &mut Attributes, path: &[Bound<'_>]) {
    match path.split_last() {
        Some((Bound::Attribute(name), [])) => {
            item.remove(*name);
        }
        Some((last, parents)) => match (get_mut(item, parents), last) {
            (Some(Value::M(map)), Bound::Attribute(name)) => {
                map.remove(*name);
            }
            (Some(Value::L(list)), Bound::Index(index)) if *index < list.len() => {
                list.remove(*index);
            }
            _ => {}
        },
        None => {}
    }
}

/// Inserts a value with the maps on the way to it.
fn insert(into: &mut Attributes, path: &[Bound<'_>], value: Value) {
    match path {
        [Bound::Attribute(name)] => {
            into.insert(Name::from(*name), value);
        }
        [Bound::Attribute(name), rest @ ..] => {
            let map = into.entry(Name::from(*name)).or_insert_with(|| Value::M(Attributes::new()));
            if let Value::M(map) = map {
                insert(map, rest, value);
            }
        }
        _ => {}
    }
}
