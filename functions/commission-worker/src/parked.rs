//! Parked events: those that arrived before what they depend on. The table keeps them until the queue gets them again.

use guerdon_app::{
    error::AppError,
    payments::{Parked, park_for_handler, park_until_known, replay_parked},
    stored::{ParkedEvent, WaitsFor},
};

use crate::{
    message::{Received, again},
    worker::Worker,
};

/// Parks an event until the record that it waits for exists.
pub(crate) async fn park(
    worker: &Worker,
    received: &Received<'_>,
    waits_for: WaitsFor,
) -> Result<Parked, AppError> {
    let event = &received.event;
    let parked = ParkedEvent {
        event_id: event.id.clone(),
        waits_for,
        event_kind: event.kind.clone(),
        created: event.created,
        parked_at: received.known_at,
        body: received.body.clone().into_owned(),
        replay_requested_at: None,
        replays: received.replays,
    };
    if let WaitsFor::Handler { .. } = &parked.waits_for {
        park_for_handler(&worker.app, &parked).await?;
        return Ok(Parked::Waiting);
    }
    let outcome = park_until_known(&worker.app, &parked).await?;
    if outcome == Parked::Waiting {
        tracing::info!(event_id = event.id, kind = event.kind, "parked: what it depends on is not known yet");
    }
    Ok(outcome)
}

/// Puts the events that waited for this back into the queue.
pub(crate) async fn replay(worker: &Worker, waits_for: &WaitsFor) -> Result<(), AppError> {
    let replayed = replay_parked(&worker.app, waits_for, |event| async move {
        Ok(worker.payments.send(again(event)?).await?)
    })
    .await?;
    if replayed > 0 {
        tracing::info!(replayed, "parked events replayed");
    }
    Ok(())
}
