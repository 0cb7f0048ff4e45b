//! Bill credit that operators give and take.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use guerdon_api::{
    idempotency::Write,
    output::{self, Amount, Refusal},
};
use guerdon_app::once::{Answer, MemberCall};
use guerdon_domain::money::Money;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    input::{WriteBody, about_member, bad_request},
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
pub(crate) async fn apply(State(api): State<Arc<Api>>, write: Write) -> Result<Response, Refusal> {
    let (call, amount) = money(&api, &write)?;
    Ok(answer(guerdon_app::wallets::apply_credit(&api.gate.app, &call, amount).await?))
}

/// Takes bill credit back: what is available in the wallet.
#[utoipa::path(
    post,
    path = "/api/admin/credits/revoke",
    tag = "credits",
    request_body = WriteBody,
    responses((status = 200, description = "Done", body = Changed))
)]
pub(crate) async fn revoke(State(api): State<Arc<Api>>, write: Write) -> Result<Response, Refusal> {
    let (call, amount) = money(&api, &write)?;
    Ok(answer(guerdon_app::wallets::revoke_credit(&api.gate.app, &call, amount).await?))
}

fn money(api: &Api, write: &Write) -> Result<(MemberCall, Money), Refusal> {
    let (call, amount) = about_member(&api.gate, write, Some(api.gate.app.preset.currency))?;
    let amount = amount.ok_or_else(|| bad_request("bad_body", "amount is missing."))?;
    Ok((call, amount))
}
