//! What operators change.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_app::desk::{self, Answer};
use guerdon_domain::Money;
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::{
    auth::Principal,
    handler::Desk,
    input::{self, Write, bad_request, write},
    output::{self, Amount, Refusal},
};

#[derive(Serialize)]
struct Changed {
    success: bool,
    user_id: String,
    id: String,
    amount: Amount,
    currency: String,
    credit_balance: Amount,
}

fn answer(answer: Answer) -> Response {
    let (change, replayed) = match answer {
        Answer::Applied(change) => (change, false),
        Answer::AlreadyApplied(change) => (change, true),
    };
    let changed = Changed {
        success: true,
        user_id: change.user_id.to_string(),
        id: change.id,
        currency: change.amount.currency().to_string(),
        amount: Amount(change.amount),
        credit_balance: Amount(change.credit_balance),
    };
    output::replayed(Json(changed).into_response(), replayed)
}

pub(crate) async fn apply(
    State(desk): State<Arc<Desk>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (write, amount) = money_write(&desk, "apply", &principal, &headers, &body)?;
    Ok(answer(desk::apply_credit(&desk.app, &write.request, amount).await?))
}

pub(crate) async fn revoke(
    State(desk): State<Arc<Desk>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (write, amount) = money_write(&desk, "revoke", &principal, &headers, &body)?;
    Ok(answer(desk::revoke_credit(&desk.app, &write.request, amount).await?))
}

pub(crate) async fn force_confirm(
    State(desk): State<Arc<Desk>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let write = write("force-confirm", &principal, &headers, &body, None)?;
    Ok(answer(desk::force_confirm(&desk.app, &write.request).await?))
}

fn money_write(
    desk: &Desk,
    route: &str,
    principal: &Principal,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Write, Money), Refusal> {
    let write = write(route, principal, headers, body, Some(desk.app.preset.currency))?;
    let amount = write.amount.ok_or_else(|| bad_request("bad_body", "amount is missing."))?;
    Ok((write, amount))
}

/// A body that says only why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: Option<String>,
}

#[derive(Serialize)]
struct Barred {
    user_id: String,
    barred: bool,
}

pub(crate) async fn bar(
    State(desk): State<Arc<Desk>>,
    Extension(principal): Extension<Principal>,
    Path(user_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    set_barred(&desk, &principal, (&user_id, true), &headers, &body).await
}

pub(crate) async fn unbar(
    State(desk): State<Arc<Desk>>,
    Extension(principal): Extension<Principal>,
    Path(user_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    set_barred(&desk, &principal, (&user_id, false), &headers, &body).await
}

async fn set_barred(
    desk: &Desk,
    principal: &Principal,
    (user_id, barred): (&str, bool),
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, Refusal> {
    let user_id = input::user_id(user_id)?;
    let why: Why = input::json(body, "reason")?;
    let reason = input::reason(why.reason)?;
    let route = if barred { "bar" } else { "unbar" };
    let call = input::call(route, principal, headers, &[&user_id.to_string(), &reason])?;
    let answer = desk::set_barred(&desk.app, &input::request_of(call, user_id, reason), barred).await?;
    let before = matches!(answer, Answer::AlreadyApplied(_));
    let body = Json(Barred { user_id: user_id.to_string(), barred });
    Ok(output::replayed(body.into_response(), before))
}
