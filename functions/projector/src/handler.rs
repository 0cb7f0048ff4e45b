//! One batch of the table's stream.

use guerdon_app::{context::App, statistics::project};
use guerdon_runtime::stream::{StreamEvent, StreamResponse, changes};

/// Takes the batch into the projections. What fails is delivered again from its first record on; what was
/// taken in already is recognised by its sequence number.
pub async fn handle(app: &App, event: StreamEvent) -> StreamResponse {
    let Some(first) = event.records.first().map(|record| record.dynamodb.sequence_number.clone()) else {
        return StreamResponse::default();
    };
    // Without a shard's id there is nothing to count exactly once by. The trigger's tumbling window, which
    // brings it, must not be removed.
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
