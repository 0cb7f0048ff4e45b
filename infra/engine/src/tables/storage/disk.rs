//! The database of one machine: items by their keys, the indexes' entries, and the stream.
//!
//! Items and records are kept as the JSON of the API, so that a person can read them with any SQLite. A row's checksum
//! is its page's.

use std::{cell::RefCell, ops::Bound};

use guerdon_database::{database::Database, error::DatabaseError, group::Ticket};
use rusqlite::{Connection, OptionalExtension, Row, params, types::ValueRef};
use serde::{Serialize, de::DeserializeOwned};

use super::{Changes, Entry, Start, Storage, TableId, View, Written, order};
use crate::tables::{
    definition::ProjectionType,
    error::Refusal,
    expression::KeyRange,
    key::{Key, PrimaryKey},
    records::Record,
    table::Head,
    value::Image,
};

/// The tables of the database that the engine needs.
pub(crate) const SCHEMA: &str = "
    CREATE TABLE tables (id INTEGER PRIMARY KEY, head TEXT NOT NULL, last INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE items (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL UNIQUE,
        item TEXT NOT NULL,
        expires INTEGER);
    CREATE INDEX expiring ON items (expires) WHERE expires IS NOT NULL;
    CREATE TABLE entries (key BLOB PRIMARY KEY, item TEXT) WITHOUT ROWID;
    CREATE TABLE records (id INTEGER PRIMARY KEY, record TEXT NOT NULL);";

/// Bits of a record's number in the identity of its row; the table's number is before them.
const RECORD_BITS: u32 = 47;

/// The tables on a database.
#[derive(Debug)]
pub(crate) struct Disk {
    database: Database,
    /// The tickets of what was read and written since they were last taken.
    tickets: RefCell<Vec<Ticket>>,
}

impl Disk {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, tickets: RefCell::default() }
    }

    fn keep(&self, ticket: Ticket) {
        if !ticket.is_settled() {
            let mut tickets = self.tickets.borrow_mut();
            if !tickets.iter().any(|kept| kept.is_same(&ticket)) {
                tickets.push(ticket);
            }
        }
    }

    fn read<R>(&self, look: impl FnOnce(&Connection) -> rusqlite::Result<R>) -> Result<R, Refusal> {
        let (seen, ticket) = self.database.read(look).map_err(|error| failed(&error))?;
        self.keep(ticket);
        Ok(seen)
    }

    fn change<R>(&self, change: impl FnOnce(&Connection) -> rusqlite::Result<R>) -> Result<R, Refusal> {
        let (done, ticket) = self.database.write(change).map_err(|error| failed(&error))?;
        self.keep(ticket);
        Ok(done)
    }
}

fn failed(error: &DatabaseError) -> Refusal {
    Refusal::Failed(error.to_string())
}

/// The row's text is not what was written, although its page's checksum is right.
fn unreadable(column: usize, error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}

fn parsed<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_bytes()?;
    serde_json::from_slice(text).map_err(|error| unreadable(column, error))
}

fn text<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// The entry of a view, of its key and, where there is one, its text.
fn entry(view: View<'_>, row: &Row<'_>) -> rusqlite::Result<Image> {
    if row.get_ref(1)? != ValueRef::Null {
        return parsed(row, 1);
    }
    let key = row.get_ref(0)?.as_bytes()?;
    let attributes = order::attributes_of(view, key);
    attributes
        .map(Image::new)
        .ok_or_else(|| rusqlite::Error::InvalidColumnType(0, "key".to_owned(), rusqlite::types::Type::Blob))
}

const fn record_id(table: TableId, sequence: u64) -> i64 {
    ((table as i64) << RECORD_BITS) | (sequence.cast_signed() & ((1 << RECORD_BITS) - 1))
}

impl Storage for Disk {
    fn heads(&self) -> Result<Vec<Head>, Refusal> {
        self.read(|file| {
            let sql = "SELECT head, last FROM tables ORDER BY id";
            file.prepare(sql)?
                .query_map([], |row| {
                    let head: Head = parsed(row, 0)?;
                    Ok(Head { last: row.get::<_, i64>(1)?.cast_unsigned(), ..head })
                })?
                .collect()
        })
    }

