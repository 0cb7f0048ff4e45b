//! EventBridge Scheduler on one machine: the hourly jobs, on the stack's own clock.

use std::{sync::Arc, time::Duration};

use guerdon_app::{
    context::App,
    error::AppError,
    jobs::{CODE_EXPIRY, HOLD_RELEASE, JOBS, LEDGER_VERIFIER, logged_run},
    observe::correlated,
};
use serde_json::Value;
use tokio::time::sleep;

use crate::parts::Parts;

/// Runs a job now. None when there is no such job.
pub(crate) async fn run_job(parts: &Parts, function: &str) -> Option<Result<Value, AppError>> {
    let app = &parts.app;
    let job = JOBS.into_iter().find(|job| *job == function)?;
    let id = format!("{job}_{}", app.now());
    Some(correlated(id, logged_run(app, job, work(app, job))).await)
}

async fn work(app: &App, job: &str) -> Result<Value, AppError> {
    match job {
        HOLD_RELEASE => hold_release::handler::handle(app).await,
        CODE_EXPIRY => code_expiry::handler::handle(app).await,
        LEDGER_VERIFIER => ledger_verifier::handler::handle(app).await,
        unknown => Err(AppError::Corrupt(format!("no function does the job {unknown}").into())),
    }
}

/// Runs every job that is not off once each hour of the stack's clock.
pub(crate) async fn run(parts: Arc<Parts>, off: Vec<&'static str>) {
    let mut last = hour(&parts);
    loop {
        sleep(Duration::from_millis(500)).await;
        let now = hour(&parts);
        if now == last {
            continue;
        }
        last = now;
        // DynamoDB deletes what its TTL let expire by itself.
        // It waits for the disk, batch by batch.
        let engine = parts.engine.clone();
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || engine.sweep_ttl()).await {
            tracing::warn!(%error, "expired items were not removed");
        }
        for job in JOBS.into_iter().filter(|job| !off.contains(job)) {
            if let Some(Err(error)) = run_job(&parts, job).await {
                tracing::error!(job, code = error.code(), %error, "the job failed; it runs again in an hour");
            }
        }
    }
}

fn hour(parts: &Parts) -> i64 {
    parts.app.now().seconds().div_euclid(3600)
}
