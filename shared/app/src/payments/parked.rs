//! Provider events that wait for a customer, a payment, a payment's reference or a handler.

use guerdon_domain::ids::PrincipalId;
use guerdon_store::{
    payments::{ParkedEvent, WaitsFor},
    table::{METRICS, metered},
};

use crate::{
    audit::{self, Line},
    context::App,
    error::{AppError, refusal},
};

/// The result of parking an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parked {
    /// The event is parked.
    Waiting,
    /// The awaited record exists now. The caller must handle the event again.
    KnownNow,
}

/// Parks an event until the awaited customer, payment or reference is known.
pub async fn park_until_known(app: &App, event: &ParkedEvent) -> Result<Parked, AppError> {
    metered("park_event", async {
        let writes = app.store.parked().park_until(event, ())?;
        let refused = refusal(app.store.commit(&writes).await)?;
        if refused.is_some() {
            return Ok(Parked::KnownNow);
        }
        count_parked();
        Ok(Parked::Waiting)
    })
    .await
}

/// Parks an event for which this version has no handler, so that no event is lost.
pub async fn park_for_handler(app: &App, event: &ParkedEvent) -> Result<(), AppError> {
    debug_assert!(matches!(event.waits_for, WaitsFor::Handler { .. }));
    metered("park_event", async {
        app.store.parked().park(event).await?;
        count_parked();
        Ok(())
    })
    .await
}

fn count_parked() {
    tracing::info!(target: METRICS, parked_events = 1);
}

/// Passes every event that waited for the same record to `replay`, oldest first, and removes each handled
/// event. After an interruption, the next call continues with the rest. Replaying an event twice is harmless.
///
/// # Errors
/// Returns the first error of the table or of `replay`; the remaining events stay parked.
pub async fn replay_parked<F, R>(app: &App, waits_for: &WaitsFor, mut replay: F) -> Result<u32, AppError>
where
    F: FnMut(ParkedEvent) -> R,
    R: Future<Output = Result<(), AppError>>,
{
    metered("replay_parked", async {
        let mut replayed = 0;
        for event in app.store.parked().waiting_for(waits_for).await? {
            replay(event.clone()).await?;
            app.store.parked().remove(&event).await?;
            replayed += 1;
        }
        Ok(replayed)
    })
    .await
}

/// The reason why an event is not replayed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayRefusal {
    /// The event is not parked, or no longer parked.
    #[error("no such event is parked")]
    Unknown,
    /// The event waits for a version that has a handler for it.
    #[error("this version has no handler for it; the one that has plays it by itself")]
    NoHandler,
    /// The operation did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

/// Lists a page of at most `limit` (up to 100) parked events, those that have waited longest first, after the
/// event with this [`waiting_place`](ParkedEvent::waiting_place).
pub async fn parked_events(app: &App, after: Option<&str>, limit: i32) -> Result<Vec<ParkedEvent>, AppError> {
    metered("parked_events", async { Ok(app.store.parked().list(after, limit.clamp(1, 100)).await?) }).await
}

/// Requests a replay of the event at a [`place`](ParkedEvent::place), with an audit line, in one transaction.
pub async fn request_replay(
    app: &App,
    operator: &PrincipalId,
    place: &(String, String),
) -> Result<ParkedEvent, ReplayRefusal> {
    metered("request_replay", async {
        let event = app.store.parked().at(place).await.map_err(AppError::from)?;
        let event = event.ok_or(ReplayRefusal::Unknown)?;
        if matches!(event.waits_for, WaitsFor::Handler { .. }) {
            return Err(ReplayRefusal::NoHandler);
        }
        let now = app.now();
        let states = ["\"parked\"", "\"replay requested\""].map(str::to_owned);
        let line = Line::new("event.replay").because(event.event_id.as_str()).states(states);
        let line = audit::line(format!("replay-{}", event.event_id), now, operator, line);
        let writes = [
            app.store.parked().request_replay(&event, now, ()).map_err(AppError::from)?,
            app.store.audit().insert(&line, ()).map_err(AppError::from)?,
        ];
        match refusal(app.store.commit(&writes).await)? {
            None => Ok(ParkedEvent { replay_requested_at: Some(now), ..event }),
            Some(()) => Err(ReplayRefusal::Unknown),
        }
    })
    .await
}
