//! Our own engine: the tables in ordered maps, under one lock.
//!
//! A request is read ([`requests`]), its expressions are looked up or parsed ([`expression`]), and its
//! changes are computed from the present table ([`write`], [`transaction`]). Only then
//! [`Table::apply`] makes the changes; items, indexes, stream and cost all follow from the pair of images.
mod capacity;
mod definition;
mod error;
mod expression;
mod key;
mod log;
mod number;
mod range;
mod read;
mod records;
mod requests;
mod table;
mod transaction;
mod value;
mod write;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value as Json, json};

use crate::{
    answer::Answer,
    error::EngineError,
    options::{Clock, SyncPolicy},
    stream::{StreamPage, StreamPosition},
};
use definition::{CreateTable, DescribeTable, UpdateTimeToLive};
use error::{Refusal, invalid};
use requests::{DeleteItem, PutItem, UpdateItem};
use table::Table;

/// Age after which stream records may be deleted. DynamoDB keeps them for a day, but a laptop may sleep longer.
const STREAM_SECONDS: i64 = 7 * 24 * 3600;

/// The engine in memory. Clones share the tables.
#[derive(Clone)]
pub(crate) struct Memory {
    tables: Arc<Mutex<Tables>>,
    clock: Clock,
    policy: SyncPolicy,
}

/// The whole state of the engine.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    tables: BTreeMap<String, Table>,
    tokens: transaction::Tokens,
    expressions: expression::Cache,
    /// The file that the tables are on, if there is one.
    log: Option<log::Log>,
}

impl Tables {
    fn table(&self, name: &str) -> Result<&Table, Refusal> {
        self.tables.get(name).ok_or_else(|| Refusal::NoTable(name.to_owned()))
    }

    fn table_mut(&mut self, name: &str) -> Result<&mut Table, Refusal> {
        self.tables.get_mut(name).ok_or_else(|| Refusal::NoTable(name.to_owned()))
    }

    fn create(&mut self, definition: CreateTable, now: i64) -> Result<Json, Refusal> {
        let name = definition.table_name.clone();
        if !(3..=255).contains(&name.len()) {
            return invalid("TableName must have from 3 to 255 characters");
        }
        if self.tables.contains_key(&name) {
            return Err(Refusal::TableExists(name));
        }
        let table = Table::try_new(definition, now)?;
        let description = describe(&table);
        self.append(|| table.head())?;
        self.tables.insert(name, table);
        Ok(json!({ "TableDescription": description }))
    }

    fn set_time_to_live(&mut self, request: UpdateTimeToLive) -> Result<Json, Refusal> {
        let specification = json!({ "TimeToLiveSpecification": request.time_to_live_specification });
        let time_to_live = request.time_to_live_specification;
        self.table(&request.table_name)?;
        let table = request.table_name.clone();
        self.append(|| log::Entry::TimeToLive { table, time_to_live: time_to_live.clone() })?;
        self.table_mut(&request.table_name)?.time_to_live = Some(time_to_live);
        Ok(specification)
    }
}

fn describe(table: &Table) -> Json {
    table.definition.description(table.item_count(), table.stream.as_ref().map(|stream| stream.arn.as_str()))
}

fn no_stream(table: &str) -> EngineError {
    EngineError::Database(format!("table {table} has no stream"))
}

