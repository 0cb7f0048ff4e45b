//! What operators change.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    Amount, Principal, Refusal,
    output::{self},
};
use guerdon_app::once::Answer;
use guerdon_domain::money::Money;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    input::{self, Write, bad_request, write},
    routes::Desk,
};

#[derive(Serialize, ToSchema)]
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

/// Gives bill credit by hand.
#[utoipa::path(
    post,
    path = "/api/admin/credits/apply",
    tag = "credits",
    request_body = input::WriteBody,
    responses((status = 200, description = "Done", body = Changed))
)]
pub(crate) async fn apply(
    State(desk): State<Arc<Desk>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (write, amount) = money_write(&desk, "apply", &principal, &headers, &body)?;
    Ok(answer(guerdon_app::wallets::apply_credit(&desk.gate.app, &write.request, amount).await?))
}

/// Takes bill credit back: what is available in the wallet.
#[utoipa::path(
    post,
    path = "/api/admin/credits/revoke",
    tag = "credits",
    request_body = input::WriteBody,
    responses((status = 200, description = "Done", body = Changed))
)]
pub(crate) async fn revoke(
    State(desk): State<Arc<Desk>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (write, amount) = money_write(&desk, "revoke", &principal, &headers, &body)?;
    Ok(answer(guerdon_app::wallets::revoke_credit(&desk.gate.app, &write.request, amount).await?))
}

/// Converts a pending referral whose payment an operator vouches for.
#[utoipa::path(
    post,
    path = "/api/admin/credits/force-confirm",
    tag = "credits",
    request_body = input::WriteBody,
    responses((status = 200, description = "Done", body = Changed))
)]
pub(crate) async fn force_confirm(
    State(desk): State<Arc<Desk>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let write = write("force-confirm", &principal, &headers, &body, None)?;
    Ok(answer(guerdon_app::payments::force_confirm(&desk.gate.app, &write.request).await?))
}

fn money_write(
    desk: &Desk,
    route: &str,
    principal: &Principal,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Write, Money), Refusal> {
    let write = write(route, principal, headers, body, Some(desk.gate.app.preset.currency))?;
    let amount = write.amount.ok_or_else(|| bad_request("bad_body", "amount is missing."))?;
    Ok((write, amount))
}

/// A body that says only why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Barred {
    user_id: String,
    barred: bool,
}

/// Bars a member from rewards and withdrawals. What is booked stays.
#[utoipa::path(
    post,
    path = "/api/admin/users/{user_id}/bar",
    tag = "credits",
    params(("user_id" = String, Path)),
    request_body = Why,
    responses((status = 200, description = "Done", body = Barred))
)]
pub(crate) async fn bar(
    State(desk): State<Arc<Desk>>,
    Extension(principal): Extension<Principal>,
    Path(user_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    set_barred(&desk, &principal, (&user_id, true), &headers, &body).await
}

/// Lets a member have rewards again.
#[utoipa::path(
    post,
    path = "/api/admin/users/{user_id}/unbar",
    tag = "credits",
    params(("user_id" = String, Path)),
    request_body = Why,
    responses((status = 200, description = "Done", body = Barred))
)]
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
    let answer =
        guerdon_app::members::set_barred(&desk.gate.app, &input::request_of(call, user_id, reason), barred)
            .await?;
    let before = matches!(answer, Answer::AlreadyApplied(_));
    let body = Json(Barred { user_id: user_id.to_string(), barred });
    Ok(output::replayed(body.into_response(), before))
}
