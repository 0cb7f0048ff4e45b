//! The reason for a member's referrer.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::output::Refusal;
use guerdon_app::{members::find_member, once::ChangeRefusal, referrals::explain_attribution};
use guerdon_domain::referrals::Click;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{input, state::Api};

#[derive(Serialize, ToSchema)]
struct AttributionView {
    user_id: String,
    referred_by: Option<String>,
    joined_at: Option<String>,
    /// The way to their referrer, or the reason for having none.
    explanation: &'static str,
    click: Option<ClickView>,
}

#[derive(Serialize, ToSchema)]
struct ClickView {
    id: String,
    at: String,
    /// The code of the link that was clicked.
    code: String,
    /// The code that was credited.
    credited_code: String,
    /// `first_touch`, `kept_first_touch`, `window_over`, `first_code_over` or `first_owner_blocked`.
    decision: &'static str,
    /// Time of the visitor's first click, if this click is not the first.
    first_click_at: Option<String>,
}

fn click(click: Click) -> ClickView {
    ClickView {
        id: click.id.to_string(),
        at: click.at.to_string(),
        code: click.code.to_string(),
        credited_code: click.credited.to_string(),
        decision: click.attribution.as_str(),
        first_click_at: click.first.map(|first| first.at.to_string()),
    }
}

/// The attribution of a member to their referrer: the click, and the reason why it counted.
#[utoipa::path(
    get,
    path = "/api/admin/users/{user_id}/attribution",
    tag = "users",
    params(("user_id" = String, Path)),
    responses((status = 200, description = "The explanation", body = AttributionView))
)]
pub(crate) async fn explain(
    State(api): State<Arc<Api>>,
    Path(user_id): Path<String>,
) -> Result<Response, Refusal> {
    let (app, user_id) = (&api.gate.app, input::user_id(&user_id)?);
    let member = find_member(app, &app.member_id(user_id)).await?;
    let member = member.ok_or(ChangeRefusal::UnknownMember)?;
    let found = explain_attribution(app, &member).await?;
    Ok(Json(AttributionView {
        user_id: user_id.to_string(),
        referred_by: found.referrer.map(|referrer| referrer.telegram_id.to_string()),
        joined_at: member.joined.map(|joined| joined.at.to_string()),
        explanation: found.explanation,
        click: found.click.map(click),
    })
    .into_response())
}