impl Memory {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { tables: Arc::default(), clock, policy: SyncPolicy::Never }
    }

    /// Opens the tables on a file.
    pub(crate) fn open(path: &Path, policy: SyncPolicy, clock: Clock) -> Result<Self, EngineError> {
        let tables = Tables::open(path, policy, clock())?;
        Ok(Self { tables: Arc::new(Mutex::new(tables)), clock, policy })
    }

    /// Returns whether answers wait for the disk. Those of reads wait too, so that no answer shows a change that a
    /// power loss may undo.
    pub(crate) fn waits_for_the_disk(&self) -> bool {
        self.policy == SyncPolicy::Always
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        // Requests are checked before anything changes, so the state is consistent after a panic.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `operation` with its JSON body.
    pub(crate) fn dispatch(&self, operation: &str, body: &[u8]) -> Answer {
        self.run(operation, body).unwrap_or_else(Refusal::answer)
    }

    fn run(&self, operation: &str, body: &[u8]) -> Result<Answer, Refusal> {
        let now = (self.clock)();
        match operation {
            "GetItem" => self.answer(body, |tables, request| tables.get(&request)),
            "BatchGetItem" => self.answer(body, |tables, request| tables.batch_get(&request)),
            "TransactGetItems" => self.answer(body, |tables, request| tables.transact_get(&request)),
            "Query" => self.answer(body, Tables::query),
            "Scan" => self.answer(body, Tables::scan),
            "PutItem" => self.answer(body, |tables, PutItem(request)| tables.write(&request, now)),
            "UpdateItem" => self.answer(body, |tables, UpdateItem(request)| tables.write(&request, now)),
            "DeleteItem" => self.answer(body, |tables, DeleteItem(request)| tables.write(&request, now)),
            "TransactWriteItems" => self.answer(body, |tables, request| tables.transact(request, now)),
            "CreateTable" => self.answer(body, |tables, request| tables.create(request, now)),
            "UpdateTimeToLive" => self.answer(body, Tables::set_time_to_live),
            "DescribeTable" => self.answer(body, |tables, request: DescribeTable| {
                Ok(json!({ "Table": describe(tables.table(&request.table_name)?) }))
            }),
            _ => invalid(format!("{operation} is not supported here")),
        }
    }

    /// Reads a request, runs it under the lock, and writes the answer when the lock is free again.
    fn answer<Q: DeserializeOwned, R: Serialize>(
        &self,
        body: &[u8],
        call: impl FnOnce(&mut Tables, Q) -> Result<R, Refusal>,
    ) -> Result<Answer, Refusal> {
        let request = serde_json::from_slice(body).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => Refusal::Validation(error.to_string()),
            _ => Refusal::Malformed(error.to_string()),
        })?;
        let (response, pending) = {
            let mut tables = self.lock();
            let response = call(&mut tables, request)?;
            (response, tables.log.as_ref().and_then(log::Log::pending))
        };
        if let Some((flusher, file)) = pending {
            flusher.flush(&file).map_err(|error| Refusal::Failed(error.to_string()))?;
        }
        let body = serde_json::to_string(&response).map_err(|error| Refusal::Malformed(error.to_string()))?;
        Ok(Answer { status: 200, body })
    }

    pub(crate) fn read_stream(
        &self,
        table: &str,
        position: &StreamPosition,
        limit: usize,
    ) -> Result<StreamPage, EngineError> {
        let (arn, shard_id, records) = {
            let tables = self.lock();
            let stream = tables.tables.get(table).and_then(|table| table.stream.as_ref());
            let stream = stream.ok_or_else(|| no_stream(table))?;
            let records = stream.behind(position.0.as_deref(), limit)?;
            (stream.arn.clone(), stream.shard_id.clone(), records)
        };
        let last = records.last().map(|record| StreamPosition(Some(record.sequence_number())));
        let position = last.unwrap_or_else(|| position.clone());
        let records = records.iter().map(|record| record.json(&arn)).collect();
        Ok(StreamPage { arn, shard_id, records, position })
    }

    pub(crate) fn forget_read(&self, table: &str, position: &StreamPosition) -> Result<(), EngineError> {
        let Some(position) = &position.0 else { return Ok(()) };
        let mut tables = self.lock();
        let stream = tables.tables.get_mut(table).and_then(|table| table.stream.as_mut());
        stream.ok_or_else(|| no_stream(table))?.forget_read(position, (self.clock)() - STREAM_SECONDS)
    }

    pub(crate) fn stream_only(
        &self,
        table: &str,
        attribute: &str,
        values: &[&str],
    ) -> Result<(), EngineError> {
        let mut tables = self.lock();
        let stream = tables.tables.get_mut(table).and_then(|table| table.stream.as_mut());
        stream.ok_or_else(|| no_stream(table))?.keep_only(attribute, values);
        Ok(())
    }

    pub(crate) fn sweep_ttl(&self) -> Result<usize, EngineError> {
        let swept = self.lock().sweep((self.clock)());
        swept.map_err(|refusal| EngineError::Database(refusal.answer().body))
    }
}
