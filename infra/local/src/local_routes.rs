//! `/local`: the knobs and windows of the one-machine stack.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use guerdon_app::jobs::JOBS;
use guerdon_database::error::DatabaseError;
use guerdon_runtime::problem::{Problem, internal, not_found};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

use crate::{
    parts::{CLOCK_AHEAD, Parts},
    pumps,
    queue::QueueName,
    schedule,
};

pub(crate) fn router() -> Router<Arc<Parts>> {
    Router::new()
        .route("/clock", post(advance).get(clock))
        .route("/jobs/{function}", post(job))
        .route("/drain", post(drain))
        .route("/outbox/{chat_id}", get(outbox))
        .route("/stripe/calls", get(stripe_calls))
        .route("/costs", get(costs).delete(reset_costs))
        .route("/queues", get(queues))
        .route("/queues/redrive", post(redrive))
}

type Answer = Result<Json<Value>, Refused>;

/// A problem as an answer.
struct Refused(Problem);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.0.into_response::<String>().map(axum::body::Body::from)
    }
}

fn refuse(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Refused {
    Refused(Problem::new(status, code, "Refused", detail))
}

fn failed(error: &dyn std::fmt::Display) -> Refused {
    tracing::error!(%error, "a local route failed");
    Refused(internal())
}

#[derive(Deserialize)]
struct Advance {
    advance_seconds: i64,
}

/// The most that the clock may be ahead of the machine's.
const TEN_YEARS: i64 = 10 * 366 * 86_400;

async fn advance(State(parts): State<Arc<Parts>>, body: axum::body::Bytes) -> Answer {
    let wanted = serde_json::from_slice::<Advance>(&body).ok().map(|body| body.advance_seconds);
    let Some(seconds) = wanted.filter(|seconds| (0..=TEN_YEARS).contains(seconds)) else {
        let detail = "Send {\"advance_seconds\": N} with N from 0 to ten years; time does not run backwards.";
        return Err(refuse(StatusCode::BAD_REQUEST, "bad_advance", detail));
    };
    let ahead = parts.queues.mark(CLOCK_AHEAD).map_err(|error| failed(&error))?;
    let ahead: i64 = ahead.and_then(|text| text.parse().ok()).unwrap_or_default();
    let total = ahead.saturating_add(seconds);
    if total > TEN_YEARS {
        let detail =
            format!("The clock is {ahead} seconds ahead, and may be at most ten years ({TEN_YEARS}) ahead.");
        return Err(refuse(StatusCode::BAD_REQUEST, "clock_at_its_end", detail));
    }
    let kept = parts.queues.set_mark(CLOCK_AHEAD, &total.to_string()).map_err(|error| failed(&error))?;
    kept.settled().await.map_err(|error| failed(&error))?;
    parts.clock.advance(seconds);
    Ok(now(&parts))
}

async fn clock(State(parts): State<Arc<Parts>>) -> Json<Value> {
    now(&parts)
}

fn now(parts: &Parts) -> Json<Value> {
    let now = parts.app.now();
    Json(json!({ "now": now.to_string(), "unix_seconds": now.seconds() }))
}

async fn job(State(parts): State<Arc<Parts>>, Path(function): Path<String>) -> Answer {
    match schedule::run_job(&parts, &function).await {
        Some(Ok(report)) => Ok(Json(report)),
        Some(Err(error)) => Err(failed(&error)),
        None => {
            let detail = format!("There is no job of that name; there is: {}.", JOBS.join(", "));
            Err(refuse(StatusCode::NOT_FOUND, "unknown_job", detail))
        }
    }
}

/// A drain gives up after this long and says so.
const PATIENCE: Duration = Duration::from_secs(60);

async fn drain(State(parts): State<Arc<Parts>>) -> Answer {
    let drained = pumps::drain(&parts, PATIENCE).await;
    let mut report = depths(&parts).map_err(|error| failed(&error))?;
    report["drained"] = Value::Bool(drained);
    if drained {
        Ok(Json(report))
    } else {
        let detail = format!("Not empty after {} s: {report}", PATIENCE.as_secs());
        Err(refuse(StatusCode::SERVICE_UNAVAILABLE, "not_drained", detail))
    }
}

fn depths(parts: &Parts) -> Result<Value, DatabaseError> {
    let mut report = json!({});
    for queue in QueueName::ALL {
        report[queue.as_str()] = json!(parts.queues.depth(queue)?);
    }
    Ok(report)
}

async fn queues(State(parts): State<Arc<Parts>>) -> Answer {
    depths(&parts).map(Json).map_err(|error| failed(&error))
}

async fn redrive(State(parts): State<Arc<Parts>>) -> Answer {
    let moved = parts.queues.redrive().map_err(|error| failed(&error))?;
    Ok(Json(json!({ "redriven": moved })))
}

async fn outbox(State(parts): State<Arc<Parts>>, Path(chat_id): Path<String>) -> Answer {
    let Some(sim) = &parts.sim else { return Err(Refused(not_found())) };
    let Ok(chat_id) = chat_id.parse() else {
        return Err(refuse(StatusCode::BAD_REQUEST, "bad_chat_id", "A chat id is a whole number."));
    };
    Ok(Json(Value::Array(sim.outbox(chat_id))))
}

async fn stripe_calls(State(parts): State<Arc<Parts>>) -> Answer {
    let Some(sim) = &parts.sim else { return Err(Refused(not_found())) };
    Ok(Json(Value::Array(sim.stripe_calls())))
}

#[derive(Serialize)]
struct Cost {
    use_case: &'static str,
    requests: u64,
    transactions: u64,
    read_units: Box<RawValue>,
    write_units: Box<RawValue>,
}

async fn costs(State(parts): State<Arc<Parts>>) -> Result<Response, Refused> {
    let units = |tenths: u64| {
        RawValue::from_string(format!("{}.{}", tenths / 10, tenths % 10)).map_err(|error| failed(&error))
    };
    let mut rows = Vec::new();
    for (use_case, cost) in parts.meter.snapshot() {
        rows.push(Cost {
            use_case,
            requests: cost.requests,
            transactions: cost.transactions,
            read_units: units(cost.read_tenths)?,
            write_units: units(cost.write_tenths)?,
        });
    }
    Ok(Json(rows).into_response())
}

async fn reset_costs(State(parts): State<Arc<Parts>>) -> Json<Value> {
    parts.meter.reset();
    Json(json!({ "reset": true }))
}
