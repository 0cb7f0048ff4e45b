//! Our own engine: requests, expressions, conditions, indexes and transactions, under one lock, over a storage.
//!
//! A request is read ([`requests`]), its expressions are looked up or parsed ([`expression`]), and its
//! changes are computed from the present items ([`write`], [`transaction`]). Only then does the [`storage`]
//! write them; items, indexes, stream and cost all follow from the pair of images ([`table`]).
mod capacity;
mod definition;
mod error;
mod expression;
mod format_1;
mod key;
mod number;
mod range;
mod read;
mod records;
mod requests;
mod storage;
mod table;
mod transaction;
mod value;
mod write;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use guerdon_database::{database::Database, group::Ticket};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value as Json, json};

use crate::{
    answer::Answer,
    error::EngineError,
    options::Clock,
    stream::{StreamPage, StreamPosition},
};
use definition::{CreateTable, DescribeTable, UpdateTimeToLive};
use error::{Refusal, invalid};
use requests::{DeleteItem, PutItem, UpdateItem};
use storage::{Storage, TableId, disk::Disk, ordered::Ordered};
use table::Table;

pub(crate) use format_1::copy as copy_format_1;
pub(crate) use storage::disk::SCHEMA;

/// Records of the stream that are looked through at once for those that are wanted.
const RECORDS: usize = 500;

/// The engine. Clones share the tables.
#[derive(Clone)]
pub(crate) struct Service {
    tables: Arc<Mutex<Tables>>,
    clock: Clock,
}

/// The whole state of the engine, apart from what the storage holds.
#[derive(Debug)]
pub(crate) struct Tables {
    tables: BTreeMap<String, Table>,
    storage: Box<dyn Storage>,
    tokens: transaction::Tokens,
    expressions: expression::Cache,
    /// The storage's failures when it was last looked.
    failures: u64,
}

impl Tables {
    fn new(storage: Box<dyn Storage>) -> Result<Self, Refusal> {
        let mut tables = BTreeMap::new();
        for (id, head) in (0..).zip(storage.heads()?) {
            let table = Table::restored(id, head)?;
            tables.insert(table.definition.table_name.clone(), table);
        }
        let failures = storage.failures();
        Ok(Self { tables, storage, tokens: Default::default(), expressions: Default::default(), failures })
    }

    fn table(&self, name: &str) -> Result<&Table, Refusal> {
        self.tables.get(name).ok_or_else(|| Refusal::NoTable(name.to_owned()))
    }

    fn table_mut(&mut self, name: &str) -> Result<&mut Table, Refusal> {
        self.tables.get_mut(name).ok_or_else(|| Refusal::NoTable(name.to_owned()))
    }

    /// Forgets the transactions that were done if writes were lost since: theirs may be among them.
    fn forget_lost(&mut self) {
        let failures = self.storage.failures();
        if failures != self.failures {
            self.failures = failures;
            self.tokens.clear();
        }
    }

    fn create(&mut self, definition: CreateTable, now: i64) -> Result<Json, Refusal> {
        let name = definition.table_name.clone();
        if !(3..=255).contains(&name.len()) {
            return invalid("TableName must have from 3 to 255 characters");
        }
        if self.tables.contains_key(&name) {
            return Err(Refusal::TableExists(name));
        }
        let id = TableId::try_from(self.tables.len())
            .map_err(|_| Refusal::Failed("too many tables".to_owned()))?;
        let table = Table::try_new(id, definition, now)?;
        let description = self.describe(&table)?;
        self.storage.keep_head(id, &table.head())?;
        self.tables.insert(name, table);
        Ok(json!({ "TableDescription": description }))
    }

    /// Sets the TTL attribute of a table that has no items yet; of another one it is refused, because its items would
    /// have to be looked through.
    fn set_time_to_live(&mut self, request: UpdateTimeToLive) -> Result<Json, Refusal> {
        let specification = json!({ "TimeToLiveSpecification": request.time_to_live_specification });
        let table = self.table(&request.table_name)?;
        let id = table.id;
        if self.storage.scan(table.view(None)?, None, 1)?.is_empty() {
            self.table_mut(&request.table_name)?.time_to_live = Some(request.time_to_live_specification);
            let head = self.table(&request.table_name)?.head();
            self.storage.keep_head(id, &head)?;
            return Ok(specification);
        }
        invalid("TimeToLive is set before the table has items")
    }

