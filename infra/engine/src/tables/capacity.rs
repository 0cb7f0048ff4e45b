//! Costs of requests. Units are counted in halves: an eventually consistent read may cost half a unit.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Number as JsonNumber, Value as Json, json};

use super::requests::ReturnCapacity;

/// Half capacity units.
pub(crate) type Halves = u64;

/// The cost of one write.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WriteCost {
    /// Whole units of the table, for a write outside of a transaction.
    pub(crate) table: u64,
    /// Whole units of its indexes.
    pub(crate) indexes: u64,
    /// Bytes of the larger of the two images.
    pub(crate) bytes: usize,
}

impl WriteCost {
    pub(crate) const fn halves(self) -> Halves {
        2 * (self.table + self.indexes)
    }

    /// In a transaction the table's part counts twice, the indexes' part once.
    pub(crate) const fn transactional_halves(self) -> Halves {
        2 * (2 * self.table + self.indexes)
    }
}

/// The units for writing so many bytes: one for each started KB, at least one.
pub(crate) fn write_units(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(1024).max(1)
}

/// The cost of reading so many bytes at once: a unit for each started 4 KB, half of it if the read is eventually
/// consistent.
pub(crate) fn read_halves(bytes: usize, consistent: bool) -> Halves {
    (bytes as u64).div_ceil(4096).max(1) * if consistent { 2 } else { 1 }
}

/// The cost of reading so many bytes in a transaction.
pub(crate) fn transactional_read_halves(bytes: usize) -> Halves {
    2 * read_halves(bytes, true)
}

/// `ConsumedCapacity` of one table.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Consumed {
    table_name: String,
    capacity_units: Json,
}

impl Consumed {
    /// The cost, if it was asked for.
    pub(crate) fn new(wanted: ReturnCapacity, table: &str, halves: Halves) -> Option<Self> {
        (wanted == ReturnCapacity::Total)
            .then(|| Self { table_name: table.to_owned(), capacity_units: units(halves) })
    }

    /// The costs of several tables, if they were asked for.
    pub(crate) fn of_tables(wanted: ReturnCapacity, tables: BTreeMap<String, Halves>) -> Option<Vec<Self>> {
        tables.into_iter().map(|(table, halves)| Self::new(wanted, &table, halves)).collect()
    }
}

fn units(halves: Halves) -> Json {
    if halves.is_multiple_of(2) {
        return json!(halves / 2);
    }
    format!("{}.5", halves / 2).parse::<JsonNumber>().map_or(Json::Null, Json::Number)
}
