//! Bill credit that operators give and take.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use guerdon_api::{Amount, Principal, Refusal, output};
use guerdon_app::once::Answer;
use guerdon_domain::money::Money;
use http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    input::{Write, WriteBody, bad_request, write},
    state::Api,
};

#[derive(Serialize, ToSchema)]
pub(crate) struct Changed {
    success: bool,
    user_id: String,
    id: String,
    amount: Amount,
    currency: String,
    credit_balance: Amount,
}

pub(crate) fn answer(answer: Answer) -> Response {
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
    request_body = WriteBody,
    responses((status = 200, description = "Done", body = Changed))
)]
pub(crate) async fn apply(
    State(api): State<Arc<Api>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (write, amount) = money_write(&api, "apply", &principal, &headers, &body)?;
    Ok(answer(guerdon_app::wallets::apply_credit(&api.gate.app, &write.request, amount).await?))
}

/// Takes bill credit back: what is available in the wallet.
#[utoipa::path(
    post,
    path = "/api/admin/credits/revoke",
    tag = "credits",
    request_body = WriteBody,
    responses((status = 200, description = "Done", body = Changed))
)]
pub(crate) async fn revoke(
    State(api): State<Arc<Api>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (write, amount) = money_write(&api, "revoke", &principal, &headers, &body)?;
    Ok(answer(guerdon_app::wallets::revoke_credit(&api.gate.app, &write.request, amount).await?))
}

fn money_write(
    api: &Api,
    route: &str,
    principal: &Principal,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Write, Money), Refusal> {
    let write = write(route, principal, headers, body, Some(api.gate.app.preset.currency))?;
    let amount = write.amount.ok_or_else(|| bad_request("bad_body", "amount is missing."))?;
    Ok((write, amount))
}