    fn describe(&self, table: &Table) -> Result<Json, Refusal> {
        let items = self.storage.count(table.id)?;
        Ok(table.definition.description(items, table.stream.as_ref().map(|stream| stream.arn.as_str())))
    }
}

fn no_stream(table: &str) -> EngineError {
    EngineError::Database(format!("table {table} has no stream"))
}

fn database(refusal: Refusal) -> EngineError {
    match refusal {
        Refusal::Failed(problem) => EngineError::Database(problem),
        other => EngineError::Database(other.answer().body),
    }
}

/// An answer, and what it has to wait for.
pub(crate) struct Pending {
    pub(crate) answer: Answer,
    pub(crate) tickets: Vec<Ticket>,
}

impl Pending {
    /// Blocks until all that the answer tells of is on the disk.
    pub(crate) fn wait(self) -> Answer {
        for ticket in &self.tickets {
            if let Err(error) = ticket.wait() {
                return Refusal::Failed(error.to_string()).answer();
            }
        }
        self.answer
    }

    /// Waits until all that the answer tells of is on the disk.
    pub(crate) async fn settled(self) -> Answer {
        for ticket in &self.tickets {
            if let Err(error) = ticket.settled().await {
                return Refusal::Failed(error.to_string()).answer();
            }
        }
        self.answer
    }
}

impl Service {
    /// An engine in memory.
    pub(crate) fn new(clock: Clock) -> Self {
        let tables = Tables {
            tables: BTreeMap::new(),
            storage: Box::new(Ordered::default()),
            tokens: Default::default(),
            expressions: Default::default(),
            failures: 0,
        };
        Self { tables: Arc::new(Mutex::new(tables)), clock }
    }

