//! One batch of the table's stream, published on the bus.

use std::sync::Arc;

use guerdon_app::events::announcement_of;
use guerdon_runtime::{
    bus::EventBus,
    stream::{StreamEvent, StreamResponse, changes},
};

/// Publishes the domain events of the batch's changes. A failed batch is published again as a whole: receivers
/// recognise an event by its natural key.
pub async fn handle(bus: &Arc<dyn EventBus>, event: StreamEvent) -> StreamResponse {
    let Some(first) = event.records.first().map(|record| record.dynamodb.sequence_number.clone()) else {
        return StreamResponse::default();
    };
    let (changes, unreadable) = changes(&event);
    let events: Vec<_> = changes.iter().filter_map(announcement_of).collect();
    if !events.is_empty()
        && let Err(error) = bus.publish(&events).await
    {
        tracing::error!(%error, events = events.len(), "batch not published");
        return StreamResponse::failed_from(first);
    }
    unreadable.map(StreamResponse::failed_from).unwrap_or_default()
}
