//! Parked events as operators see them. Playing one again is asked for in the table; the stream tells the worker.

use guerdon_store::{AuditRecord, ParkedEvent, WaitsFor, metered};

use crate::{App, AppError, error::refusal};

/// Why an event is not played again. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayRefusal {
    /// It is not parked, or not any more.
    #[error("no such event is parked")]
    Unknown,
    /// It waits for a version that can handle it.
    #[error("this version has no handler for it; the one that has plays it by itself")]
    NoHandler,
    /// It did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

/// A page of parked events, the longest waiting first, after the one with this
/// [`waiting_place`](ParkedEvent::waiting_place), at most `limit` (100).
///
/// # Errors
/// [`AppError`].
pub async fn parked_events(app: &App, after: Option<&str>, limit: i32) -> Result<Vec<ParkedEvent>, AppError> {
    metered("parked_events", async { Ok(app.store.parked(after, limit.clamp(1, 100)).await?) }).await
}

/// Asks for the event at a [`place`](ParkedEvent::place) to be played again, with an audit line: one transaction.
///
/// # Errors
/// [`ReplayRefusal`].
pub async fn request_replay(
    app: &App,
    operator: &str,
    place: &(String, String),
) -> Result<ParkedEvent, ReplayRefusal> {
    metered("request_replay", async {
        let event = app.store.parked_at(place).await.map_err(AppError::from)?;
        let event = event.ok_or(ReplayRefusal::Unknown)?;
        if matches!(event.waits_for, WaitsFor::Handler { .. }) {
            return Err(ReplayRefusal::NoHandler);
        }
        let now = app.now();
        let line = AuditRecord {
            id: format!("replay-{}", event.event_id),
            at: now,
            principal: operator.to_owned(),
            action: "event.replay".to_owned(),
            member: None,
            reason: event.event_id.clone(),
            before: "\"parked\"".to_owned(),
            after: "\"replay requested\"".to_owned(),
        };
        let writes = [
            app.store.request_replay(&event, now, ()).map_err(AppError::from)?,
            app.store.insert_audit(&line, ()).map_err(AppError::from)?,
        ];
        match refusal(app.store.commit(&writes).await)? {
            None => Ok(ParkedEvent { replay_requested_at: Some(now), ..event }),
            Some(()) => Err(ReplayRefusal::Unknown),
        }
    })
    .await
}
