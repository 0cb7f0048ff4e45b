//! The automation log: what schedules did.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use guerdon_api::{
    output::{Page, Refusal},
    pages,
    paging::Paged,
};
use guerdon_app::{
    jobs::{JOBS, job_runs},
    stored::JobRun,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{
    csv,
    input::{bad_request, next_cursor},
    state::Api,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobQuery {
    /// `hold-release`, `code-expiry` or `ledger-verifier`; all when it is left out.
    job: Option<String>,
    /// 1 to 200, 50 when it is left out.
    #[param(value_type = Option<i32>)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// `json` or `csv`.
    format: Option<String>,
}

pages!(JobQuery);

#[derive(Serialize, ToSchema)]
struct JobView {
    job: String,
    started_at: String,
    ended_at: String,
    duration_ms: i64,
    /// `success` or `failed`.
    status: &'static str,
    /// The job's own report of its work.
    report: Value,
    error: Option<String>,
}

const COLUMNS: [&str; 7] = ["job", "started_at", "ended_at", "duration_ms", "status", "report", "error"];

fn view(run: JobRun) -> JobView {
    JobView {
        status: if run.error.is_none() { "success" } else { "failed" },
        started_at: run.started_at.to_string(),
        ended_at: run.ended_at.to_string(),
        duration_ms: run.ended_at.millis().saturating_sub(run.started_at.millis()),
        report: run.report.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        error: run.error,
        job: run.job,
    }
}

/// Runs of the scheduled jobs, newest first, with their times, durations and results.
#[utoipa::path(
    get,
    path = "/api/admin/jobs",
    tag = "jobs",
    params(JobQuery),
    responses((status = 200, description = "A page", content((Page<JobView> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Paged { query, limit, after }: Paged<JobQuery, String>,
) -> Result<Response, Refusal> {
    let job = query.job.as_deref();
    if job.is_some_and(|job| !JOBS.contains(&job)) {
        return Err(bad_request("bad_job", format!("job must be one of {}.", JOBS.join(", "))));
    }
    let runs = job_runs(&api.gate.app, job, after.as_deref(), limit).await?;
    let next_cursor = next_cursor(&runs, limit, JobRun::place)?;
    let page = Page { items: runs.into_iter().map(view).collect(), next_cursor };
    csv::answer(query.format.as_deref(), page, ("jobs", &COLUMNS))
}
