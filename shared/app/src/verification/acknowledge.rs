//! Acknowledgement of a difference by an operator, so that the verification goes on behind it.

use guerdon_domain::{ids::PrincipalId, time::Timestamp};
use guerdon_store::{
    table::metered,
    verification::{AcknowledgedDifference, FoundDifference},
};
use serde_json::json;

use super::difference::Difference;
use crate::{
    audit::{self, Line},
    context::App,
    error::{AppError, refusal},
};

/// What the scheduled verification found, and what operators have acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// The difference at which the verification stands, and the instant at which it was last seen.
    pub found: Option<(FoundDifference, Timestamp)>,
    /// Acknowledged differences, in no order of time.
    pub acknowledged: Vec<AcknowledgedDifference>,
}

/// The reason why a difference was not acknowledged. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AcknowledgeRefusal {
    /// The verification does not stand at a difference with this id.
    #[error("the verification does not stand at a difference with this id")]
    Unknown,
    /// The operation did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

/// Returns what the scheduled verification found, and what operators have acknowledged.
pub async fn findings(app: &App) -> Result<Findings, AppError> {
    metered("verification_findings", async {
        let notes = app.store.verification();
        let acknowledged = notes.acknowledged().await?;
        let known = |id: &str| acknowledged.iter().any(|one| one.id == id);
        let found = notes.found().await?.filter(|(found, _)| !known(&found.id));
        Ok(Findings { found, acknowledged })
    })
    .await
}

/// Acknowledges the difference at which the scheduled verification stands: its next run goes on behind it. When the
/// difference changes, it is reported again.
pub async fn acknowledge_difference(
    app: &App,
    operator: &PrincipalId,
    id: &str,
    reason: &str,
) -> Result<AcknowledgedDifference, AcknowledgeRefusal> {
    metered("acknowledge_difference", async {
        let notes = app.store.verification();
        if let Some(known) = notes.acknowledgement(id).await.map_err(AppError::from)? {
            return Ok(known);
        }
        let found = notes.found().await.map_err(AppError::from)?;
        let found = found.map(|(found, _)| found).filter(|found| found.id == id);
        let found = found.ok_or(AcknowledgeRefusal::Unknown)?;
        Ok(acknowledge(app, operator, found, reason).await?)
    })
    .await
}

/// Acknowledges a difference that this process has just found itself.
pub async fn acknowledge_found(
    app: &App,
    operator: &PrincipalId,
    difference: &Difference,
    reason: &str,
) -> Result<AcknowledgedDifference, AppError> {
    acknowledge(app, operator, difference.found(), reason).await
}

async fn acknowledge(
    app: &App,
    operator: &PrincipalId,
    found: FoundDifference,
    reason: &str,
) -> Result<AcknowledgedDifference, AppError> {
    let FoundDifference { id, subject, problem } = found;
    let (reason, by, at) = (reason.to_owned(), operator.clone(), app.now());
    let known = AcknowledgedDifference { id, subject, problem, reason, by, at };
    let after = json!({ "id": known.id, "subject": known.subject, "problem": known.problem }).to_string();
    let line = Line::new("verification.acknowledge").because(known.reason.as_str());
    let line = line.states(["null".to_owned(), after]);
    let line = audit::line(format!("difference-{}", known.id), at, operator, line);
    let writes = [app.store.verification().acknowledge(&known, ())?, app.store.audit().insert(&line, ())?];
    match refusal(app.store.commit(&writes).await)? {
        None => Ok(known),
        // Another operator was faster.
        Some(()) => app.store.verification().acknowledgement(&known.id).await?.ok_or(AppError::Conflict),
    }
}
