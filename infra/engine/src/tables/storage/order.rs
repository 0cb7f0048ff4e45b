//! Keys as bytes that compare as the keys do, and back.
//!
//! Each part begins with a byte for its type and ends where the type says. A text or binary ends with a zero byte, and
//! a zero byte in it is followed by `FF`, so that a longer one comes after a shorter one that begins the same.

use std::ops::Bound;

use super::{TableId, View};
use crate::tables::{
    key::{Key, KeyAttribute, Place, PrimaryKey, Tail},
    number::Number,
    value::{Attributes, Name, Value},
};

const TEXT: u8 = 1;
const NUMBER: u8 = 2;
const BINARY: u8 = 3;
/// Greater than each of these.
const GREATEST: u8 = 0xF0;

/// The place of an entry, as bytes.
pub(super) fn of_entry(table: TableId, index: u8, hash: &Key, place: &Place) -> Vec<u8> {
    let mut bytes = of_partition(table, index, hash);
    push_place(&mut bytes, place);
    bytes
}

/// The place of an item, as bytes.
pub(super) fn of_item(table: TableId, key: &PrimaryKey) -> Vec<u8> {
    let mut bytes = of_partition(table, 0, &key.hash);
    key.range.iter().for_each(|range| push(&mut bytes, range));
    bytes
}

/// What the entries of a view begin with.
pub(super) fn of_view(table: TableId, index: u8) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(96);
    bytes.extend_from_slice(&table.to_be_bytes());
    bytes.push(index);
    bytes
}

fn of_partition(table: TableId, index: u8, hash: &Key) -> Vec<u8> {
    let mut bytes = of_view(table, index);
    push(&mut bytes, hash);
    bytes
}

/// The bytes between which a partition's range lies: each is excluded or included as its bound is.
pub(super) fn of_range(
    view: View<'_>,
    hash: &Key,
    from: &Bound<Place>,
    to: &Bound<Place>,
) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let partition = of_partition(view.table, view.index, hash);
    let bound = |place: &Place| {
        let mut bytes = partition.clone();
        push_place(&mut bytes, place);
        bytes
    };
    let from = match from {
        Bound::Included(place) => Bound::Included(bound(place)),
        Bound::Excluded(place) => Bound::Excluded(bound(place)),
        Bound::Unbounded => Bound::Included(partition.clone()),
    };
    let to = match to {
        Bound::Included(place) => Bound::Included(bound(place)),
        Bound::Excluded(place) => Bound::Excluded(bound(place)),
        Bound::Unbounded => Bound::Excluded(behind(partition)),
    };
    (from, to)
}

/// The first bytes behind everything that begins with `bytes` and goes on with a part.
pub(super) fn behind(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.push(GREATEST);
    bytes
}

fn push_place(bytes: &mut Vec<u8>, place: &Place) {
    place.range.iter().for_each(|range| push(bytes, range));
    match &place.tail {
        Tail::Least => {}
        Tail::At(key) => {
            push(bytes, &key.hash);
            key.range.iter().for_each(|range| push(bytes, range));
        }
        Tail::Greatest => bytes.push(GREATEST),
    }
}

fn push(bytes: &mut Vec<u8>, key: &Key) {
    match key {
        Key::S(text) => push_escaped(bytes, TEXT, text.as_bytes()),
        Key::B(binary) => push_escaped(bytes, BINARY, binary),
        Key::N(number) => {
            bytes.push(NUMBER);
            bytes.extend_from_slice(&number.ordered());
        }
    }
}

fn push_escaped(bytes: &mut Vec<u8>, kind: u8, content: &[u8]) {
    bytes.push(kind);
    for byte in content {
        bytes.push(*byte);
        if *byte == 0 {
            bytes.push(0xFF);
        }
    }
    bytes.push(0);
}

/// The partition of an entry, from its bytes. None when they are none of ours.
pub(super) fn partition_of(bytes: &[u8]) -> Option<Key> {
    part(bytes.get(3..)?).map(|(hash, _)| hash)
}

/// The key attributes of an index's entry, from its bytes. None when they are none of this view's.
pub(super) fn attributes_of(view: View<'_>, bytes: &[u8]) -> Option<Attributes> {
    let mut rest = bytes.get(3..)?;
    let mut pairs: Vec<(Name, Value)> = Vec::with_capacity(4);
    for attribute in view.schema.attributes().chain(view.primary.attributes()) {
        let KeyAttribute { name, .. } = attribute;
        let (key, behind) = part(rest)?;
        rest = behind;
        pairs.push((Name::from(name.as_str()), value(key)));
    }
    rest.is_empty().then(|| pairs.into_iter().collect())
}

fn value(key: Key) -> Value {
    match key {
        Key::S(text) => Value::S(text),
        Key::N(number) => Value::N(number),
        Key::B(binary) => Value::B(binary),
    }
}

fn part(bytes: &[u8]) -> Option<(Key, &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    if *kind == NUMBER {
        let (number, rest) = rest.split_first_chunk()?;
        return Some((Key::N(Number::from_ordered(number)?), rest));
    }
    let (content, rest) = unescaped(rest)?;
    match *kind {
        TEXT => Some((Key::S(String::from_utf8(content).ok()?.into()), rest)),
        BINARY => Some((Key::B(content), rest)),
        _ => None,
    }
}

fn unescaped(mut bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut content = Vec::with_capacity(bytes.len());
    loop {
        let (byte, rest) = bytes.split_first()?;
        match (byte, rest.first()) {
            (0, Some(0xFF)) => {
                content.push(0);
                bytes = &rest[1..];
            }
            (0, _) => return Some((content, rest)),
            (byte, _) => {
                content.push(*byte);
                bytes = rest;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::*;

    fn key() -> impl Strategy<Value = Key> {
        let number = (any::<i64>(), -60_i32..60)
            .prop_map(|(digits, exponent)| Key::N(Number::parse(&format!("{digits}e{exponent}")).unwrap()));
        let small = (-20_i64..20).prop_map(|n| Key::N(Number::parse(&n.to_string()).unwrap()));
        let binary = prop::collection::vec(prop::sample::select(vec![0_u8, 1, 2, 0xF0, 0xFF]), 1..6);
        let text = "[\u{0}\u{1}ab#é]{1,6}";
        prop_oneof![number, small, binary.prop_map(Key::B), text.prop_map(|text| Key::S(text.into()))]
    }

    /// Keys that are compared are of one type.
    fn order(one: &Key, other: &Key) -> Option<Ordering> {
        (std::mem::discriminant(one) == std::mem::discriminant(other)).then(|| one.cmp(other))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

        #[test]
        fn bytes_compare_as_keys_do_and_come_back(one in key(), other in key(), behind in key()) {
            let bytes = |key: &Key| {
                let mut bytes = Vec::new();
                push(&mut bytes, key);
                push(&mut bytes, &behind);
                bytes
            };
            if let Some(expected) = order(&one, &other) {
                prop_assert_eq!(bytes(&one).cmp(&bytes(&other)), expected);
            }
            let read = bytes(&one);
            let (first, rest) = part(&read).unwrap();
            let (second, rest) = part(rest).unwrap();
            prop_assert_eq!((first, second, rest.len()), (one, behind, 0));
        }
    }
}
