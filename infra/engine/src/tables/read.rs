//! Reads by key: `GetItem`, `BatchGetItem`, `TransactGetItems`.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::{
    Tables,
    capacity::{Consumed, Halves, read_halves, transactional_read_halves},
    error::{Refusal, invalid},
    requests::{BatchGetItem, GetItem, TransactGet, TransactGetItems},
    value::{Attributes, Image, size_of_item},
};

/// Largest number of keys in a request.
const MAX_KEYS: usize = 100;

/// Answer of `GetItem`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Got {
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<Image>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_capacity: Option<Consumed>,
}

/// Answer of `BatchGetItem`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GotBatch {
    responses: BTreeMap<String, Vec<Image>>,
    /// Always empty: everything is read at once.
    unprocessed_keys: Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_capacity: Option<Vec<Consumed>>,
}

/// Answer of `TransactGetItems`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GotTogether {
    responses: Vec<GotOne>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_capacity: Option<Vec<Consumed>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GotOne {
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<Image>,
}

fn bytes(item: Option<&Image>) -> usize {
    item.map_or(0, |item| size_of_item(item))
}

impl Tables {
    /// `GetItem`.
    pub(crate) fn get(&self, request: &GetItem) -> Result<Got, Refusal> {
        let item = self.lookup(&request.table_name, &request.key)?;
        let halves = read_halves(bytes(item.as_ref()), request.consistent_read);
        let consumed_capacity = Consumed::new(request.return_consumed_capacity, &request.table_name, halves);
        Ok(Got { item, consumed_capacity })
    }

    /// `BatchGetItem`.
    pub(crate) fn batch_get(&self, request: &BatchGetItem) -> Result<GotBatch, Refusal> {
        check_count(request.request_items.values().map(|keys| keys.keys.len()).sum())?;
        let mut responses = BTreeMap::new();
        let mut halves = BTreeMap::<String, Halves>::new();
        for (name, wanted) in &request.request_items {
            let table = self.table(name)?;
            let (mut seen, mut found, mut cost) = (HashSet::new(), Vec::new(), 0);
            for key in &wanted.keys {
                let key = table.schema.of_key(key)?;
                let item = self.storage.get(table.id, &key)?;
                cost += read_halves(bytes(item.as_ref()), wanted.consistent_read);
                found.extend(item);
                if !seen.insert(key) {
                    return invalid("Provided list of item keys contains duplicates");
                }
            }
            responses.insert(name.clone(), found);
            halves.insert(name.clone(), cost);
        }
        let consumed_capacity = Consumed::of_tables(request.return_consumed_capacity, halves);
        Ok(GotBatch { responses, unprocessed_keys: json!({}), consumed_capacity })
    }

    /// `TransactGetItems`.
    pub(crate) fn transact_get(&self, request: &TransactGetItems) -> Result<GotTogether, Refusal> {
        check_count(request.transact_items.len())?;
        let mut responses = Vec::new();
        let mut halves = BTreeMap::<String, Halves>::new();
        let mut seen = HashSet::new();
        for TransactGet::Get(one) in &request.transact_items {
            let item = self.lookup(&one.table_name, &one.key)?;
            *halves.entry(one.table_name.clone()).or_default() +=
                transactional_read_halves(bytes(item.as_ref()));
            responses.push(GotOne { item });
            if !seen.insert((&one.table_name, &one.key)) {
                return invalid("Transaction request cannot include multiple operations on one item");
            }
        }
        let consumed_capacity = Consumed::of_tables(request.return_consumed_capacity, halves);
        Ok(GotTogether { responses, consumed_capacity })
    }

    fn lookup(&self, table: &str, key: &Attributes) -> Result<Option<Image>, Refusal> {
        let table = self.table(table)?;
        self.storage.get(table.id, &table.schema.of_key(key)?)
    }
}

fn check_count(count: usize) -> Result<(), Refusal> {
    if (1..=MAX_KEYS).contains(&count) {
        return Ok(());
    }
    invalid(format!("1 validation error detected: from 1 to {MAX_KEYS} keys may be asked for, not {count}"))
}