    fn keep_head(&mut self, table: TableId, head: &Head) -> Result<(), Refusal> {
        self.change(|file| {
            let sql = "INSERT INTO tables (id, head) VALUES (?1, ?2)
                       ON CONFLICT (id) DO UPDATE SET head = excluded.head";
            file.execute(sql, params![table, text(head)?]).map(|_| ())
        })
    }

    fn get(&self, table: TableId, key: &PrimaryKey) -> Result<Option<Image>, Refusal> {
        self.read(|file| {
            let sql = "SELECT item FROM items WHERE key = ?1";
            let key = order::of_item(table, key);
            file.prepare_cached(sql)?.query_row([key], |row| parsed(row, 0)).optional()
        })
    }

    fn partition(
        &self,
        view: View<'_>,
        range: &KeyRange,
        forward: bool,
        limit: usize,
    ) -> Result<Vec<Image>, Refusal> {
        if range.is_crossed() {
            return Ok(Vec::new());
        }
        let (from, to) = order::of_range(view, &range.hash, &range.from, &range.to);
        self.range(view, (&from, &to), forward, limit, entry)
    }

    fn scan(
        &self,
        view: View<'_>,
        start: Option<&Start>,
        limit: usize,
    ) -> Result<Vec<(Key, Image)>, Refusal> {
        let all = order::of_view(view.table, view.index);
        let from = match start {
            Some(start) => {
                Bound::Excluded(order::of_entry(view.table, view.index, &start.hash, &start.place))
            }
            None => Bound::Included(all.clone()),
        };
        let to = Bound::Excluded(order::behind(all));
        self.range(view, (&from, &to), true, limit, |view, row| {
            let partition = order::partition_of(row.get_ref(0)?.as_bytes()?);
            let partition = partition.ok_or(rusqlite::Error::InvalidQuery)?;
            Ok((partition, entry(view, row)?))
        })
    }

    fn expired(&self, view: View<'_>, _: &str, now: i64, limit: usize) -> Result<Vec<Image>, Refusal> {
        let (from, to) = (order::of_view(view.table, 0), order::behind(order::of_view(view.table, 0)));
        self.read(|file| {
            let sql = "SELECT item FROM items
                       WHERE expires < ?1 AND key >= ?2 AND key < ?3 ORDER BY expires LIMIT ?4";
            file.prepare_cached(sql)?
                .query_map(params![now, from, to, row_limit(limit)], |row| parsed(row, 0))?
                .collect()
        })
    }

    fn count(&self, table: TableId) -> Result<usize, Refusal> {
        let (from, to) = (order::of_view(table, 0), order::behind(order::of_view(table, 0)));
        self.read(|file| {
            let sql = "SELECT COUNT(*) FROM items WHERE key >= ?1 AND key < ?2";
            file.query_row(sql, [from, to], |row| row.get(0))
        })
    }

    fn records(&self, table: TableId, behind: u64, limit: usize) -> Result<Vec<Record>, Refusal> {
        let (from, to) = (record_id(table, behind), record_id(table + 1, 0));
        self.read(|file| {
            let sql = "SELECT record FROM records WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3";
            file.prepare_cached(sql)?
                .query_map(params![from, to, row_limit(limit)], |row| parsed(row, 0))?
                .collect()
        })
    }

    fn count_records(&self, table: TableId, behind: u64) -> Result<u64, Refusal> {
        let (from, to) = (record_id(table, behind), record_id(table + 1, 0));
        self.read(|file| {
            let sql = "SELECT COUNT(*) FROM records WHERE id > ?1 AND id < ?2";
            file.prepare_cached(sql)?.query_row([from, to], |row| row.get(0))
        })
    }

    fn forget(&mut self, table: TableId, upto: u64) -> Result<(), Refusal> {
        let (from, to) = (record_id(table, 0), record_id(table, upto));
        self.change(|file| {
            let sql = "DELETE FROM records WHERE id >= ?1 AND id <= ?2";
            file.prepare_cached(sql)?.execute([from, to]).map(|_| ())
        })
    }

