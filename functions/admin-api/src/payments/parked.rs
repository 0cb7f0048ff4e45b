//! Events of providers that wait, and playing them again.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    idempotency::{Kept, Write, once},
    input::encode_cursor,
    output::{Page, Refusal},
    paging::Paged,
    refusals::unchanged,
};
use guerdon_app::{
    error::AppError,
    payments::{ReplayRefusal, parked_events, request_replay},
    stored::{ParkedEvent, WaitsFor},
};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    input::{ListQuery, cursor},
    state::Api,
};

#[derive(Serialize, ToSchema)]
struct ParkedView {
    /// For `/replay`.
    id: String,
    /// The provider's id.
    event_id: String,
    /// The event's type, as `invoice.paid`.
    kind: String,
    /// `customer`, `payment`, `reference` or `handler`.
    waits_for: &'static str,
    /// Of which id.
    awaited: String,
    created_at: String,
    parked_at: String,
    replay_requested_at: Option<String>,
}

fn view(event: &ParkedEvent) -> Result<ParkedView, AppError> {
    let (waits_for, awaited) = match &event.waits_for {
        WaitsFor::Customer { customer } => ("customer", customer.to_string()),
        WaitsFor::Payment { payment } => ("payment", payment.to_string()),
        WaitsFor::Reference { reference } => ("reference", reference.to_string()),
        WaitsFor::Handler { kind } => ("handler", kind.clone()),
    };
    Ok(ParkedView {
        id: encode_cursor(&event.place())?,
        event_id: event.event_id.clone(),
        kind: event.event_kind.clone(),
        waits_for,
        awaited,
        created_at: event.created.to_string(),
        parked_at: event.parked_at.to_string(),
        replay_requested_at: event.replay_requested_at.map(|at| at.to_string()),
    })
}

/// Events that wait, the longest waiting first. What is in them is not shown.
#[utoipa::path(
    get,
    path = "/api/admin/parked",
    tag = "parked events",
    params(ListQuery),
    responses((status = 200, description = "A page", body = Page<ParkedView>))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Paged { limit, after, .. }: Paged<ListQuery, String>,
) -> Result<Response, Refusal> {
    let limit = limit.min(100);
    let found = parked_events(&api.gate.app, after.as_deref(), limit).await?;
    let next_cursor = crate::input::next_cursor(&found, limit, ParkedEvent::waiting_place)?;
    let items = found.iter().map(view).collect::<Result<Vec<_>, _>>()?;
    Ok(Json(Page { items, next_cursor }).into_response())
}

/// Plays an event again, with all others that wait for the same thing, in their order. What still cannot be handled
/// is parked again.
#[utoipa::path(
    post,
    path = "/api/admin/parked/{id}/replay",
    tag = "parked events",
    params(("id" = String, Path)),
    responses((status = 202, description = "It will be played again in a moment", body = ParkedView))
)]
pub(crate) async fn replay(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    once(&api.gate, &write, async {
        let place: Option<(String, String)> = cursor(Some(&id)).ok().flatten();
        let place = place.ok_or_else(|| refused(ReplayRefusal::Unknown))?;
        let event = request_replay(&api.gate.app, &write.principal.name, &place).await.map_err(refused)?;
        Kept::new(StatusCode::ACCEPTED, &view(&event)?)
    })
    .await
}

fn refused(refusal: ReplayRefusal) -> Refusal {
    match refusal {
        ReplayRefusal::App(error) => error.into(),
        ReplayRefusal::Unknown => unchanged(StatusCode::NOT_FOUND, "unknown_event", "Unknown event", refusal),
        ReplayRefusal::NoHandler => {
            unchanged(StatusCode::UNPROCESSABLE_ENTITY, "no_handler", "Cannot be done", refusal)
        }
    }
}
