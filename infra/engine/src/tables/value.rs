//! Attribute values, typed, and items as they are stored: shared between table, indexes and stream.

use std::{
    collections::BTreeSet,
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use litemap::LiteMap;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
    ser::SerializeMap,
};
use smol_str::SmolStr;

use super::{
    error::{Refusal, invalid},
    number::Number,
};

/// Largest item, in bytes.
const MAX_ITEM_BYTES: usize = 400 * 1024;
/// Deepest nesting of lists and maps in an attribute.
const MAX_DEPTH: usize = 32;

/// An attribute's value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    S(SmolStr),
    N(Number),
    B(Vec<u8>),
    Bool(bool),
    Null,
    Ss(BTreeSet<String>),
    Ns(BTreeSet<Number>),
    Bs(BTreeSet<Vec<u8>>),
    L(Vec<Value>),
    M(Attributes),
}

/// An attribute's name; a short one needs no allocation.
pub(crate) type Name = SmolStr;

/// Attributes by name: an item, or a map inside one. They are a sorted list without gaps: a business of a million
/// payments has about thirty million of these, and the nodes of trees would be mostly empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Attributes(LiteMap<Name, Value>);

impl Attributes {
    pub(crate) const fn new() -> Self {
        Self(LiteMap::new_vec())
    }
}

impl Deref for Attributes {
    type Target = LiteMap<Name, Value>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Attributes {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl FromIterator<(Name, Value)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (Name, Value)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

// Implemented by hand, because the list would write an empty map as `[]`.
impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AttributesVisitor)
    }
}

struct AttributesVisitor;

impl<'de> Visitor<'de> for AttributesVisitor {
    type Value = Attributes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("attributes by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs.into_iter().collect())
    }
}

/// A stored item, shared by all that refer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Image(#[serde(serialize_with = "of_arc")] Arc<Attributes>);

fn of_arc<S: Serializer>(attributes: &Arc<Attributes>, serializer: S) -> Result<S::Ok, S::Error> {
    attributes.as_ref().serialize(serializer)
}

impl<'de> Deserialize<'de> for Image {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Attributes::deserialize(deserializer).map(Self::new)
    }
}

impl Image {
    pub(crate) fn new(attributes: Attributes) -> Self {
        Self(Arc::new(compact(attributes)))
    }

    /// Checks that an item may be stored: not too large, not nested too deep.
    pub(crate) fn try_new(attributes: Attributes) -> Result<Self, Refusal> {
        check_size(&attributes)?;
        if attributes.values().any(|value| value.depth() > MAX_DEPTH) {
            return invalid("Nesting Levels have exceeded supported limits");
        }
        Ok(Self::new(attributes))
    }
}

/// Releases the capacity that is not used.
fn compact(attributes: Attributes) -> Attributes {
    let mut pairs = attributes.0.into_tuple_vec();
    pairs.iter_mut().for_each(|(_, value)| value.compact());
    pairs.shrink_to_fit();
    Attributes(LiteMap::from_sorted_store_unchecked(pairs))
}

impl Deref for Image {
    type Target = Attributes;
    fn deref(&self) -> &Attributes {
        &self.0
    }
}

/// Refuses an item that is too large.
pub(crate) fn check_size(attributes: &Attributes) -> Result<(), Refusal> {
    if size_of_item(attributes) > MAX_ITEM_BYTES {
        return invalid("Item size has exceeded the maximum allowed size");
    }
    Ok(())
}

/// The item's attributes with one of these names.
pub(crate) fn only<'a>(item: &Attributes, names: impl Iterator<Item = &'a str>) -> Attributes {
    let found = names.filter_map(|name| item.get_indexed(item.find_index(name).ok()?));
    found.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Bytes that count for limits and capacity.
pub(crate) fn size_of_item(attributes: &Attributes) -> usize {
    attributes.iter().map(|(name, value)| name.len() + value.size()).sum()
}

impl Value {
    /// The type's name in the API.
    pub(crate) const fn type_name(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::Ss(_) => "SS",
            Self::Ns(_) => "NS",
            Self::Bs(_) => "BS",
            Self::L(_) => "L",
            Self::M(_) => "M",
        }
    }

    /// Bytes that count for limits and capacity, without the attribute's name.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.size(),
            Self::B(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null => 1,
            Self::Ss(set) => set.iter().map(String::len).sum(),
            Self::Ns(set) => set.iter().map(Number::size).sum(),
            Self::Bs(set) => set.iter().map(Vec::len).sum(),
            Self::L(list) => 3 + list.iter().map(|value| 1 + value.size()).sum::<usize>(),
            Self::M(map) => 3 + map.iter().map(|(name, value)| name.len() + 1 + value.size()).sum::<usize>(),
        }
    }

    fn compact(&mut self) {
        match self {
            Self::M(map) => *map = compact(std::mem::take(map)),
            Self::L(list) => {
                list.iter_mut().for_each(Self::compact);
                list.shrink_to_fit();
            }
            _ => {}
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::L(list) => 1 + list.iter().map(Self::depth).max().unwrap_or(0),
            Self::M(map) => 1 + map.values().map(Self::depth).max().unwrap_or(0),
            _ => 0,
        }
    }
}

