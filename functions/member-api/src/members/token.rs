//! Tokens with which members act for themselves.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{credentials::Principal, gate::Gate, input::bad_request, output::Refusal};
use guerdon_app::error::AppError;
use guerdon_runtime::{
    problem,
    tokens::{MEMBER_LIFETIME_SECONDS, MemberToken, issue_to_member},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::input::UserRef;

#[derive(Serialize, ToSchema)]
struct MemberTokenView {
    access_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
    /// The id under which members see each other.
    #[serde(rename = "userId")]
    user_id: String,
}

/// A token for a Telegram user whom the service knows to be the one who asks. They need not be a member: a code of
/// their own, or a friend's that they track, makes them one. It is void once the service's key is revoked.
#[utoipa::path(
    post,
    path = "/api/members/{user_id}/token",
    tag = "users",
    params(("user_id" = String, Path, description = "A Telegram id")),
    responses((status = 200, description = "The token", body = MemberTokenView))
)]
pub(crate) async fn give(
    State(gate): State<Arc<Gate>>,
    Extension(principal): Extension<Principal>,
    Path(user_id): Path<String>,
) -> Result<Response, Refusal> {
    let UserRef::Telegram(telegram_id) = UserRef::parse(&user_id)? else {
        return Err(bad_request("bad_user_id", "A token is given for a Telegram user id in digits."));
    };
    let service_key = principal.service_key().cloned();
    let service_key = service_key
        .ok_or_else(|| Refusal::from(AppError::Corrupt("a service's route let another in".into())))?;
    let member = MemberToken { id: gate.app.member_id(telegram_id), telegram_id, service_key };
    let token = issue_to_member(&gate.secrets, &member, gate.app.now()).await.map_err(|error| {
        tracing::error!(%error, "members' tokens cannot be signed");
        Refusal(problem::unavailable())
    })?;
    let view = MemberTokenView {
        access_token: token,
        token_type: "bearer",
        expires_in: MEMBER_LIFETIME_SECONDS,
        user_id: member.id.to_uuid(),
    };
    Ok(([("cache-control", "no-store")], Json(view)).into_response())
}
