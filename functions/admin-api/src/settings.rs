//! Settings: what operators may change while the business runs.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    idempotency::{Kept, Write, once},
    output::{Amount, Refusal},
};
use guerdon_app::{
    error::AppError,
    settings::{SettingState, all_settings, set_setting},
};
use guerdon_domain::{programs::Program, settings::SettingValue};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

use crate::{
    input::{self, missing},
    state::Api,
};

#[derive(Serialize, ToSchema)]
struct SettingView {
    key: String,
    /// A boolean, a whole number, an amount in major units, or a word.
    #[schema(value_type = Value)]
    value: Option<Shown>,
    /// The shipped value; `null` sets the setting back to it.
    #[schema(value_type = Value)]
    default: Option<Shown>,
    /// `boolean`, `integer`, `amount` or `action`; `program` for what `changed_with` changes.
    #[serde(rename = "type")]
    takes: &'static str,
    #[schema(value_type = Value)]
    minimum: Option<Shown>,
    #[schema(value_type = Value)]
    maximum: Option<Shown>,
    unit: Option<String>,
    description: String,
    /// The call that changes it.
    changed_with: &'static str,
    changed_at: Option<String>,
    changed_by: Option<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Shown {
    Switch(bool),
    Number(i64),
    Amount(Amount),
    Word(&'static str),
    Json(Value),
}

fn shown(value: SettingValue) -> Shown {
    match value {
        SettingValue::Switch(on) => Shown::Switch(on),
        SettingValue::Number(number) => Shown::Number(number),
        SettingValue::Amount(amount) => Shown::Amount(Amount(amount)),
        SettingValue::Action(action) => Shown::Word(action.as_str()),
    }
}

fn view(state: SettingState) -> SettingView {
    let SettingState { setting, value, changed } = state;
    let bounds = setting.takes.bounds();
    let (changed_at, changed_by) = changed.map(|(at, by)| (at.to_string(), by)).unzip();
    SettingView {
        key: setting.key,
        value: value.map(shown),
        default: setting.default.map(shown),
        takes: setting.takes.as_str(),
        minimum: bounds.map(|(least, _)| shown(least)),
        maximum: bounds.map(|(_, most)| shown(most)),
        unit: setting.unit,
        description: setting.description,
        changed_with: "PUT /settings/{key}",
        changed_at,
        changed_by: changed_by.map(String::from),
    }
}

/// Lists the numbers of each rule; the program's own calls change them.
fn of_program(program: &Program, shipped: &Program) -> Result<Vec<SettingView>, AppError> {
    let mut list = Vec::new();
    for rule in &program.rules {
        let before = shipped.rules.iter().find(|known| known.id == rule.id);
        let hold = before.map(|rule| Shown::Number(rule.hold_seconds));
        let amount = before.map(|rule| serde_json::to_value(rule.amount)).transpose()?.map(Shown::Json);
        let (value, id) = (Shown::Json(serde_json::to_value(rule.amount)?), &rule.id);
        let about = "How much the rule grants.";
        list.push(program_view(format!("program.rules.{id}.amount"), value, amount, None, about));
        let value = Shown::Number(rule.hold_seconds);
        let (key, about) = (format!("program.rules.{id}.hold_seconds"), "How long what it grants is held.");
        list.push(program_view(key, value, hold, Some("seconds".to_owned()), about));
    }
    Ok(list)
}

fn program_view(
    key: String,
    value: Shown,
    default: Option<Shown>,
    unit: Option<String>,
    description: &str,
) -> SettingView {
    SettingView {
        key,
        value: Some(value),
        default,
        takes: "program",
        minimum: None,
        maximum: None,
        unit,
        description: description.to_owned(),
        changed_with: "PUT /api/admin/program",
        changed_at: None,
        changed_by: None,
    }
}

/// Every setting with what is in force, what was shipped, its bounds, and who changed it last; and what the program
/// says, which is versioned and changed elsewhere.
#[utoipa::path(
    get,
    path = "/settings/all",
    tag = "settings",
    responses((status = 200, description = "Done", body = Vec<SettingView>))
)]
pub(crate) async fn all(State(api): State<Arc<Api>>) -> Result<Response, Refusal> {
    let app = &api.gate.app;
    let mut list: Vec<_> = all_settings(app).await?.into_iter().map(view).collect();
    let newest = guerdon_app::programs::newest_program(app).await?;
    let program = of_program(&newest.program, &app.preset.program)?.into_iter().map(|view| SettingView {
        changed_at: (newest.set_at.millis() > 0).then(|| newest.set_at.to_string()),
        changed_by: Some(newest.set_by.to_string()),
        ..view
    });
    list.extend(program);
    Ok(Json(list).into_response())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SettingBody<'a> {
    /// The new value; `null` for the shipped value.
    #[serde(borrow)]
    #[schema(value_type = Value)]
    value: Option<&'a RawValue>,
    /// The reason, for the audit trail.
    reason: Option<String>,
}

/// Sets a setting. It is in force everywhere within half a minute.
#[utoipa::path(
    put,
    path = "/settings/{key}",
    tag = "settings",
    params(("key" = String, Path)),
    request_body = SettingBody,
    responses(
        (status = 200, description = "Done", body = SettingView),
        (status = 404, description = "No setting has this key"),
        (status = 422, description = "It is of another type or out of bounds")
    )
)]
pub(crate) async fn set(
    State(api): State<Arc<Api>>,
    Path(key): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    once(&api.gate, &write, async {
        let given: SettingBody<'_> = input::json(&write.body, "value, and perhaps reason")?;
        // A value of null is one, too.
        let value = match given.value {
            Some(value) => value.get(),
            None if has_value(&write.body) => "null",
            None => return Err(missing("value")),
        };
        let reason = given.reason.filter(|reason| !reason.trim().is_empty());
        let reason = reason.map(|reason| input::reason(Some(reason))).transpose()?;
        let state = set_setting(&api.gate.app, &write.principal.name, &key, value, reason.as_deref()).await?;
        Kept::new(StatusCode::OK, &view(state))
    })
    .await
}

/// A body's `null` and its absence read the same as an option.
fn has_value(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|body| body.get("value").is_some())
}