/// The names of the types in JSON.
#[derive(Deserialize)]
enum Tag {
    S,
    N,
    B,
    #[serde(rename = "BOOL")]
    Bool,
    #[serde(rename = "NULL")]
    Null,
    #[serde(rename = "SS")]
    Ss,
    #[serde(rename = "NS")]
    Ns,
    #[serde(rename = "BS")]
    Bs,
    L,
    M,
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Some(tag) = map.next_key::<Tag>()? else {
            return Err(A::Error::custom(
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            ));
        };
        let value = match tag {
            Tag::S => Value::S(map.next_value()?),
            Tag::N => Value::N(number(&map.next_value::<String>()?)?),
            Tag::B => Value::B(binary(&map.next_value::<String>()?)?),
            Tag::Bool => Value::Bool(map.next_value()?),
            Tag::Null if map.next_value::<bool>()? => Value::Null,
            Tag::Null => {
                return Err(A::Error::custom("Null attribute value types must have the value of true"));
            }
            Tag::Ss => Value::Ss(set(map.next_value()?)?),
            Tag::Ns => {
                let texts: Vec<String> = map.next_value()?;
                Value::Ns(set(texts.iter().map(|text| number(text)).collect::<Result<_, A::Error>>()?)?)
            }
            Tag::Bs => {
                let texts: Vec<String> = map.next_value()?;
                Value::Bs(set(texts.iter().map(|text| binary(text)).collect::<Result<_, A::Error>>()?)?)
            }
            Tag::L => Value::L(map.next_value()?),
            Tag::M => Value::M(map.next_value()?),
        };
        match map.next_key::<Tag>()? {
            None => Ok(value),
            Some(_) => Err(A::Error::custom("Supplied AttributeValue has more than one datatypes set")),
        }
    }
}

fn number<E: serde::de::Error>(text: &str) -> Result<Number, E> {
    Number::parse(text).map_err(|refusal| match refusal {
        Refusal::Validation(message) => E::custom(message),
        _ => E::custom("not a number"),
    })
}

fn binary<E: serde::de::Error>(text: &str) -> Result<Vec<u8>, E> {
    BASE64_STANDARD.decode(text).map_err(E::custom)
}

fn set<T: Ord, E: serde::de::Error>(members: Vec<T>) -> Result<BTreeSet<T>, E> {
    let count = members.len();
    let set: BTreeSet<T> = members.into_iter().collect();
    match set.len() {
        0 => Err(E::custom("One or more parameter values were invalid: A set may not be empty")),
        distinct if distinct < count => Err(E::custom("Input collection contains duplicates")),
        _ => Ok(set),
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        let tag = self.type_name();
        match self {
            Self::S(text) => map.serialize_entry(tag, text)?,
            Self::N(number) => map.serialize_entry(tag, &Shown(number))?,
            Self::B(bytes) => map.serialize_entry(tag, &BASE64_STANDARD.encode(bytes))?,
            Self::Bool(truth) => map.serialize_entry(tag, truth)?,
            Self::Null => map.serialize_entry(tag, &true)?,
            Self::Ss(set) => map.serialize_entry(tag, set)?,
            Self::Ns(set) => map.serialize_entry(tag, &set.iter().map(Shown).collect::<Vec<_>>())?,
            Self::Bs(set) => {
                map.serialize_entry(tag, &set.iter().map(|b| BASE64_STANDARD.encode(b)).collect::<Vec<_>>())?;
            }
            Self::L(list) => map.serialize_entry(tag, list)?,
            Self::M(attributes) => map.serialize_entry(tag, attributes)?,
        }
        map.end()
    }
}

/// A number as text, written directly into the JSON.
struct Shown<'a>(&'a Number);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_map_is_a_map() {
        let empty = json!({ "m": { "M": {} }, "l": { "L": [{ "M": {} }] } });
        let item: Attributes = serde_json::from_value(empty.clone()).unwrap();
        assert_eq!(json!(Image::new(item)), empty);
        assert!(serde_json::from_value::<Value>(json!({ "M": [] })).is_err());
    }

    #[test]
    fn of_a_name_that_comes_twice_the_last_counts() {
        let item: Attributes =
            serde_json::from_str(r#"{"b":{"N":"1"},"a":{"S":"x"},"b":{"N":"2"}}"#).unwrap();
        assert_eq!(json!(item), json!({ "a": { "S": "x" }, "b": { "N": "2" } }));
    }
}
