//! One batch of the table's stream.

use guerdon_app::{context::App, statistics::project};
use guerdon_runtime::stream::{StreamEvent, StreamResponse, changes};

/// Applies the batch to the projections. After a failure Lambda delivers the batch again from the first failed record;
/// records that were already applied are recognised by their sequence numbers.
pub async fn handle(app: &App, event: StreamEvent) -> StreamResponse {
    let Some(first) = event.records.first().map(|record| record.dynamodb.sequence_number.clone()) else {
        return StreamResponse::default();
    };
    // Counting exactly once needs the shard's id. Lambda sends it only because the trigger has a tumbling window,
    // which must not be removed.
    let Some(shard) = &event.shard_id else {
        tracing::error!("the stream trigger has no tumbling window: nothing is projected");
        return StreamResponse::failed_from(first);
    };
    let (changes, unreadable) = changes(&event);
    if let Err(error) = project(app, shard, &changes).await {
        tracing::error!(code = error.code(), %error, records = changes.len(), "batch not projected");
        return StreamResponse::failed_from(first);
    }
    unreadable.map(StreamResponse::failed_from).unwrap_or_default()
}
