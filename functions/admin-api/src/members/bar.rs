//! Barring a member from rewards, and letting one have them again.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    idempotency::Write,
    output::{self, Refusal},
};
use guerdon_app::once::{Answer, MemberCall};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{input, state::Api};

/// A body that says only why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Barred {
    user_id: String,
    barred: bool,
}

/// Bars a member from rewards and withdrawals. What is booked stays.
#[utoipa::path(
    post,
    path = "/api/admin/users/{user_id}/bar",
    tag = "credits",
    params(("user_id" = String, Path)),
    request_body = Why,
    responses((status = 200, description = "Done", body = Barred))
)]
pub(crate) async fn bar(
    State(api): State<Arc<Api>>,
    Path(user_id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    set_barred(&api, (&user_id, true), &write).await
}

/// Lets a member have rewards again.
#[utoipa::path(
    post,
    path = "/api/admin/users/{user_id}/unbar",
    tag = "credits",
    params(("user_id" = String, Path)),
    request_body = Why,
    responses((status = 200, description = "Done", body = Barred))
)]
pub(crate) async fn unbar(
    State(api): State<Arc<Api>>,
    Path(user_id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    set_barred(&api, (&user_id, false), &write).await
}

async fn set_barred(api: &Api, (user_id, barred): (&str, bool), write: &Write) -> Result<Response, Refusal> {
    let user_id = input::user_id(user_id)?;
    let why: Why = input::json(&write.body, "reason")?;
    let reason = input::reason(why.reason)?;
    let call = MemberCall { call: write.call(&api.gate)?, user_id, reason };
    let answer = guerdon_app::members::set_barred(&api.gate.app, &call, barred).await?;
    let before = matches!(answer, Answer::AlreadyApplied(_));
    let body = Json(Barred { user_id: user_id.to_string(), barred });
    Ok(output::replayed(body.into_response(), before))
}
