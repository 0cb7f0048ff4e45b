//! One request of the DynamoDB JSON protocol against the embedded database.

use dynoxide::{Database, DynoxideError};
use serde::{Serialize, de::DeserializeOwned};

/// Status and JSON body of the answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Runs `operation` (the part of `x-amz-target` behind the dot) with its JSON body.
pub(crate) fn dispatch(db: &Database, operation: &str, body: &[u8]) -> Answer {
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