    /// An engine on a database.
    pub(crate) fn on(database: Database, clock: Clock) -> Result<Self, EngineError> {
        let tables = Tables::new(Box::new(Disk::new(database))).map_err(self::database)?;
        Ok(Self { tables: Arc::new(Mutex::new(tables)), clock })
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        // Requests are checked before anything changes, so the state is consistent after a panic.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `operation` with its JSON body.
    pub(crate) fn dispatch(&self, operation: &str, body: &[u8]) -> Pending {
        let mut tickets = Vec::new();
        let answer = self.run(operation, body, &mut tickets).unwrap_or_else(Refusal::answer);
        Pending { answer, tickets }
    }

    fn run(&self, operation: &str, body: &[u8], tickets: &mut Vec<Ticket>) -> Result<Answer, Refusal> {
        let now = (self.clock)();
        match operation {
            "GetItem" => self.answer(body, tickets, |tables, request| tables.get(&request)),
            "BatchGetItem" => self.answer(body, tickets, |tables, request| tables.batch_get(&request)),
            "TransactGetItems" => self.answer(body, tickets, |tables, request| tables.transact_get(&request)),
            "Query" => self.answer(body, tickets, Tables::query),
            "Scan" => self.answer(body, tickets, Tables::scan),
            "PutItem" => self.answer(body, tickets, |tables, PutItem(request)| tables.write(&request, now)),
            "UpdateItem" => {
                self.answer(body, tickets, |tables, UpdateItem(request)| tables.write(&request, now))
            }
            "DeleteItem" => {
                self.answer(body, tickets, |tables, DeleteItem(request)| tables.write(&request, now))
            }
            "TransactWriteItems" => {
                self.answer(body, tickets, |tables, request| tables.transact(request, now))
            }
            "CreateTable" => self.answer(body, tickets, |tables, request| tables.create(request, now)),
            "UpdateTimeToLive" => self.answer(body, tickets, Tables::set_time_to_live),
            "DescribeTable" => self.answer(body, tickets, |tables, request: DescribeTable| {
                Ok(json!({ "Table": tables.describe(tables.table(&request.table_name)?)? }))
            }),
            _ => invalid(format!("{operation} is not supported here")),
        }
    }

    /// Reads a request, runs it under the lock, and writes the answer when the lock is free again. A refusal also tells
    /// what was seen: its tickets are taken too.
    fn answer<Q: DeserializeOwned, R: Serialize>(
        &self,
        body: &[u8],
        tickets: &mut Vec<Ticket>,
        call: impl FnOnce(&mut Tables, Q) -> Result<R, Refusal>,
    ) -> Result<Answer, Refusal> {
        let request = serde_json::from_slice(body).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => Refusal::Validation(error.to_string()),
            _ => Refusal::Malformed(error.to_string()),
        })?;
        let response = {
            let mut tables = self.lock();
            let response = call(&mut tables, request);
            *tickets = tables.storage.tickets();
            response?
        };
        let body = serde_json::to_string(&response).map_err(|error| Refusal::Malformed(error.to_string()))?;
        Ok(Answer { status: 200, body })
    }

    /// Reads from the stream. The records may not be on the disk yet: what their reader writes about them goes to the
    /// same database after them.
    pub(crate) fn read_stream(
        &self,
        table: &str,
        position: &StreamPosition,
        limit: usize,
    ) -> Result<StreamPage, EngineError> {
        let mut behind = position.0.as_deref().map_or(Ok(0), records::number)?;
        let (arn, shard_id, records) = {
            let mut tables = self.lock();
            let known = tables.tables.get(table).ok_or_else(|| no_stream(table))?;
            let stream = known.stream.as_ref().ok_or_else(|| no_stream(table))?;
            let mut found = Vec::new();
            loop {
                let page = tables.storage.records(known.id, behind, limit.min(RECORDS)).map_err(database)?;
                let Some(last) = page.last() else { break };
                behind = last.sequence;
                let whole = page.len() < limit.min(RECORDS);
                found
                    .extend(page.into_iter().filter(|record| stream.wants(record)).take(limit - found.len()));
                if whole || found.len() >= limit {
                    break;
                }
            }
            let seen = (stream.arn.clone(), stream.shard_id.clone(), found);
            drop(tables.storage.tickets());
            seen
        };
        let last = records.last().map(|record| StreamPosition(Some(record.sequence_number())));
        let position = last.unwrap_or_else(|| position.clone());
        let records = records.iter().map(|record| record.json(&arn)).collect();
        Ok(StreamPage { arn, shard_id, records, position })
    }

    pub(crate) fn count_stream(&self, table: &str, position: &StreamPosition) -> Result<u64, EngineError> {
        let behind = position.0.as_deref().map_or(Ok(0), records::number)?;
        let mut tables = self.lock();
        let id = tables.tables.get(table).map(|table| table.id).ok_or_else(|| no_stream(table))?;
        let count = tables.storage.count_records(id, behind).map_err(database);
        drop(tables.storage.tickets());
        count
    }

    pub(crate) fn forget_read(&self, table: &str, position: &StreamPosition) -> Result<(), EngineError> {
        let Some(position) = &position.0 else { return Ok(()) };
        let upto = records::number(position)?;
        let mut tables = self.lock();
        let id = tables.tables.get(table).map(|table| table.id).ok_or_else(|| no_stream(table))?;
        let forgotten = tables.storage.forget(id, upto).map_err(database);
        // Nobody waits for it: a record that is forgotten again does no harm.
        drop(tables.storage.tickets());
        forgotten
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

    /// Deletes expired items, a batch at a time: others are answered in between.
    pub(crate) fn sweep_ttl(&self) -> Result<usize, EngineError> {
        let now = (self.clock)();
        let mut all = 0;
        loop {
            let (swept, tickets) = {
                let mut tables = self.lock();
                (tables.sweep(now), tables.storage.tickets())
            };
            let waited = tickets.iter().try_for_each(Ticket::wait);
            waited.map_err(|error| EngineError::Database(error.to_string()))?;
            match swept.map_err(database)? {
                0 => return Ok(all),
                swept => all += swept,
            }
        }
    }
}
