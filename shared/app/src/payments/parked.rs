//! Events of a provider that wait for a customer, a payment, another name of one, or a rule.

use guerdon_store::{
    payments::{ParkedEvent, PaymentReference, WaitsFor},
    table::{METRICS, metered},
};

use crate::{
    audit::{self, Line},
    context::App,
    error::{AppError, refusal},
};

/// What parking came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parked {
    /// It waits.
    Waiting,
    /// What it would wait for has appeared meanwhile: handle the event again.
    KnownNow,
}

/// Parks an event until the customer, the payment or the reference it waits for is known.
///
/// # Errors
/// [`AppError`].
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

/// Ties a provider's other name for a payment, such as its payment intent, to the payment. Events that
/// wait for the name can be replayed then.
///
/// # Errors
/// [`AppError`].
pub async fn tie_reference(app: &App, tie: &PaymentReference) -> Result<(), AppError> {
    metered("tie_reference", async { Ok(app.store.customers().tie_reference(tie).await?) }).await
}

/// Keeps an event whose handling this version does not have. Nothing is dropped.
///
/// # Errors
/// [`AppError`].
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

/// Hands every event that waited for the same thing to `replay`, oldest first, and forgets each one that was
/// taken. Cut off in between, the rest is replayed by the next call; what was replayed twice is harmless.
///
/// # Errors
/// [`AppError`] of the table or of `replay`.
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
    metered("parked_events", async { Ok(app.store.parked().list(after, limit.clamp(1, 100)).await?) }).await
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
