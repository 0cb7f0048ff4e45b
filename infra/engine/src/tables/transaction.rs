//! `TransactWriteItems`: all or nothing, once per token.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use serde::Serialize;

use super::{
    Tables,
    capacity::{Consumed, transactional_read_halves},
    error::{Reason, Refusal, invalid},
    requests::{Action, Kind, ReturnCapacity, TransactWriteItems},
    table::Change,
    write::{Prepared, check_token},
};

/// Largest number of items in a transaction.
const MAX_ITEMS: usize = 100;
/// Largest size of a transaction's items, in bytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Lifetime of a token.
const TOKEN_SECONDS: i64 = 600;

/// Transactions that were done, by their tokens.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    done: HashMap<String, Done>,
    oldest_first: VecDeque<(i64, String)>,
}

#[derive(Debug)]
struct Done {
    /// Hash of the request's content.
    request: u64,
    /// Bytes by table, for each item: a repetition is charged as a read of them.
    bytes: Vec<(String, usize)>,
}

/// Answer of `TransactWriteItems`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Committed {
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_capacity: Option<Vec<Consumed>>,
}

impl Tokens {
    /// The earlier transaction that this one repeats, if there is one.
    fn find(&mut self, token: &str, request: u64, now: i64) -> Result<Option<&Done>, Refusal> {
        while self.oldest_first.front().is_some_and(|(at, _)| now - at >= TOKEN_SECONDS) {
            if let Some((_, old)) = self.oldest_first.pop_front() {
                self.done.remove(&old);
            }
        }
        match self.done.get(token) {
            Some(done) if done.request != request => Err(Refusal::TokenReused),
            found => Ok(found),
        }
    }

    /// Forgets all of them.
    pub(crate) fn clear(&mut self) {
        self.done.clear();
        self.oldest_first.clear();
    }

    fn remember(&mut self, token: String, done: Done, now: i64) {
        self.oldest_first.push_back((now, token.clone()));
        self.done.insert(token, done);
    }
}

impl Tables {
    /// `TransactWriteItems`.
    pub(crate) fn transact(&mut self, request: TransactWriteItems, now: i64) -> Result<Committed, Refusal> {
        let wanted = request.return_consumed_capacity;
        let actions = actions(request.transact_items.into_iter().map(super::requests::TransactItem::single))?;
        let hash = hash_of(&actions);
        self.forget_lost();
        if let Some(token) = &request.client_request_token {
            check_token(token)?;
            if let Some(done) = self.tokens.find(token, hash, now)? {
                return Ok(repeated(done, wanted));
            }
        }
        let mut prepared = Vec::with_capacity(actions.len());
        for action in &actions {
            prepared.push(Prepared::new(action, &mut self.expressions)?);
        }
        self.check_whole(&prepared)?;
        let changes = self.changes(&prepared)?;
        let mut halves = BTreeMap::new();
        let mut bytes = Vec::with_capacity(actions.len());
        let changes = actions.iter().map(|action| action.table.as_str()).zip(changes).collect();
        let costs = self.commit(changes, now, false)?;
        for (action, cost) in actions.iter().zip(costs) {
            bytes.push((action.table.clone(), cost.bytes));
            *halves.entry(action.table.clone()).or_default() += cost.transactional_halves();
        }
        if let Some(token) = request.client_request_token {
            self.tokens.remember(token, Done { request: hash, bytes }, now);
        }
        Ok(Committed { consumed_capacity: Consumed::of_tables(wanted, halves) })
    }

    /// Refuses a transaction that is wrong as a whole: no table, too large, the same item twice.
    fn check_whole(&self, prepared: &[Prepared<'_>]) -> Result<(), Refusal> {
        let mut seen = HashSet::new();
        for write in prepared {
            let table = self.table(&write.action.table)?;
            let key = match write.key(table) {
                Ok(key) => key,
                // A key that does not match the table's schema cancels the transaction.
                Err(Refusal::Validation(_)) => continue,
                Err(other) => return Err(other),
            };
            if !seen.insert((&write.action.table, key)) {
                return invalid("Transaction request cannot include multiple operations on one item");
            }
        }
        if prepared.iter().map(Prepared::bytes).sum::<usize>() > MAX_BYTES {
            return invalid(
                "Collection size of items exceeded, which can also be caused by the aggregate size of the \
                 items in the transaction exceeding the 4MB limit",
            );
        }
        Ok(())
    }

    /// Computes the changes of the transaction, or the reason of every item when one change is impossible.
    fn changes(&self, prepared: &[Prepared<'_>]) -> Result<Vec<Change>, Refusal> {
        let mut changes = Vec::with_capacity(prepared.len());
        let mut reasons = Vec::with_capacity(prepared.len());
        for write in prepared {
            let table = self.table(&write.action.table)?;
            match write.key(table).and_then(|key| write.change(table, self.storage.as_ref(), key)) {
                Ok(change) => {
                    changes.push(change);
                    reasons.push(Reason::NONE);
                }
                Err(refusal) => reasons.push(Reason::of(refusal)?),
            }
        }
        if changes.len() < prepared.len() { Err(Refusal::Cancelled(reasons)) } else { Ok(changes) }
    }
}

/// Refuses an invalid list or item before it looks at the table.
fn actions(items: impl ExactSizeIterator<Item = super::requests::Single>) -> Result<Vec<Action>, Refusal> {
    if !(1..=MAX_ITEMS).contains(&items.len()) {
        return invalid(format!(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must \
             have length from 1 to {MAX_ITEMS}"
        ));
    }
    items
        .map(|single| {
            let action = single.action;
            if single.return_values.is_some() || single.capacity.is_some() {
                return invalid(
                    "unknown field `ReturnValues` or `ReturnConsumedCapacity` in a transaction's item",
                );
            }
            match &action.kind {
                Kind::Update { expression: None, .. } => {
                    return invalid("The UpdateExpression of a transaction's Update is missing");
                }
                Kind::Put { item } => super::value::check_size(item)?,
                _ => {}
            }
            Ok(action)
        })
        .collect()
}

fn hash_of(actions: &[Action]) -> u64 {
    let mut hasher = DefaultHasher::new();
    actions.hash(&mut hasher);
    hasher.finish()
}

fn repeated(done: &Done, wanted: ReturnCapacity) -> Committed {
    let mut halves = BTreeMap::new();
    for (table, bytes) in &done.bytes {
        *halves.entry(table.clone()).or_default() += transactional_read_halves(*bytes);
    }
    Committed { consumed_capacity: Consumed::of_tables(wanted, halves) }
}
