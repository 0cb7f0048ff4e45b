//! Where items, index entries and stream records are kept: in ordered maps, or in the database of one machine.
//!
//! The engine computes a request's changes from what it reads here, and hands all of them over at once. It is the only
//! writer.
pub(crate) mod disk;
mod order;
pub(crate) mod ordered;

use std::collections::BTreeMap;

use guerdon_database::group::Ticket;

use super::{
    definition::ProjectionType,
    error::Refusal,
    expression::KeyRange,
    key::{Key, KeySchema, Place, PrimaryKey},
    records::Record,
    table::Head,
    value::Image,
};

/// The number of a table, in the order in which they were made.
pub(crate) type TableId = u16;

/// A table, or one of its indexes, to read from.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) table: TableId,
    /// The number of the index, from 1; 0 is the table itself.
    pub(crate) index: u8,
    /// The key by which the view is sorted.
    pub(crate) schema: &'a KeySchema,
    /// The table's own key.
    pub(crate) primary: &'a KeySchema,
    /// The index's projection, if it is one.
    pub(crate) projection: Option<ProjectionType>,
}

/// The place where a page of a scan ended.
pub(crate) struct Start {
    pub(crate) hash: Key,
    pub(crate) place: Place,
}

/// An item, or an index's entry, that is put, replaced or removed.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) table: TableId,
    /// As in [`View`].
    pub(crate) index: u8,
    pub(crate) hash: Key,
    pub(crate) place: Place,
    pub(crate) written: Written,
    /// The index's projection, if it is one.
    pub(crate) projection: Option<ProjectionType>,
    /// The time of an item after which it may be deleted, in Unix seconds.
    pub(crate) expires: Option<i64>,
}

/// What becomes of an entry.
#[derive(Debug)]
pub(crate) enum Written {
    /// There was none.
    New(Image),
    /// There was one.
    Replaced(Image),
    /// There is none any more.
    Removed,
}

/// Everything that one request changes: all of it is written, or nothing.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) entries: Vec<Entry>,
    pub(crate) records: Vec<(TableId, Record)>,
    /// The last number of each stream that has taken one.
    pub(crate) last: BTreeMap<TableId, u64>,
}

/// The store of all tables.
pub(crate) trait Storage: Send + std::fmt::Debug {
    /// The tables that were there when it was opened, in the order of their numbers.
    fn heads(&self) -> Result<Vec<Head>, Refusal>;

    /// Keeps a table's definition, stream and TTL attribute, under its number.
    fn keep_head(&mut self, table: TableId, head: &Head) -> Result<(), Refusal>;

    /// An item.
    fn get(&self, table: TableId, key: &PrimaryKey) -> Result<Option<Image>, Refusal>;

    /// Up to `limit` entries of one partition that are within the range, ascending or descending.
    fn partition(
        &self,
        view: View<'_>,
        range: &KeyRange,
        forward: bool,
        limit: usize,
    ) -> Result<Vec<Image>, Refusal>;

    /// Up to `limit` entries of all partitions after `start`, each with its partition.
    fn scan(&self, view: View<'_>, start: Option<&Start>, limit: usize)
    -> Result<Vec<(Key, Image)>, Refusal>;

    /// Up to `limit` items whose time was before `now`.
    fn expired(&self, view: View<'_>, attribute: &str, now: i64, limit: usize)
    -> Result<Vec<Image>, Refusal>;

    /// The number of a table's items.
    fn count(&self, table: TableId) -> Result<usize, Refusal>;

    /// Up to `limit` stream records after a number.
    fn records(&self, table: TableId, behind: u64, limit: usize) -> Result<Vec<Record>, Refusal>;

    /// The number of stream records after a number.
    fn count_records(&self, table: TableId, behind: u64) -> Result<u64, Refusal>;

    /// Deletes stream records up to a number.
    fn forget(&mut self, table: TableId, upto: u64) -> Result<(), Refusal>;

    /// Writes.
    fn write(&mut self, changes: Changes) -> Result<(), Refusal>;

    /// Takes the tickets of everything that was written and seen since the last call.
    fn tickets(&mut self) -> Vec<Ticket> {
        Vec::new()
    }

    /// Groups of writes that failed after they were handed over. When it changes, nothing that the engine remembers of
    /// earlier writes counts.
    fn failures(&self) -> u64 {
        0
    }
}
