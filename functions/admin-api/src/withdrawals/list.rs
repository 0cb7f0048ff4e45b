//! Lists of withdrawals.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    output::{Page, Refusal},
    pages,
    paging::Paged,
};
use guerdon_app::{
    statistics::LONGEST_PAGE,
    withdrawals::{withdrawals_in, withdrawals_of},
};
use guerdon_domain::{ids::WithdrawalId, withdrawals::WithdrawalState};
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::{self, WithdrawalView, id, load, view_of};
use crate::{
    csv,
    input::{self, ListingQuery, bad_request, next_cursor},
    members::known::known,
    state::Api,
};

/// A withdrawal. Its destination is masked.
#[utoipa::path(
    get,
    path = "/api/admin/withdrawals/{id}",
    tag = "withdrawals",
    params(("id" = String, Path)),
    responses((status = 200, description = "Done", body = WithdrawalView))
)]
pub(crate) async fn one(State(api): State<Arc<Api>>, Path(text): Path<String>) -> Result<Response, Refusal> {
    let withdrawal = load(&api, &id(&text)?).await?;
    Ok(Json(view_of(&api, withdrawal).await?).into_response())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StateQuery {
    state: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

pages!(StateQuery);

/// Withdrawals on one page: what the table reads at once.
const MOST: i32 = 100;

/// Withdrawals with something left to do, the longest waiting first.
#[utoipa::path(
    get,
    path = "/api/admin/withdrawals",
    tag = "withdrawals",
    params(StateQuery),
    responses((status = 200, description = "Done", body = Page<WithdrawalView>))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Paged { query, limit, after }: Paged<StateQuery, WithdrawalId>,
) -> Result<Response, Refusal> {
    let state = state(query.state.as_deref())?;
    let limit = limit.min(MOST);
    let after = match after {
        Some(id) => Some(load(&api, &id).await?),
        None => None,
    };
    let found = withdrawals_in(&api.gate.app, state, after.as_ref(), limit).await?;
    let next_cursor = next_cursor(&found, limit, |last| last.id.clone())?;
    let known = known(&api, found.iter().map(|withdrawal| withdrawal.member.clone())).await?;
    let mut items = Vec::with_capacity(found.len());
    // What has just moved on may still be listed.
    for withdrawal in found.into_iter().filter(|withdrawal| withdrawal.state() == state) {
        let owner = known.get(&withdrawal.member).copied();
        items.push(view::view(withdrawal, owner));
    }
    Ok(Json(Page { items, next_cursor }).into_response())
}

/// Only what is not ended is listed; the rest is found with its member.
fn state(text: Option<&str>) -> Result<WithdrawalState, Refusal> {
    let state = WithdrawalState::parse(text.unwrap_or("requested"));
    state
        .filter(|state| !state.is_final())
        .ok_or_else(|| bad_request("bad_state", "state must be requested, approved or paying."))
}

/// A member's withdrawals, newest first.
#[utoipa::path(
    get,
    path = "/api/admin/users/{user_id}/withdrawals",
    tag = "withdrawals",
    params(("user_id" = String, Path), StateQuery),
    responses((status = 200, description = "Done", body = Page<WithdrawalView>))
)]
pub(crate) async fn of_member(
    State(api): State<Arc<Api>>,
    Path(user_id): Path<String>,
    Paged { limit, after: before, .. }: Paged<StateQuery, u64>,
) -> Result<Response, Refusal> {
    let user_id = input::user_id(&user_id)?;
    let limit = limit.min(MOST);
    let member = api.gate.app.member_id(user_id);
    let found = withdrawals_of(&api.gate.app, &member, before, limit).await?;
    let next_cursor = next_cursor(&found, limit, |last| last.seq)?;
    let items = found.into_iter().map(|withdrawal| view::view(withdrawal, Some(user_id))).collect();
    Ok(Json(Page { items, next_cursor }).into_response())
}

const WITHDRAWAL_COLUMNS: [&str; 11] = [
    "id",
    "user_id",
    "wallet",
    "amount",
    "currency",
    "method",
    "destination",
    "state",
    "requested_at",
    "proof",
    "reason",
];

/// Withdrawals: all, or by status. Their destinations are masked.
#[utoipa::path(
    get,
    path = "/withdrawals/admin/all",
    tag = "withdrawals",
    params(ListingQuery),
    responses((status = 200, description = "A page", content((Page<WithdrawalView> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn withdrawals(
    State(api): State<Arc<Api>>,
    Paged { query, limit, after }: Paged<ListingQuery, String>,
) -> Result<Response, Refusal> {
    query.only(&["sort", "status"])?;
    let state = query.status.as_deref().map(|text| {
        // The documented system calls what waits `pending`.
        let text = if text == "pending" { "requested" } else { text };
        let known = WithdrawalState::ALL.map(WithdrawalState::as_str).join(", ");
        WithdrawalState::parse(text)
            .ok_or_else(|| bad_request("bad_status", format!("status must be one of {known}.")))
    });
    let place = (after.as_deref(), query.ascending()?);
    let found = guerdon_app::statistics::list_withdrawals(
        &api.gate.app,
        state.transpose()?,
        place,
        limit.min(LONGEST_PAGE),
    )
    .await?;
    let known = known(&api, found.0.iter().map(|withdrawal| withdrawal.member.clone())).await?;
    let items = found.0.into_iter().map(|found| {
        let user_id = known.get(&found.member).copied();
        view::view(found, user_id)
    });
    let page = query.page(items.collect(), found.1.as_ref())?;
    csv::answer(query.format.as_deref(), page, ("withdrawals", &WITHDRAWAL_COLUMNS))
}
