//! The table's change stream, read from the reader's last position.

use serde_json::Value;

use crate::{Engine, EngineError};

/// A reader's position: the sequence number of the last record that it has handled, none at the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamPosition(pub Option<String>);

/// A batch of stream records, oldest first, in the JSON that a Lambda trigger receives.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamPage {
    /// The stream's ARN.
    pub arn: String,
    /// The shard.
    pub shard_id: String,
    /// The records, each an element of the event's `Records`.
    pub records: Vec<Value>,
    /// The position from which to continue.
    pub position: StreamPosition,
}

impl Engine {
    /// Reads up to `limit` records of `table`'s stream after `position`.
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

    /// Deletes the records up to `position` that are older than a week. When the stream has several readers, `position`
    /// must be the one of the slowest reader.
    ///
    /// # Errors
    /// [`EngineError`] when the table has no stream.
    pub fn forget_read(&self, table: &str, position: &StreamPosition) -> Result<(), EngineError> {
        self.backend.forget_read(table, position)
    }
}
