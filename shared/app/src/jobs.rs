//! What schedules did, for operators: the automation log.

use guerdon_store::{jobs::JobRun, table::metered};
use serde_json::Value;

use crate::{context::App, error::AppError};

/// Releases commissions whose hold is over.
pub const HOLD_RELEASE: &str = "hold-release";

/// Expires codes, and referrals that never paid.
pub const CODE_EXPIRY: &str = "code-expiry";

/// Recomputes the ledger, part after part.
pub const LEDGER_VERIFIER: &str = "ledger-verifier";

/// Jobs that run by a schedule.
pub const JOBS: [&str; 3] = [HOLD_RELEASE, CODE_EXPIRY, LEDGER_VERIFIER];

/// Runs `work` as `job` and keeps what it did, how long it took, and how it failed if it did.
///
/// # Errors
/// Those of `work`; and [`AppError`] when a run that went well cannot be kept.
pub async fn logged_run(
    app: &App,
    job: &'static str,
    work: impl Future<Output = Result<Value, AppError>>,
) -> Result<Value, AppError> {
    let started_at = app.now();
    let outcome = work.await;
    let id = app.entropy.nonce()?;
    let run = JobRun {
        job: job.to_owned(),
        started_at,
        ended_at: app.now(),
        report: outcome.as_ref().ok().map(Value::to_string),
        error: outcome.as_ref().err().map(ToString::to_string),
        id: hex::encode(&id[..6]),
    };
    let kept = metered("job_log", app.store.jobs().put(&run)).await;
    let report = outcome?;
    kept?;
    Ok(report)
}

/// A page of runs, the newest first: of one job after the run at a place, or the newest of all jobs.
///
/// # Errors
/// [`AppError`].
pub async fn job_runs(
    app: &App,
    job: Option<&str>,
    before: Option<&str>,
    limit: i32,
) -> Result<Vec<JobRun>, AppError> {
    metered("job_runs", async {
        let mut runs = Vec::new();
        for known in JOBS.into_iter().filter(|known| job.is_none_or(|job| job == *known)) {
            runs.extend(app.store.jobs().list(known, before, limit).await?);
        }
        runs.sort_by_key(|run| std::cmp::Reverse(run.place()));
        runs.truncate(usize::try_from(limit).unwrap_or_default());
        Ok(runs)
    })
    .await
}
