//! The steps of a withdrawal: approve, reject, claim, and what became of the payout.
//!
//! A step is idempotent by the withdrawal's own state and leaves its stamp there, which the stream turns
//! into an audit line. Its answer is kept under its key afterwards.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    idempotency::{Kept, Write, once},
    output::{Refusal, replayed},
};
use guerdon_app::{
    audit::Line,
    error::AppError,
    once::Call,
    withdrawals::{
        Outcome, WithdrawalError, approve_withdrawal, claim_withdrawal, finish_withdrawal, reject_withdrawal,
    },
};
use guerdon_domain::{
    ids::{PrincipalId, WithdrawalId},
    withdrawals::{Withdrawal, WithdrawalState},
};
use guerdon_runtime::problem;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use utoipa::ToSchema;

use super::view;
use crate::{input, state::Api};

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
    /// Another word for `proof`, on the documented paths.
    transaction_id: Option<String>,
}

/// Takes a step: approve, reject, claim, paid, failed or unknown.
#[utoipa::path(
    post,
    path = "/api/admin/withdrawals/{id}/{step}",
    tag = "withdrawals",
    params(("id" = String, Path), ("step" = String, Path)),
    request_body = StepBody,
    responses((status = 200, description = "Done", body = view::WithdrawalView))
)]
pub(crate) async fn step(
    State(api): State<Arc<Api>>,
    Path((id, name)): Path<(String, String)>,
    write: Write,
) -> Result<Response, Refusal> {
    let (step, said) = read(&name, &write.body)?;
    let id = view::id(&id)?;
    let call = write.call(&api.gate)?;
    if let Some(kept) = call.answered(&api.gate.app).await? {
        return Ok(replayed(json(kept), true));
    }
    let done = take(&api, &id, &call.principal, &step).await?;
    // Nothing moves on when an outcome is unknown, so the stream has nothing to tell.
    let line = matches!(step, Step::Finish(Outcome::Unknown)).then(|| {
        let states = ["\"paying\"", "\"paying\""].map(str::to_owned);
        Line::new("withdrawal.unknown").about(done.member.clone()).because(said).states(states)
    });
    kept(&api, &call, done, line).await
}

/// Answers with the withdrawal, and keeps the answer.
pub(crate) async fn kept(
    api: &Api,
    call: &Call,
    withdrawal: Withdrawal,
    line: Option<Line>,
) -> Result<Response, Refusal> {
    let view = view::view_of(api, withdrawal).await?;
    let body = serde_json::to_string(&view).map_err(AppError::from)?;
    guerdon_app::once::keep_answer(&api.gate.app, call, body.clone(), line).await?;
    Ok(json(body))
}

pub(crate) fn json(body: String) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// The step, and what the body says for it.
fn read(name: &str, body: &[u8]) -> Result<(Step, String), Refusal> {
    let given: StepBody = input::optional_json(body, "reason or proof, where the step takes one")?;
    let superfluous = |field: &str| {
        let detail = format!("This step takes no {field}.");
        Err(input::bad_request("bad_body", detail))
    };
    let (takes_reason, takes_proof) = (matches!(name, "reject" | "failed"), name == "paid");
    if given.reason.is_some() && !takes_reason {
        return superfluous("reason");
    }
    if (given.proof.is_some() && !takes_proof) || given.transaction_id.is_some() {
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
    api: &Api,
    id: &WithdrawalId,
    operator: &PrincipalId,
    step: &Step,
) -> Result<Withdrawal, WithdrawalError> {
    match step {
        Step::Approve => approve_withdrawal(&api.gate.app, id, operator).await,
        Step::Reject(reason) => reject_withdrawal(&api.gate.app, id, operator, reason).await,
        Step::Claim => claim_withdrawal(&api.gate.app, id, operator).await,
        Step::Finish(outcome) => finish_withdrawal(&api.gate.app, id, operator, outcome).await,
    }
}

/// Approves a withdrawal. The step itself is idempotent, so the key may be left out.
#[utoipa::path(
    post,
    path = "/withdrawals/{id}/approve",
    tag = "withdrawals",
    params(("id" = String, Path)),
    responses((status = 200, description = "Approved", body = super::view::WithdrawalView))
)]
pub(crate) async fn approve(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    documented(&api, &id, "approve", &write).await
}

/// Turns a withdrawal down; the money is available again.
#[utoipa::path(
    post,
    path = "/withdrawals/{id}/reject",
    tag = "withdrawals",
    params(("id" = String, Path)),
    request_body = StepBody,
    responses((status = 200, description = "Rejected", body = super::view::WithdrawalView))
)]
pub(crate) async fn reject(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    documented(&api, &id, "reject", &write).await
}

/// Tells that a withdrawal was paid, with the bank's reference as `proof` or `transaction_id`. Approved and not claimed,
/// it is claimed first, for the operator who tells.
#[utoipa::path(
    post,
    path = "/withdrawals/{id}/paid",
    tag = "withdrawals",
    params(("id" = String, Path)),
    request_body = StepBody,
    responses((status = 200, description = "Paid", body = super::view::WithdrawalView))
)]
pub(crate) async fn paid(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    documented(&api, &id, "paid", &write).await
}

/// A step as the documented system has it: no key needed, reasons optional, paid without a claim before.
async fn documented(api: &Api, id: &str, name: &str, write: &Write) -> Result<Response, Refusal> {
    let expected = "reason, proof or transaction_id, where the step takes one";
    let given: StepBody = input::optional_json(&write.body, expected)?;
    let id = view::id(id)?;
    once(&api.gate, write, async {
        let (app, operator) = (&api.gate.app, &write.principal.name);
        let done = match name {
            "approve" => approve_withdrawal(app, &id, operator).await?,
            "reject" => {
                let reason = given.reason.unwrap_or_else(|| "turned down by an operator".to_owned());
                reject_withdrawal(app, &id, operator, &reason).await?
            }
            _ => {
                let proof = given.proof.or(given.transaction_id).unwrap_or_default().trim().to_owned();
                if proof.is_empty() {
                    return Err(input::bad_request("bad_body", "Send proof, the bank's reference."));
                }
                if view::load(api, &id).await?.state() == WithdrawalState::Approved {
                    claim_withdrawal(app, &id, operator).await?;
                }
                finish_withdrawal(app, &id, operator, &Outcome::Paid(proof)).await?
            }
        };
        Kept::new(StatusCode::OK, &view::view_of(api, done).await?)
    })
    .await
}
