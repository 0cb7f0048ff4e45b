//! The table's change stream, read from where the reader left off.

use std::{path::Path, sync::PoisonError};

use dynoxide::actions::{
    describe_stream::DescribeStreamRequest, get_records::GetRecordsRequest,
    get_shard_iterator::GetShardIteratorRequest, list_streams::ListStreamsRequest,
};
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
        let (arn, shard_id) = self.shard(table)?;
        let iterator = self.db.get_shard_iterator(GetShardIteratorRequest {
            stream_arn: arn.clone(),
            shard_id: shard_id.clone(),
            shard_iterator_type: position
                .0
                .as_ref()
                .map_or("TRIM_HORIZON", |_| "AFTER_SEQUENCE_NUMBER")
                .into(),
            sequence_number: position.0.clone(),
        })?;
        let shard_iterator = iterator.shard_iterator.unwrap_or_default();
        let page = self.db.get_records(GetRecordsRequest { shard_iterator, limit: Some(limit) })?;
        let last = page.records.last().map(|record| record.dynamodb.sequence_number.clone());
        let mut records = Vec::with_capacity(page.records.len());
        for record in page.records {
            let mut value = serde_json::to_value(record)?;
            value["eventSourceARN"] = Value::String(arn.clone());
            records.push(value);
        }
        let position = last.map_or_else(|| position.clone(), |last| StreamPosition(Some(last)));
        Ok(StreamPage { arn, shard_id, records, position })
    }

    fn shard(&self, table: &str) -> Result<(String, String), EngineError> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = streams.get(table) {
            return Ok(known.clone());
        }
        let found = self.find_shard(table)?;
        streams.insert(table.to_owned(), found.clone());
        Ok(found)
    }

    fn find_shard(&self, table: &str) -> Result<(String, String), EngineError> {
        let missing = || EngineError::Database(format!("table {table} has no stream"));
        let request: ListStreamsRequest = serde_json::from_value(serde_json::json!({ "TableName": table }))?;
        let streams = serde_json::to_value(self.db.list_streams(request)?)?;
        let arn = streams["Streams"][0]["StreamArn"].as_str().ok_or_else(missing)?.to_owned();
        let request: DescribeStreamRequest = serde_json::from_value(serde_json::json!({ "StreamArn": arn }))?;
        let stream = serde_json::to_value(self.db.describe_stream(request)?)?;
        let shard = &stream["StreamDescription"]["Shards"][0]["ShardId"];
        Ok((arn, shard.as_str().ok_or_else(missing)?.to_owned()))
    }
}

/// Prepares the engine's file before it is opened for use.
///
/// The engine looks for the highest sequence number by reading every stream record at every write; the
/// index turns that into one step. Records older than a week are dropped (DynamoDB keeps a day; a laptop may sleep longer).
pub(crate) fn index_and_trim(path: &Path) -> Result<(), EngineError> {
    let file = rusqlite::Connection::open(path)?;
    file.execute_batch(
        "CREATE INDEX IF NOT EXISTS guerdon_stream_sequence
            ON _stream_records (table_name, CAST(sequence_number AS INTEGER));
         DELETE FROM _stream_records WHERE created_at < unixepoch() - 604800;",
    )?;
    Ok(())
}
