//! The table's stream in the format of a Lambda trigger.

use guerdon_app::error::AppError;
use guerdon_store::changes::Change;
use serde::{Deserialize, Serialize};

/// A batch of stream records. `shardId` is present only because the trigger has a tumbling window.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct StreamEvent {
    /// The records, oldest first.
    #[serde(rename = "Records", default)]
    pub records: Vec<StreamRecord>,
    /// The shard they come from.
    #[serde(rename = "shardId")]
    pub shard_id: Option<String>,
}

/// A record.
#[derive(Debug, Clone, Deserialize)]
pub struct StreamRecord {
    /// The change.
    pub dynamodb: StreamChange,
}

/// The change in a record.
#[derive(Debug, Clone, Deserialize)]
pub struct StreamChange {
    /// The item after it.
    #[serde(rename = "NewImage")]
    pub new_image: Option<serde_dynamo::Item>,
    /// The item before it.
    #[serde(rename = "OldImage")]
    pub old_image: Option<serde_dynamo::Item>,
    /// The sequence number, which orders the records of a shard.
    #[serde(rename = "SequenceNumber")]
    pub sequence_number: String,
}

/// Answer of a stream function: the first record that failed. Lambda delivers again from there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StreamResponse {
    /// At most one: all records after it are delivered again as well.
    #[serde(rename = "batchItemFailures")]
    pub batch_item_failures: Vec<FailedRecord>,
    /// The tumbling window's state, which we do not use; Lambda requires it in the answer.
    pub state: serde_json::Map<String, serde_json::Value>,
}

/// A record to deliver again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedRecord {
    /// Its sequence number.
    #[serde(rename = "itemIdentifier")]
    pub item_identifier: String,
}

impl StreamResponse {
    /// Reports that everything from `sequence` on must be delivered again.
    pub fn failed_from(sequence: impl Into<String>) -> Self {
        let failed = FailedRecord { item_identifier: sequence.into() };
        Self { batch_item_failures: vec![failed], ..Self::default() }
    }
}

/// Decodes the readable changes at the start of a batch, and the sequence number of the first unreadable record.
pub fn changes(event: &StreamEvent) -> (Vec<Change>, Option<String>) {
    let mut changes = Vec::with_capacity(event.records.len());
    for record in &event.records {
        let sequence = &record.dynamodb.sequence_number;
        match change(&record.dynamodb) {
            Ok(change) => changes.push(change),
            Err(error) => {
                tracing::error!(sequence, %error, "stream record is unreadable");
                return (changes, Some(sequence.clone()));
            }
        }
    }
    (changes, None)
}

fn change(record: &StreamChange) -> Result<Change, AppError> {
    let (before, after) = (record.old_image.clone(), record.new_image.clone());
    Ok(Change::from_images(&record.sequence_number, before, after)?)
}
