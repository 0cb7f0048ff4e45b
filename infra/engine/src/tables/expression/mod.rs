//! The expression language: text to a tree, once per text, and the tree against an item.
//!
//! A tree refers to `#names` and `:values` by their position in [`Parsed`]; [`Bindings`] are those of one
//! request.
mod condition;
mod evaluate;
mod key_condition;
mod token;
mod update;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    error::{Refusal, invalid},
    value::{Attributes, Value},
};

pub(crate) use condition::Condition;
pub(crate) use key_condition::KeyRange;
pub(crate) use update::Update;

/// Largest expression, in bytes.
const MAX_BYTES: usize = 4096;
/// Largest number of cached texts. A program is not expected to use more; if it does, the cache is emptied.
const REMEMBERED: usize = 2048;

/// `ExpressionAttributeNames` and `ExpressionAttributeValues` of a request.
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Placeholders {
    pub(crate) names: BTreeMap<String, String>,
    pub(crate) values: Attributes,
}

/// A parsed expression and the placeholders it uses.
#[derive(Debug)]
pub(crate) struct Parsed<T> {
    pub(crate) tree: T,
    used: Used,
}

/// Placeholders in the order in which an expression first names them.
#[derive(Debug, Default)]
struct Used {
    names: Vec<String>,
    values: Vec<String>,
}

/// The values of an expression's placeholders in one request.
#[derive(Debug, Default)]
pub(crate) struct Bindings<'a> {
    names: Vec<&'a str>,
    values: Vec<&'a Value>,
}

/// A document path, `a.#b[3]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// An attribute by its own name.
    Attribute(String),
    /// An attribute by a placeholder.
    Name(usize),
    /// A list's element.
    Index(usize),
}

/// A step whose name is resolved. An update writes in the order of these steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bound<'a> {
    Attribute(&'a str),
    Index(usize),
}

impl Path {
    fn bind<'a>(&'a self, bindings: &Bindings<'a>) -> Vec<Bound<'a>> {
        let bind = |step: &'a Step| match step {
            Step::Attribute(name) => Bound::Attribute(name),
            Step::Name(name) => Bound::Attribute(bindings.names[*name]),
            Step::Index(index) => Bound::Index(*index),
        };
        self.0.iter().map(bind).collect()
    }

    /// The attribute of the item that the path begins with.
    fn top<'a>(&'a self, bindings: &Bindings<'a>) -> &'a str {
        match &self.0[0] {
            Step::Attribute(name) => name,
            Step::Name(name) => bindings.names[*name],
            Step::Index(_) => "",
        }
    }

    /// The value at the path, if the item has one.
    fn get<'i>(&self, item: &'i Attributes, bindings: &Bindings<'_>) -> Option<&'i Value> {
        let (first, rest) = self.0.split_first()?;
        let mut value = match first {
            Step::Attribute(name) => item.get(name.as_str())?,
            Step::Name(name) => item.get(bindings.names[*name])?,
            Step::Index(_) => return None,
        };
        for step in rest {
            value = match (step, value) {
                (Step::Attribute(name), Value::M(map)) => map.get(name.as_str())?,
                (Step::Name(name), Value::M(map)) => map.get(bindings.names[*name])?,
                (Step::Index(index), Value::L(list)) => list.get(*index)?,
                _ => return None,
            };
        }
        Some(value)
    }
}

impl<T> Parsed<T> {
    /// Resolves the placeholders; refused when one is not defined.
    pub(crate) fn bind<'a>(&self, placeholders: &'a Placeholders) -> Result<Bindings<'a>, Refusal> {
        let undefined = |kind: &str, name: &str| {
            let message = format!("An expression attribute {kind} used in expression is not defined");
            Refusal::Validation(format!("Invalid expression: {message}; attribute {kind}: {name}"))
        };
        let name = |name: &String| {
            placeholders.names.get(name).map(String::as_str).ok_or_else(|| undefined("name", name))
        };
        let value =
            |name: &String| placeholders.values.get(name.as_str()).ok_or_else(|| undefined("value", name));
        Ok(Bindings {
            names: self.used.names.iter().map(name).collect::<Result<_, _>>()?,
            values: self.used.values.iter().map(value).collect::<Result<_, _>>()?,
        })
    }
}

impl Placeholders {
    /// Refuses placeholders that none of a request's expressions uses.
    pub(crate) fn check_used(&self, expressions: &[&dyn Uses]) -> Result<(), Refusal> {
        let without_expression = expressions.is_empty();
        let unused = |what: &str, name: &str| {
            if without_expression {
                return invalid(format!("{what} can only be specified when using expressions"));
            }
            invalid(format!("Value provided in {what} unused in expressions: keys: {{{name}}}"))
        };
        if let Some(name) = self.names.keys().find(|name| !expressions.iter().any(|e| e.uses_name(name))) {
            return unused("ExpressionAttributeNames", name);
        }
        if let Some(name) = self.values.keys().find(|name| !expressions.iter().any(|e| e.uses_value(name))) {
            return unused("ExpressionAttributeValues", name);
        }
        Ok(())
    }
}

/// An expression of any kind.
pub(crate) trait Uses {
    fn uses_name(&self, name: &str) -> bool;
    fn uses_value(&self, name: &str) -> bool;
}

impl<T> Uses for Parsed<T> {
    fn uses_name(&self, name: &str) -> bool {
        self.used.names.iter().any(|used| used == name)
    }

    fn uses_value(&self, name: &str) -> bool {
        self.used.values.iter().any(|used| used == name)
    }
}

/// Cache of parsed expressions.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    conditions: HashMap<String, Arc<Parsed<Condition>>>,
    updates: HashMap<String, Arc<Parsed<Update>>>,
}

impl Cache {
    /// A condition, filter or key condition.
    pub(crate) fn condition(&mut self, text: &str) -> Result<Arc<Parsed<Condition>>, Refusal> {
        remembered(&mut self.conditions, text, condition::parse)
    }

    /// An update.
    pub(crate) fn update(&mut self, text: &str) -> Result<Arc<Parsed<Update>>, Refusal> {
        remembered(&mut self.updates, text, update::parse)
    }
}

fn remembered<T>(
    known: &mut HashMap<String, Arc<Parsed<T>>>,
    text: &str,
    parse: impl FnOnce(&mut token::Cursor<'_>) -> Result<T, Refusal>,
) -> Result<Arc<Parsed<T>>, Refusal> {
    if let Some(parsed) = known.get(text) {
        return Ok(parsed.clone());
    }
    if text.len() > MAX_BYTES {
        return invalid("Invalid expression: Expression size has exceeded the maximum allowed size");
    }
    let mut cursor = token::Cursor::new(text)?;
    let tree = parse(&mut cursor)?;
    let parsed = Arc::new(Parsed { tree, used: cursor.finish()? });
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(text.to_owned(), parsed.clone());
    Ok(parsed)
}
