//! Conversion of records to items: their own fields by serde, plus the keys that their `Record` impl names.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Serialize, de::DeserializeOwned};
use serde_dynamo::aws_sdk_dynamodb_1::{from_item, to_item};

use crate::table::StoreError;

/// An item in the SDK's form.
pub(crate) type Attributes = HashMap<String, AttributeValue>;

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Key {
    pub(crate) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    pub(crate) fn attributes(&self) -> Attributes {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }
}

/// The keys of an item in the two indexes, and its time to live.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) gsi1: Option<(String, String)>,
    pub(crate) gsi2: Option<(String, i64)>,
    /// Unix seconds. Only items that no result depends on have one.
    pub(crate) ttl: Option<i64>,
}

/// A record that is one item of the table.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// Value of the `type` attribute, by which the stream's readers distinguish items.
    const TYPE: &'static str;
    fn key(&self) -> Key;
    fn index(&self) -> Index {
        Index::default()
    }
}

pub(crate) fn encode<R: Record>(record: &R) -> Result<Attributes, StoreError> {
    let mut item: Attributes = to_item(record)?;
    // An absent attribute and a null one mean the same; an absent one is not stored or billed.
    item.retain(|_, value| !matches!(value, AttributeValue::Null(_)));
    item.extend(record.key().attributes());
    item.insert("type".to_owned(), AttributeValue::S(R::TYPE.to_owned()));
    let index = record.index();
    if let Some((pk, sk)) = index.gsi1 {
        item.insert("gsi1pk".to_owned(), AttributeValue::S(pk));
        item.insert("gsi1sk".to_owned(), AttributeValue::S(sk));
    }
    if let Some((pk, sk)) = index.gsi2 {
        item.insert("gsi2pk".to_owned(), AttributeValue::S(pk));
        item.insert("gsi2sk".to_owned(), AttributeValue::N(sk.to_string()));
    }
    if let Some(ttl) = index.ttl {
        item.insert("ttl".to_owned(), AttributeValue::N(ttl.to_string()));
    }
    Ok(item)
}

pub(crate) fn decode<R: Record>(item: Attributes) -> Result<R, StoreError> {
    from_item(item).map_err(|error| StoreError::Corrupt(format!("{} item: {error}", R::TYPE).into()))
}

pub(crate) fn string(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(crate) fn number(n: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(n.to_string())
}
