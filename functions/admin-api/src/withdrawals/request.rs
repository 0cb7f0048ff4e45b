//! Asking for a withdrawal on a member's behalf.

use std::sync::Arc;

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    response::Response,
};
use guerdon_api::{Principal, Refusal, output::replayed};
use guerdon_app::{
    once::Line,
    withdrawals::{WithdrawalAsked, request_withdrawal},
};
use http::HeaderMap;
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
    Extension(principal): Extension<Principal>,
    Path(user_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let user_id = input::user_id(&user_id)?;
    let body: WithdrawalBody<'_> = input::json(&body, "amount, method and destination")?;
    let raw = text(body.amount.ok_or_else(|| missing("amount"))?);
    let amount = input::amount(raw, api.gate.app.preset.currency)?;
    let method = view::method(body.method.as_deref())?;
    let destination = body.destination.ok_or_else(|| missing("destination"))?;
    // Keyed, so that nobody can guess a destination by its hash.
    let tag = api.gate.app.pseudonyms.log_tag(&destination);
    let parts = [&user_id.to_string(), &amount.minor().to_string(), method.as_str(), &tag];
    let call = input::call("withdrawal", &principal, &headers, &parts)?;
    if let Some(answer) = guerdon_app::once::answered_call(&api.gate.app, &call).await? {
        return Ok(replayed(json(answer), true));
    }
    let member = api.gate.app.member_id(user_id);
    let key = format!("{}:{}", call.principal, call.key);
    let asked = request_withdrawal(&api.gate.app, &member, amount, (method, &destination), &key).await?;
    let before = matches!(asked, WithdrawalAsked::AlreadyApplied(_));
    let withdrawal = asked.withdrawal().clone();
    let line = Line {
        action: "withdrawal.request",
        member: Some(member),
        reason: format!("asked by {} on the member's behalf", call.principal),
        before: "null".to_owned(),
        after: format!("\"{}\"", withdrawal.id),
    };
    Ok(replayed(kept(&api, &call, withdrawal, Some(line)).await?, before))
}
