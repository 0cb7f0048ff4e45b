//! Barring a member from rewards, and letting one have them again.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{Principal, Refusal, output};
use guerdon_app::once::Answer;
use http::HeaderMap;
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
    Extension(principal): Extension<Principal>,
    Path(user_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    set_barred(&api, &principal, (&user_id, true), &headers, &body).await
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
    Extension(principal): Extension<Principal>,
    Path(user_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    set_barred(&api, &principal, (&user_id, false), &headers, &body).await
}

async fn set_barred(
    api: &Api,
    principal: &Principal,
    (user_id, barred): (&str, bool),
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, Refusal> {
    let user_id = input::user_id(user_id)?;
    let why: Why = input::json(body, "reason")?;
    let reason = input::reason(why.reason)?;
    let route = if barred { "bar" } else { "unbar" };
    let call = input::call(route, principal, headers, &[&user_id.to_string(), &reason])?;
    let answer =
        guerdon_app::members::set_barred(&api.gate.app, &input::request_of(call, user_id, reason), barred)
            .await?;
    let before = matches!(answer, Answer::AlreadyApplied(_));
    let body = Json(Barred { user_id: user_id.to_string(), barred });
    Ok(output::replayed(body.into_response(), before))
}