    fn write(&mut self, changes: Changes) -> Result<(), Refusal> {
        self.change(|file| {
            changes.entries.iter().try_for_each(|entry| match entry.index {
                0 => put_item(file, entry),
                _ => put_entry(file, entry),
            })?;
            for (table, record) in &changes.records {
                let sql = "INSERT INTO records (id, record) VALUES (?1, ?2)";
                file.prepare_cached(sql)?
                    .execute(params![record_id(*table, record.sequence), text(record)?])?;
            }
            for (table, last) in &changes.last {
                let sql = "UPDATE tables SET last = ?2 WHERE id = ?1";
                file.prepare_cached(sql)?.execute(params![table, last.cast_signed()])?;
            }
            Ok(())
        })
    }

    fn tickets(&mut self) -> Vec<Ticket> {
        self.tickets.take()
    }

    fn failures(&self) -> u64 {
        self.database.failures()
    }
}

fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn put_item(file: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let key = order::of_entry(entry.table, 0, &entry.hash, &entry.place);
    match &entry.written {
        Written::New(image) => {
            let sql = "INSERT INTO items (key, item, expires) VALUES (?1, ?2, ?3)";
            file.prepare_cached(sql)?.execute(params![key, text(image)?, entry.expires])?;
        }
        Written::Replaced(image) => {
            let sql = "UPDATE items SET item = ?2, expires = ?3 WHERE key = ?1";
            file.prepare_cached(sql)?.execute(params![key, text(image)?, entry.expires])?;
        }
        Written::Removed => {
            file.prepare_cached("DELETE FROM items WHERE key = ?1")?.execute([key])?;
        }
    }
    Ok(())
}

/// An entry of an index. Where the index holds keys only, the entry's key says all.
fn put_entry(file: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let key = order::of_entry(entry.table, entry.index, &entry.hash, &entry.place);
    match &entry.written {
        Written::New(image) | Written::Replaced(image) => {
            let item = match entry.projection {
                Some(ProjectionType::All) => Some(text(image)?),
                _ => None,
            };
            let sql = "INSERT INTO entries (key, item) VALUES (?1, ?2)
                       ON CONFLICT (key) DO UPDATE SET item = excluded.item";
            file.prepare_cached(sql)?.execute(params![key, item])?;
        }
        Written::Removed => {
            file.prepare_cached("DELETE FROM entries WHERE key = ?1")?.execute([key])?;
        }
    }
    Ok(())
}

/// The comparisons that a range's bounds need, both directions, of the table's items and of the indexes' entries.
const fn range_sql(items: bool, forward: bool, from: &Bound<Vec<u8>>, to: &Bound<Vec<u8>>) -> &'static str {
    macro_rules! sql {
        ($table:literal, $from:literal, $to:literal, $order:literal) => {
            concat!(
                "SELECT key, item FROM ",
                $table,
                " WHERE key ",
                $from,
                " ?1 AND key ",
                $to,
                " ?2 ORDER BY key ",
                $order,
                " LIMIT ?3"
            )
        };
    }
    macro_rules! ordered {
        ($table:literal, $from:literal, $to:literal) => {
            if forward { sql!($table, $from, $to, "ASC") } else { sql!($table, $from, $to, "DESC") }
        };
    }
    macro_rules! of {
        ($from:literal, $to:literal) => {
            if items { ordered!("items", $from, $to) } else { ordered!("entries", $from, $to) }
        };
    }
    match (from, to) {
        (Bound::Excluded(_), Bound::Included(_)) => of!(">", "<="),
        (Bound::Excluded(_), _) => of!(">", "<"),
        (_, Bound::Included(_)) => of!(">=", "<="),
        (_, _) => of!(">=", "<"),
    }
}

impl Disk {
    fn range<T>(
        &self,
        view: View<'_>,
        (from, to): (&Bound<Vec<u8>>, &Bound<Vec<u8>>),
        forward: bool,
        limit: usize,
        read: impl Fn(View<'_>, &Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Refusal> {
        let (Bound::Included(first) | Bound::Excluded(first), Bound::Included(end) | Bound::Excluded(end)) =
            (from, to)
        else {
            return Ok(Vec::new());
        };
        let sql = range_sql(view.index == 0, forward, from, to);
        self.read(|file| {
            file.prepare_cached(sql)?
                .query_map(params![first, end, row_limit(limit)], |row| read(view, row))?
                .collect()
        })
    }
}
