//! What operators change.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use guerdon_app::desk::{self, Answer};
use guerdon_domain::Money;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use crate::{
    auth::Principal,
    handler::Desk,
    input::{Write, bad_request, write},
    output::{Amount, Refusal},
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

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

fn answer(answer: Answer) -> Response {
    let (change, replayed) = match answer {
        Answer::Applied(change) => (change, false),
        Answer::AlreadyApplied(change) => (change, true),
    };
    let mut response = Json(Changed {
        success: true,
        user_id: change.user_id.to_string(),
        id: change.id,
        currency: change.amount.currency().to_string(),
        amount: Amount(change.amount),
        credit_balance: Amount(change.credit_balance),
    })
    .into_response();
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
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
