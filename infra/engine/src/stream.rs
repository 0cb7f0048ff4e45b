//! The table's change stream, read from where the reader left off.

use serde_json::Value;

use crate::{Engine, EngineError};

/// Where a reader stands: the sequence number of the last record it has handled, none at the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamPosition(pub Option<String>);

/// Some records of the stream, oldest first, in the JSON that a Lambda trigger hands over.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamPage {
    /// The stream's ARN.
    pub arn: String,
    /// The shard.
    pub shard_id: String,
    /// The records, each an element of the event's `Records`.
    pub records: Vec<Value>,
    /// Where to go on.
    pub position: StreamPosition,
}

impl Engine {
    /// Reads up to `limit` records of `table`'s stream behind `position`.
    ///
    /// # Errors
    /// [`EngineError`] when the table has no stream.
    pub fn read_stream(
        &self,
        table: &str,
        position: &StreamPosition,
        limit: usize,
    ) -> Result<StreamPage, EngineError> {
        self.backend.read_stream(table, position, limit)
    }

    /// Forgets the records up to `position` that are older than a week. Where several read the stream, it is the
    /// position of the one that is furthest behind.
    ///
    /// # Errors
    /// [`EngineError`] when the table has no stream.
    pub fn forget_read(&self, table: &str, position: &StreamPosition) -> Result<(), EngineError> {
        self.backend.forget_read(table, position)
    }
}
