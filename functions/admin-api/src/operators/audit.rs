//! The audit trail: who did what to whom, and why.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use guerdon_api::{
    output::{Page, Refusal, id_text},
    pages,
    paging::Paged,
};
use guerdon_app::operators::audit_trail;
use guerdon_domain::{operators::AuditRecord, time::Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{
    csv,
    input::{bad_request, next_cursor},
    members::known::{Known, known},
    state::Api,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    month: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
    /// `json` or `csv`.
    format: Option<String>,
}

pages!(AuditQuery);

const COLUMNS: [&str; 7] = ["at", "operator", "action", "user_id", "reason", "before", "after"];

#[derive(Serialize, ToSchema)]
struct AuditLine {
    at: String,
    operator: String,
    action: String,
    user_id: Option<String>,
    reason: String,
    /// The values that it changed, before and after.
    #[schema(value_type = Value)]
    before: Value,
    #[schema(value_type = Value)]
    after: Value,
}

/// A month's lines, newest first.
#[utoipa::path(
    get,
    path = "/api/admin/audit",
    tag = "audit",
    params(AuditQuery),
    responses((status = 200, description = "Done", content((Page<AuditLine> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Paged { query, limit, after }: Paged<AuditQuery, (Timestamp, String)>,
) -> Result<Response, Refusal> {
    let month = match query.month {
        Some(month) => checked(month)?,
        None => api.gate.app.now().month(),
    };
    let before = after.as_ref().map(|(at, id)| (*at, id.as_str()));
    let lines = audit_trail(&api.gate.app, &month, before, limit).await?;
    let next_cursor = next_cursor(&lines, limit, |line| (line.at, line.id.clone()))?;
    let known = known(&api, lines.iter().filter_map(|line| line.member.clone())).await?;
    let items = lines.into_iter().map(|line| view(line, &known)).collect();
    csv::answer(query.format.as_deref(), Page { items, next_cursor }, ("audit", &COLUMNS))
}

fn view(line: AuditRecord, known: &Known) -> AuditLine {
    // Text that is not JSON is shown unchanged; no code writes such text.
    let state = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
    AuditLine {
        at: line.at.to_string(),
        operator: line.principal.into(),
        action: line.action,
        user_id: id_text(line.member.and_then(|member| known.get(&member).copied())),
        reason: line.reason,
        before: state(line.before),
        after: state(line.after),
    }
}

fn checked(month: String) -> Result<String, Refusal> {
    let is_month = month.len() == 7 && format!("{month}-01").parse::<jiff::civil::Date>().is_ok();
    if is_month { Ok(month) } else { Err(bad_request("bad_month", "month must be a month as 2026-11.")) }
}
