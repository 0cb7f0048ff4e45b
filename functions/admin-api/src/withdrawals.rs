//! Withdrawals as operators see them: destinations are masked.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{Amount, Page, Refusal, output::id_text};
use guerdon_app::{error::AppError, withdrawals::WithdrawalError};
use guerdon_domain::{
    ids::{TelegramId, WithdrawalId},
    operators::Stamp,
    withdrawals::{Withdrawal, WithdrawalState},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    input::{self, bad_request, cursor, limit, next_cursor},
    people::known,
    routes::Desk,
};

#[derive(Serialize, ToSchema)]
pub(crate) struct WithdrawalView {
    id: String,
    user_id: Option<String>,
    wallet: &'static str,
    amount: Amount,
    currency: String,
    method: &'static str,
    destination: String,
    state: &'static str,
    requested_at: String,
    approved: Option<StampView>,
    claimed: Option<StampView>,
    batch: Option<String>,
    /// Since when nobody knows whether the money left.
    unknown_since: Option<String>,
    closed: Option<StampView>,
    proof: Option<String>,
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct StampView {
    by: String,
    at: String,
}

fn stamp(stamp: Option<Stamp>) -> Option<StampView> {
    stamp.map(|stamp| StampView { by: stamp.by, at: stamp.at.to_string() })
}

pub(crate) fn view(withdrawal: Withdrawal, user_id: Option<TelegramId>) -> WithdrawalView {
    WithdrawalView {
        id: withdrawal.id.to_string(),
        user_id: id_text(user_id),
        wallet: withdrawal.wallet.as_str(),
        amount: Amount(withdrawal.amount),
        currency: withdrawal.amount.currency().to_string(),
        method: withdrawal.destination.method.as_str(),
        destination: withdrawal.destination.masked,
        state: withdrawal.state.as_str(),
        requested_at: withdrawal.requested_at.to_string(),
        approved: stamp(withdrawal.approved),
        claimed: stamp(withdrawal.claimed),
        batch: withdrawal.batch,
        unknown_since: withdrawal.unknown_since.map(|at| at.to_string()),
        closed: stamp(withdrawal.closed),
        proof: withdrawal.proof,
        reason: withdrawal.reason,
    }
}

/// One withdrawal with its owner's id.
pub(crate) async fn view_of(desk: &Desk, withdrawal: Withdrawal) -> Result<WithdrawalView, AppError> {
    let owner = desk.gate.app.store.members().find(&withdrawal.member).await?;
    Ok(view(withdrawal, owner.map(|owner| owner.telegram_id)))
}

pub(crate) fn id(text: &str) -> Result<WithdrawalId, Refusal> {
    WithdrawalId::parse(text).map_err(|_| WithdrawalError::Unknown.into())
}

/// The withdrawal, or 404.
pub(crate) async fn load(desk: &Desk, id: &WithdrawalId) -> Result<Withdrawal, Refusal> {
    let found = desk.gate.app.store.withdrawals().find(id).await.map_err(AppError::from)?;
    found.ok_or_else(|| WithdrawalError::Unknown.into())
}

/// A withdrawal. Its destination is masked.
#[utoipa::path(
    get,
    path = "/api/admin/withdrawals/{id}",
    tag = "withdrawals",
    params(("id" = String, Path)),
    responses((status = 200, description = "Done", body = WithdrawalView))
)]
pub(crate) async fn one(
    State(desk): State<Arc<Desk>>,
    Path(text): Path<String>,
) -> Result<Response, Refusal> {
    let withdrawal = load(&desk, &id(&text)?).await?;
    Ok(Json(view_of(&desk, withdrawal).await?).into_response())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StateQuery {
    state: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

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
    State(desk): State<Arc<Desk>>,
    Query(query): Query<StateQuery>,
) -> Result<Response, Refusal> {
    let state = state(query.state.as_deref())?;
    let limit = limit(query.limit.as_deref())?.min(MOST);
    let after: Option<WithdrawalId> = cursor(query.cursor.as_deref())?;
    let after = match after {
        Some(id) => Some(load(&desk, &id).await?),
        None => None,
    };
    let found = desk
        .gate
        .app
        .store
        .withdrawals()
        .in_state(state, after.as_ref(), limit)
        .await
        .map_err(AppError::from)?;
    let next_cursor = next_cursor(&found, limit, |last| last.id.clone())?;
    let known = known(&desk, found.iter().map(|withdrawal| withdrawal.member.clone())).await?;
    let mut items = Vec::with_capacity(found.len());
    // What has just moved on may still be listed.
    for withdrawal in found.into_iter().filter(|withdrawal| withdrawal.state == state) {
        let owner = known.get(&withdrawal.member).copied();
        items.push(view(withdrawal, owner));
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
    State(desk): State<Arc<Desk>>,
    Path(user_id): Path<String>,
    Query(query): Query<StateQuery>,
) -> Result<Response, Refusal> {
    let user_id = input::user_id(&user_id)?;
    let limit = limit(query.limit.as_deref())?.min(MOST);
    let before: Option<u64> = cursor(query.cursor.as_deref())?;
    let member = desk.gate.app.member_id(user_id);
    let found = desk.gate.app.store.withdrawals().of(&member, before, limit).await.map_err(AppError::from)?;
    let next_cursor = next_cursor(&found, limit, |last| last.seq)?;
    let items = found.into_iter().map(|withdrawal| view(withdrawal, Some(user_id))).collect();
    Ok(Json(Page { items, next_cursor }).into_response())
}
