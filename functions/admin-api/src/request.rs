//! Asking for a withdrawal on a member's behalf.

use std::sync::Arc;

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    response::Response,
};
use guerdon_app::{
    WithdrawalAsked,
    desk::{self, Line},
    request_withdrawal,
};
use guerdon_domain::PayoutMethod;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    auth::Principal,
    handler::Desk,
    input::{self, bad_request, missing, text},
    output::{Refusal, replayed},
    steps::{json, kept},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    amount: Option<&'a RawValue>,
    method: Option<String>,
    destination: Option<String>,
}

pub(crate) async fn ask(
    State(desk): State<Arc<Desk>>,
    Extension(principal): Extension<Principal>,
    Path(user_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let user_id = input::user_id(&user_id)?;
    let body: Body<'_> = input::json(&body, "amount, method and destination")?;
    let raw = text(body.amount.ok_or_else(|| missing("amount"))?);
    let amount = input::amount(raw, desk.app.preset.currency)?;
    let method = method(body.method.as_deref())?;
    let destination = body.destination.ok_or_else(|| missing("destination"))?;
    // Keyed, so that nobody can guess a destination by its hash.
    let tag = desk.app.pseudonyms.log_tag(&destination);
    let parts = [&user_id.to_string(), &amount.minor().to_string(), method.as_str(), &tag];
    let call = input::call("withdrawal", &principal, &headers, &parts)?;
    if let Some(answer) = desk::answered_call(&desk.app, &call).await? {
        return Ok(replayed(json(answer), true));
    }
    let member = desk.app.member_id(user_id);
    let key = format!("{}:{}", call.principal, call.key);
    let asked = request_withdrawal(&desk.app, &member, amount, (method, &destination), &key).await?;
    let before = matches!(asked, WithdrawalAsked::AlreadyApplied(_));
    let withdrawal = asked.withdrawal().clone();
    let line = Line {
        action: "withdrawal.request",
        member: Some(member),
        reason: format!("asked by {} on the member's behalf", call.principal),
        before: "null".to_owned(),
        after: format!("\"{}\"", withdrawal.id),
    };
    Ok(replayed(kept(&desk, &call, withdrawal, Some(line)).await?, before))
}

/// A payout method by its word.
pub(crate) fn method(text: Option<&str>) -> Result<PayoutMethod, Refusal> {
    let all = [PayoutMethod::Upi, PayoutMethod::Iban, PayoutMethod::BankIn];
    all.into_iter()
        .find(|method| Some(method.as_str()) == text)
        .ok_or_else(|| bad_request("bad_method", "method must be one of upi, iban and bank_in."))
}
