//! The automation log: results of scheduled jobs, for operators.

use guerdon_store::{jobs::JobRun, table::metered};
use serde_json::Value;

use crate::{context::App, error::AppError};

/// Releases commissions whose hold is over.
pub const HOLD_RELEASE: &str = "hold-release";

/// Expires codes, and referrals without a payment.
pub const CODE_EXPIRY: &str = "code-expiry";

/// Recomputes the ledger in parts.
pub const LEDGER_VERIFIER: &str = "ledger-verifier";

/// Names of the scheduled jobs.
pub const JOBS: [&str; 3] = [HOLD_RELEASE, CODE_EXPIRY, LEDGER_VERIFIER];

/// Runs `work` as `job` and stores its result, its duration and its error, if any.
///
/// # Errors
/// Those of `work`; [`AppError`] when a successful run cannot be stored.
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

/// Returns a page of runs, newest first: of one job after the run at a place, or the newest of all jobs.
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
