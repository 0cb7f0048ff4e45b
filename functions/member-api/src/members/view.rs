//! A member, as a service sees one.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{gate::Gate, output::Refusal};
use guerdon_app::{members::StartRefusal, settings::settings_now};
use guerdon_domain::members::Member;
use serde::Serialize;
use utoipa::ToSchema;

use crate::input::{UserRef, load};

#[derive(Serialize, ToSchema)]
pub(super) struct User {
    /// The Telegram id, as text.
    user_id: String,
    telegram_id: i64,
    /// The id under which members see each other.
    uuid: String,
    username: Option<String>,
    first_name: String,
    last_name: Option<String>,
    referral_code: Option<String>,
    referral_code_expires_at: Option<String>,
    /// The reason why no code is shown although members have one: `referrals_off`.
    no_referral_code_because: Option<&'static str>,
    /// The user id of the referrer.
    referred_by: Option<String>,
    created_at: Option<String>,
    /// `active`, or `blocked`: barred from rewards and withdrawals.
    status: &'static str,
}

pub(super) async fn user(gate: &Gate, member: Member) -> Result<User, Refusal> {
    let referrer = member.joined.as_ref().and_then(|joined| joined.referrer.clone());
    let referrer = match referrer {
        Some(id) => guerdon_app::members::find_member(&gate.app, &id).await?,
        None => None,
    };
    let enabled = settings_now(&gate.app).await?.referrals_enabled;
    let status = if member.is_barred() { "blocked" } else { "active" };
    let code = member.code.filter(|_| enabled);
    Ok(User {
        user_id: member.telegram_id.to_string(),
        telegram_id: member.telegram_id.get(),
        uuid: member.id.to_uuid(),
        referral_code: code.as_ref().map(|code| code.code.to_string()),
        referral_code_expires_at: code.map(|code| code.expires_at.to_string()),
        no_referral_code_because: (!enabled).then_some(StartRefusal::ReferralsOff.code()),
        referred_by: referrer.map(|referrer| referrer.telegram_id.to_string()),
        created_at: member.joined.map(|joined| joined.at.to_string()),
        status,
        username: member.username,
        first_name: member.first_name,
        last_name: member.last_name,
    })
}

/// A member.
#[utoipa::path(
    get,
    path = "/users/{user_id}",
    tag = "users",
    params(("user_id" = String, Path, description = "A Telegram id, or a UUID that the API shows")),
    responses((status = 200, description = "The member", body = User))
)]
pub(crate) async fn one(
    State(gate): State<Arc<Gate>>,
    Path(user_id): Path<String>,
) -> Result<Response, Refusal> {
    let member = load(&gate, &UserRef::parse(&user_id)?.member(&gate)).await?;
    Ok(Json(user(&gate, member).await?).into_response())
}
