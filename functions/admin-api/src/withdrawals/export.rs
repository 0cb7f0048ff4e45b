//! The bank's file: the one place where destinations are in clear.

use guerdon_domain::ids::BatchId;
use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use guerdon_api::{
    idempotency::Write,
    output::{Refusal, replayed},
};
use guerdon_app::{
    audit::Line,
    error::{AppError, Reason},
    withdrawals::{BatchLine, export_batch},
};
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view;
use crate::{
    csv::cell,
    input::{self, missing},
    state::Api,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BatchBody {
    batch: Option<String>,
    method: Option<String>,
}

/// The stored answer of an export, without destinations.
#[derive(Serialize, Deserialize)]
struct Kept {
    lines: usize,
}

/// Claims all approved withdrawals of a method and gives them as a bank's CSV file.
#[utoipa::path(
    post,
    path = "/api/admin/withdrawals/export",
    tag = "withdrawals",
    request_body = BatchBody,
    responses((status = 200, description = "Done", body = String, content_type = "text/csv"))
)]
pub(crate) async fn export(State(api): State<Arc<Api>>, write: Write) -> Result<Response, Refusal> {
    let body: BatchBody = input::json(&write.body, "batch and method")?;
    let batch = body.batch.ok_or_else(|| missing("batch"))?;
    let batch = BatchId::from(batch.trim());
    let method = view::method(body.method.as_deref())?;
    let call = write.call(&api.gate)?;
    if let Some(answer) = call.answered(&api.gate.app).await? {
        let kept: Kept = serde_json::from_str(&answer).map_err(AppError::from)?;
        // An empty file stays empty, whatever was approved since.
        let lines = match kept.lines {
            0 => Vec::new(),
            _ => export_batch(&api.gate.app, &batch, method, &call.principal).await?,
        };
        return Ok(replayed(file(&lines)?, true));
    }
    let lines = export_batch(&api.gate.app, &batch, method, &call.principal).await?;
    let kept = serde_json::to_string(&Kept { lines: lines.len() }).map_err(AppError::from)?;
    let states = ["null".to_owned(), kept.clone()];
    let line = Line::new("withdrawal.export").because(batch.as_str()).states(states);
    guerdon_app::once::keep_answer(&api.gate.app, &call, kept, Some(line)).await?;
    file(&lines)
}

fn file(lines: &[BatchLine]) -> Result<Response, Refusal> {
    let text = csv_of(lines).map_err(|error| AppError::Corrupt(Reason::of(error)))?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"withdrawals.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers.map(|(name, value)| (name, HeaderValue::from_static(value))), text).into_response())
}

fn csv_of(lines: &[BatchLine]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["reference", "method", "destination", "amount", "currency"])?;
    for BatchLine { withdrawal, destination } in lines {
        writer.write_record([
            cell(withdrawal.id.as_str()),
            withdrawal.destination.method.as_str().to_owned(),
            cell(destination),
            withdrawal.amount.to_major().to_string(),
            withdrawal.amount.currency().to_string(),
        ])?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
