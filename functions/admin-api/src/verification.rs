//! What the verification of the ledger found, and acknowledging a difference.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    idempotency::{Kept, Write, once},
    output::Refusal,
    refusals::unchanged,
};
use guerdon_app::{
    stored::AcknowledgedDifference,
    verification::{AcknowledgeRefusal, acknowledge_difference, findings},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{input, state::Api};

#[derive(Serialize, ToSchema)]
struct FoundView {
    /// For `/acknowledge`.
    id: String,
    /// The wallet, payment or other record. Members are named by their log tags.
    subject: String,
    problem: String,
    /// The last run that stopped at it.
    seen_at: String,
}

#[derive(Serialize, ToSchema)]
struct AcknowledgedView {
    id: String,
    subject: String,
    problem: String,
    reason: String,
    acknowledged_by: String,
    acknowledged_at: String,
}

#[derive(Serialize, ToSchema)]
struct VerificationView {
    /// The difference at which the verification stands; null when it found none.
    difference: Option<FoundView>,
    /// Differences that are passed over while they stay as they were.
    acknowledged: Vec<AcknowledgedView>,
}

fn view(known: AcknowledgedDifference) -> AcknowledgedView {
    AcknowledgedView {
        id: known.id,
        subject: known.subject,
        problem: known.problem,
        reason: known.reason,
        acknowledged_by: known.by.into(),
        acknowledged_at: known.at.to_string(),
    }
}

/// The difference at which the hourly verification of the ledger stands, and the differences that were acknowledged.
#[utoipa::path(
    get,
    path = "/api/admin/verification",
    tag = "verification",
    responses((status = 200, description = "Done", body = VerificationView))
)]
pub(crate) async fn show(State(api): State<Arc<Api>>) -> Result<Response, Refusal> {
    let findings = findings(&api.gate.app).await?;
    let difference = findings.found.map(|(found, at)| FoundView {
        id: found.id,
        subject: found.subject,
        problem: found.problem,
        seen_at: at.to_string(),
    });
    let acknowledged = findings.acknowledged.into_iter().map(view).collect();
    Ok(Json(VerificationView { difference, acknowledged }).into_response())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcknowledgeBody {
    /// Why the difference may stay, 3 to 500 characters.
    reason: Option<String>,
}

/// Acknowledges the difference at which the verification stands: its next run goes on behind it. When the difference
/// changes, it has another id and is reported again.
#[utoipa::path(
    post,
    path = "/api/admin/verification/{id}/acknowledge",
    tag = "verification",
    params(("id" = String, Path)),
    request_body = AcknowledgeBody,
    responses(
        (status = 200, description = "Done", body = AcknowledgedView),
        (status = 404, description = "The verification does not stand at this difference")
    )
)]
pub(crate) async fn acknowledge(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    once(&api.gate, &write, async {
        let body: AcknowledgeBody = input::json(&write.body, "reason")?;
        let reason = input::reason(body.reason)?;
        let is_id = id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit());
        let known = if is_id {
            acknowledge_difference(&api.gate.app, &write.principal.name, &id, &reason).await
        } else {
            Err(AcknowledgeRefusal::Unknown)
        };
        Kept::new(StatusCode::OK, &view(known.map_err(refused)?))
    })
    .await
}

fn refused(refusal: AcknowledgeRefusal) -> Refusal {
    match refusal {
        AcknowledgeRefusal::App(error) => error.into(),
        AcknowledgeRefusal::Unknown => {
            unchanged(StatusCode::NOT_FOUND, "unknown_difference", "Unknown difference", refusal)
        }
    }
}
