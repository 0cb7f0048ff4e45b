//! Asking for a withdrawal on a member's behalf.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use guerdon_api::{
    idempotency::Write,
    output::{Refusal, replayed},
};
use guerdon_app::{
    audit::Line,
    withdrawals::{WithdrawalAsked, request_withdrawal},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    steps::{json, kept},
    view,
};
use crate::{
    input::{self, missing, text},
    state::Api,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WithdrawalBody<'a> {
    #[serde(borrow)]
    #[schema(value_type = String)]
    amount: Option<&'a RawValue>,
    method: Option<String>,
    destination: Option<String>,
}

/// Asks for a withdrawal on a member's behalf.
#[utoipa::path(
    post,
    path = "/api/admin/users/{user_id}/withdrawals",
    tag = "withdrawals",
    params(("user_id" = String, Path)),
    request_body = WithdrawalBody,
    responses((status = 200, description = "Done", body = view::WithdrawalView))
)]
pub(crate) async fn ask(
    State(api): State<Arc<Api>>,
    Path(user_id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    let user_id = input::user_id(&user_id)?;
    let body: WithdrawalBody<'_> = input::json(&write.body, "amount, method and destination")?;
    let raw = text(body.amount.ok_or_else(|| missing("amount"))?);
    let amount = input::amount(raw, api.gate.app.preset.currency)?;
    let method = view::method(body.method.as_deref())?;
    let destination = body.destination.ok_or_else(|| missing("destination"))?;
    let call = write.call(&api.gate)?;
    if let Some(answer) = call.answered(&api.gate.app).await? {
        return Ok(replayed(json(answer), true));
    }
    let member = api.gate.app.member_id(user_id);
    let key = format!("{}:{}", call.principal, call.key);
    let asked = request_withdrawal(&api.gate.app, &member, amount, (method, &destination), &key).await?;
    let before = matches!(asked, WithdrawalAsked::AlreadyApplied(_));
    let withdrawal = asked.withdrawal().clone();
    let line = Line::new("withdrawal.request")
        .about(member)
        .because(format!("asked by {} on the member's behalf", call.principal))
        .states(["null".to_owned(), format!("\"{}\"", withdrawal.id)]);
    Ok(replayed(kept(&api, &call, withdrawal, Some(line)).await?, before))
}
