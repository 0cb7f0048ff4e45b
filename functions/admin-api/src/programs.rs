//! The program: the rules in force, setting others, and trying some out on the past.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use guerdon_api::{
    idempotency::Write,
    output::{Refusal, replayed},
};
use guerdon_app::programs::{MOST_DAYS, ProgramRefusal, RuleTotal};
use guerdon_domain::{
    ids::RuleId,
    programs::{Program, ProgramVersion},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    input::{self, bad_request, unprocessable},
    state::Api,
};

#[derive(Serialize, ToSchema)]
struct VersionView {
    #[schema(value_type = Object)]
    program: Program,
    effective_from: String,
    set_by: String,
    set_at: String,
}

fn view(version: ProgramVersion) -> VersionView {
    VersionView {
        program: version.program,
        effective_from: version.effective_from.to_string(),
        set_by: version.set_by.into(),
        set_at: version.set_at.to_string(),
    }
}

/// The newest version of the program, in force or soon to be.
#[utoipa::path(
    get,
    path = "/api/admin/program",
    tag = "program",
    responses((status = 200, description = "Done", body = VersionView))
)]
pub(crate) async fn newest(State(api): State<Arc<Api>>) -> Result<Response, Refusal> {
    Ok(Json(view(guerdon_app::programs::newest_program(&api.gate.app).await?)).into_response())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProgramBody<'a> {
    reason: Option<String>,
    #[serde(borrow)]
    #[schema(value_type = Object)]
    program: Option<&'a RawValue>,
}

/// Sets a new version of the program. What is booked is not touched.
#[utoipa::path(
    put,
    path = "/api/admin/program",
    tag = "program",
    request_body = ProgramBody,
    responses((status = 200, description = "Done", body = VersionView))
)]
pub(crate) async fn set(State(api): State<Arc<Api>>, write: Write) -> Result<Response, Refusal> {
    let body: ProgramBody<'_> = input::json(&write.body, "reason and program")?;
    let reason = input::reason(body.reason)?;
    let program = read(body.program.ok_or_else(|| input::missing("program"))?)?;
    let call = write.call(&api.gate)?;
    // The use case gives the stored version back without saying so.
    let before = call.answered(&api.gate.app).await?.is_some();
    let version = guerdon_app::programs::set_program(&api.gate.app, &call, &reason, program).await?;
    Ok(replayed(Json(view(version)).into_response(), before))
}

/// A program has the shape it has in a preset. What is wrong with it is said with its path.
fn read(raw: &RawValue) -> Result<Program, Refusal> {
    let bad = |why: String| unprocessable("bad_program", format!("Nothing was changed: program: {why}."));
    let program = serde_json::from_str(raw.get()).map_err(|error| bad(error.to_string()))?;
    // A preset may have no rules. Here a field that was forgotten would switch off all rewards.
    let fields: BTreeMap<&str, &RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
    if !fields.contains_key("rules") {
        return Err(bad("rules is missing; an empty list switches all rewards off".to_owned()));
    }
    Ok(program)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SimulateBody<'a> {
    #[serde(borrow)]
    #[schema(value_type = Object)]
    program: Option<&'a RawValue>,
    month: Option<String>,
    first: Option<String>,
    days: Option<i64>,
}

#[derive(Serialize, ToSchema)]
struct SimulationView {
    first: String,
    days: i64,
    currency: String,
    payments: u64,
    #[schema(value_type = Object)]
    rules: BTreeMap<String, RuleTotal>,
    #[schema(value_type = Object)]
    refusals: BTreeMap<&'static str, u64>,
    #[schema(value_type = Object)]
    granted: BTreeMap<String, RuleTotal>,
    truncated: bool,
}

/// The rewards that a program would have granted for the payments of a period.
#[utoipa::path(
    post,
    path = "/api/admin/program/simulate",
    tag = "program",
    request_body = SimulateBody,
    responses((status = 200, description = "Done", body = SimulationView))
)]
pub(crate) async fn simulate(State(api): State<Arc<Api>>, body: Bytes) -> Result<Response, Refusal> {
    let body: SimulateBody<'_> = input::json(&body, "month, or first and days, and perhaps program")?;
    let (first, days) = period(&body)?;
    let program = match body.program {
        Some(raw) => read(raw)?,
        None => guerdon_app::programs::newest_program(&api.gate.app).await?.program,
    };
    api.gate.app.preset.check_program(&program).map_err(ProgramRefusal::from)?;
    let done = guerdon_app::programs::simulate(&api.gate.app, &program, first, days).await?;
    let view = SimulationView {
        first: first.to_string(),
        days,
        currency: api.gate.app.preset.currency.to_string(),
        payments: done.payments,
        rules: by_rule(done.rules),
        refusals: done.refusals,
        granted: by_rule(done.granted),
        truncated: done.truncated,
    };
    Ok(Json(view).into_response())
}

fn by_rule(totals: BTreeMap<RuleId, RuleTotal>) -> BTreeMap<String, RuleTotal> {
    totals.into_iter().map(|(rule, total)| (rule.into(), total)).collect()
}

/// The UTC days that are looked at.
fn period(body: &SimulateBody<'_>) -> Result<(Timestamp, i64), Refusal> {
    let bad = || {
        let detail = format!("Send month as 2026-10, or first as 2026-10-01 and days from 1 to {MOST_DAYS}.");
        bad_request("bad_period", detail)
    };
    let day = |text: &str| text.parse::<jiff::civil::Date>().map_err(|_| bad());
    let (first, days) = match (&body.month, &body.first, body.days) {
        (Some(month), None, None) if month.len() == 7 => {
            let first = day(&format!("{month}-01"))?;
            (first, i64::from(first.days_in_month()))
        }
        (None, Some(first), Some(days)) if first.len() == 10 && (1..=MOST_DAYS).contains(&days) => {
            (day(first)?, days)
        }
        _ => return Err(bad()),
    };
    let midnight = first.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| bad())?;
    Ok((Timestamp::from_millis(midnight.timestamp().as_millisecond()), days))
}
