//! Keys, and the order of items by their keys.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    error::{Refusal, invalid},
    number::Number,
    value::{Attributes, Value, only},
};

/// Largest partition key and sort key, in bytes.
const MAX_BYTES: (usize, usize) = (2048, 1024);

/// A key attribute's value. Keys that are compared are of one type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    S(SmolStr),
    N(Number),
    B(Vec<u8>),
}

/// A key attribute's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeyType {
    S,
    N,
    B,
}

/// A key attribute: its name and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyAttribute {
    pub(crate) name: String,
    pub(crate) kind: KeyType,
}

/// The key attributes of a table or of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeySchema {
    pub(crate) hash: KeyAttribute,
    pub(crate) range: Option<KeyAttribute>,
}

/// An item's primary key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PrimaryKey {
    pub(crate) hash: Key,
    pub(crate) range: Option<Key>,
}

/// An item's place in its partition: by sort key and then, in an index, by the item's primary key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) range: Option<Key>,
    pub(crate) tail: Tail,
}

/// Order of items with the same sort key; the ends are for ranges. Items of a table are at `Least`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tail {
    Least,
    /// Boxed, because items of a table have none.
    At(Box<PrimaryKey>),
    Greatest,
}

impl Key {
    /// Converts `value` to a key, if it is of that type.
    pub(crate) fn of(value: &Value, kind: KeyType) -> Option<Self> {
        match (value, kind) {
            (Value::S(text), KeyType::S) => Some(Self::S(text.clone())),
            (Value::N(number), KeyType::N) => Some(Self::N(*number)),
            (Value::B(bytes), KeyType::B) => Some(Self::B(bytes.clone())),
            _ => None,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.size(),
            Self::B(bytes) => bytes.len(),
        }
    }
}

impl KeyType {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
        }
    }
}

impl KeySchema {
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.hash).chain(&self.range)
    }

    /// Returns whether `name` is one of the key's attributes.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.attributes().any(|attribute| attribute.name == name)
    }

    /// The primary key of an item, which may have other attributes too.
    pub(crate) fn of_item(&self, item: &Attributes) -> Result<PrimaryKey, Refusal> {
        let hash = checked(item, &self.hash, MAX_BYTES.0)?;
        let range = self.range.as_ref().map(|range| checked(item, range, MAX_BYTES.1)).transpose()?;
        Ok(PrimaryKey { hash, range })
    }

    /// The key attributes of an item.
    pub(crate) fn key_of(&self, item: &Attributes) -> Attributes {
        only(item, self.attributes().map(|attribute| attribute.name.as_str()))
    }

    /// The primary key that a request names, with no other attribute.
    pub(crate) fn of_key(&self, key: &Attributes) -> Result<PrimaryKey, Refusal> {
        if key.len() != self.attributes().count() {
            return invalid("The provided key element does not match the schema");
        }
        self.of_item(key)
    }

    /// The item's place in an index with this schema; none if it lacks one of the attributes.
    pub(crate) fn place(&self, item: &Attributes, primary: &PrimaryKey) -> Option<(Key, Place)> {
        let part = |attribute: &KeyAttribute| Key::of(item.get(attribute.name.as_str())?, attribute.kind);
        let hash = part(&self.hash)?;
        let range = match &self.range {
            Some(attribute) => Some(part(attribute)?),
            None => None,
        };
        Some((hash, Place { range, tail: Tail::At(Box::new(primary.clone())) }))
    }

    /// Refuses an item whose attributes of this index's key are of another type, or empty.
    pub(crate) fn check_index_key(&self, item: &Attributes, index: &str) -> Result<(), Refusal> {
        for attribute in self.attributes() {
            let Some(value) = item.get(attribute.name.as_str()) else { continue };
            let (name, expected) = (&attribute.name, attribute.kind.as_str());
            match Key::of(value, attribute.kind) {
                None => {
                    return invalid(format!(
                        "One or more parameter values were invalid: Type mismatch for Index Key {name} \
                         Expected: {expected} Actual: {} IndexName: {index}",
                        value.type_name()
                    ));
                }
                Some(key) if key.bytes() == 0 => {
                    return invalid(format!(
                        "One or more parameter values are not valid. A value specified for a secondary index \
                         key is not supported. The AttributeValue for a key attribute cannot contain an empty \
                         value. IndexName: {index}, IndexKey: {name}"
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

impl PrimaryKey {
    /// The item's place in its table's tree.
    pub(crate) fn place(&self) -> Place {
        Place { range: self.range.clone(), tail: Tail::Least }
    }
}

fn checked(item: &Attributes, attribute: &KeyAttribute, max: usize) -> Result<Key, Refusal> {
    let name = &attribute.name;
    let Some(value) = item.get(name.as_str()) else {
        return invalid(format!(
            "One or more parameter values were invalid: Missing the key {name} in the item"
        ));
    };
    let Some(key) = Key::of(value, attribute.kind) else {
        return invalid(format!(
            "One or more parameter values were invalid: Type mismatch for key {name} expected: {} actual: {}",
            attribute.kind.as_str(),
            value.type_name()
        ));
    };
    match key.bytes() {
        0 => Err(Refusal::EmptyKey(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot \
             contain an empty string value. Key: {name}"
        ))),
        bytes if bytes > max => invalid(format!(
            "One or more parameter values were invalid: Size of key {name} has exceeded the limit of {max} bytes"
        )),
        _ => Ok(key),
    }
}
