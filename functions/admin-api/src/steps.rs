//! The steps of a withdrawal: approve, reject, claim, and what became of the payout.
//!
//! A step is idempotent by the withdrawal's own state and leaves its stamp there, which the stream turns
//! into an audit line. Its answer is kept under its key afterwards.

use std::sync::Arc;

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{Principal, Refusal, output::replayed};
use guerdon_app::{
    AppError, Outcome, WithdrawalError, approve_withdrawal, claim_withdrawal,
    desk::{self, DeskCall, Line},
    finish_withdrawal, reject_withdrawal,
};
use guerdon_domain::{Withdrawal, WithdrawalId};
use guerdon_runtime::problem;
use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{input, routes::Desk, withdrawals};

enum Step {
    Approve,
    Reject(String),
    Claim,
    Finish(Outcome),
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StepBody {
    reason: Option<String>,
    proof: Option<String>,
}

/// Takes a step: approve, reject, claim, paid, failed or unknown.
#[utoipa::path(
    post,
    path = "/api/admin/withdrawals/{id}/{step}",
    tag = "withdrawals",
    params(("id" = String, Path), ("step" = String, Path)),
    request_body = StepBody,
    responses((status = 200, description = "Done", body = withdrawals::WithdrawalView))
)]
pub(crate) async fn step(
    State(desk): State<Arc<Desk>>,
    Extension(principal): Extension<Principal>,
    Path((id, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (step, said) = read(&name, &body)?;
    let id = withdrawals::id(&id)?;
    let call = input::call(&name, &principal, &headers, &[id.as_str(), &said])?;
    if let Some(kept) = desk::answered_call(&desk.gate.app, &call).await? {
        return Ok(replayed(json(kept), true));
    }
    let done = take(&desk, &id, &principal.name, &step).await?;
    // Nothing moves on when an outcome is unknown, so the stream has nothing to tell.
    let line = matches!(step, Step::Finish(Outcome::Unknown)).then(|| Line {
        action: "withdrawal.unknown",
        member: Some(done.member.clone()),
        reason: said,
        before: "\"paying\"".to_owned(),
        after: "\"paying\"".to_owned(),
    });
    kept(&desk, &call, done, line).await
}

/// Answers with the withdrawal, and keeps the answer.
pub(crate) async fn kept(
    desk: &Desk,
    call: &DeskCall,
    withdrawal: Withdrawal,
    line: Option<Line>,
) -> Result<Response, Refusal> {
    let view = withdrawals::view_of(desk, withdrawal).await?;
    let body = serde_json::to_string(&view).map_err(AppError::from)?;
    desk::keep_answer(&desk.gate.app, call, body.clone(), line).await?;
    Ok(json(body))
}

pub(crate) fn json(body: String) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// The step, and what the body says for it.
fn read(name: &str, body: &[u8]) -> Result<(Step, String), Refusal> {
    let given: StepBody = match body {
        [] => StepBody::default(),
        body => input::json(body, "reason or proof, where the step takes one")?,
    };
    let superfluous = |field: &str| {
        let detail = format!("This step takes no {field}.");
        Err(input::bad_request("bad_body", detail))
    };
    let (takes_reason, takes_proof) = (matches!(name, "reject" | "failed"), name == "paid");
    if given.reason.is_some() && !takes_reason {
        return superfluous("reason");
    }
    if given.proof.is_some() && !takes_proof {
        return superfluous("proof");
    }
    let said = given.reason.or(given.proof).unwrap_or_default().trim().to_owned();
    let step = match name {
        "approve" => Step::Approve,
        "reject" => Step::Reject(said.clone()),
        "claim" => Step::Claim,
        "paid" => Step::Finish(Outcome::Paid(said.clone())),
        "failed" => Step::Finish(Outcome::Failed(said.clone())),
        "unknown" => Step::Finish(Outcome::Unknown),
        _ => return Err(Refusal(problem::not_found())),
    };
    Ok((step, said))
}

async fn take(
    desk: &Desk,
    id: &WithdrawalId,
    operator: &str,
    step: &Step,
) -> Result<Withdrawal, WithdrawalError> {
    match step {
        Step::Approve => approve_withdrawal(&desk.gate.app, id, operator).await,
        Step::Reject(reason) => reject_withdrawal(&desk.gate.app, id, operator, reason).await,
        Step::Claim => claim_withdrawal(&desk.gate.app, id, operator).await,
        Step::Finish(outcome) => finish_withdrawal(&desk.gate.app, id, operator, outcome).await,
    }
}
