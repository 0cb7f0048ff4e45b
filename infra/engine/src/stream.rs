//! Positions and pages of the table's change stream.

use serde_json::Value;

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
