//! Reference engine for tests: dynoxide, a DynamoDB-compatible engine on SQLite. Tests compare ours with it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use dynoxide::{
    Database, DynoxideError,
    actions::{
        describe_stream::DescribeStreamRequest, get_records::GetRecordsRequest,
        get_shard_iterator::GetShardIteratorRequest, list_streams::ListStreamsRequest,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    answer::Answer,
    error::EngineError,
    stream::{StreamPage, StreamPosition},
};

impl From<DynoxideError> for EngineError {
    fn from(error: DynoxideError) -> Self {
        Self::Database(error.to_string())
    }
}

/// The engine on SQLite. Clones share the data.
#[derive(Clone)]
pub(crate) struct Sqlite {
    db: Database,
    /// Each table's stream and its one shard, cached because a look-up reads every record.
    streams: Arc<Mutex<HashMap<String, (String, String)>>>,
}

impl Sqlite {
    pub(crate) fn memory() -> Result<Self, EngineError> {
        Ok(Self { db: Database::memory()?, streams: Arc::default() })
    }

    pub(crate) fn dispatch(&self, operation: &str, body: &[u8]) -> Answer {
        dispatch(&self.db, operation, body)
    }

    pub(crate) fn sweep_ttl(&self) -> Result<usize, EngineError> {
        Ok(self.db.sweep_ttl()?)
    }

    pub(crate) fn read_stream(
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

/// Runs `operation` (the part of `x-amz-target` after the dot) with its JSON body.
fn dispatch(db: &Database, operation: &str, body: &[u8]) -> Answer {
    let result = match operation {
        "GetItem" => run(body, |r| db.get_item(r)),
        "PutItem" => run(body, |r| db.put_item(r)),
        "UpdateItem" => run(body, |r| db.update_item(r)),
        "DeleteItem" => run(body, |r| db.delete_item(r)),
        "Query" => run(body, |r| db.query(r)),
        "Scan" => run(body, |r| db.scan(r)),
        "BatchGetItem" => run(body, |r| db.batch_get_item(r)),
        "BatchWriteItem" => run(body, |r| db.batch_write_item(r)),
        "TransactWriteItems" => run(body, |r| db.transact_write_items(r)),
        "TransactGetItems" => run(body, |r| db.transact_get_items(r)),
        "CreateTable" => run(body, |r| db.create_table(r)),
        "DescribeTable" => run(body, |r| db.describe_table(r)),
        "UpdateTimeToLive" => run(body, |r| db.update_time_to_live(r)),
        "DescribeTimeToLive" => run(body, |r| db.describe_time_to_live(r)),
        _ => Err(DynoxideError::ValidationException(format!("{operation} is not supported here"))),
    };
    match result {
        Ok(body) => Answer { status: 200, body },
        Err(error) => Answer { status: error.status_code(), body: error.to_json() },
    }
}

fn run<Q, R, F>(body: &[u8], call: F) -> Result<String, DynoxideError>
where
    Q: DeserializeOwned,
    R: Serialize,
    F: FnOnce(Q) -> Result<R, DynoxideError>,
{
    let request = serde_json::from_slice(body)
        .map_err(|error| DynoxideError::SerializationException(error.to_string()))?;
    let response = call(request)?;
    serde_json::to_string(&response).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
