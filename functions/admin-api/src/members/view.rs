//! A member with everything that operators ask about.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::output::{Amount, Refusal, id_text};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{input::user_id, state::Api};

#[derive(Serialize, ToSchema)]
struct UserView {
    user_id: String,
    username: Option<String>,
    first_name: String,
    joined_at: Option<String>,
    referral_code: Option<String>,
    referred_by: Option<String>,
    referral_state: Option<&'static str>,
    stripe_customer: Option<String>,
    recruits: i64,
    pending: i64,
    converted: i64,
    expired: i64,
    total_earned: Amount,
    credit_balance: Amount,
    posted_to_stripe: Amount,
    held: Amount,
    owed: Amount,
    applied: Amount,
    currency: String,
    barred: bool,
}

async fn user_view(api: &Api, text: &str) -> Result<Option<UserView>, Refusal> {
    let Some(found) = guerdon_app::members::admin_member(&api.gate.app, user_id(text)?).await? else {
        return Ok(None);
    };
    let state = found.referral.as_ref().map(|referral| referral.state.as_str());
    let member = found.member;
    Ok(Some(UserView {
        barred: member.is_barred(),
        user_id: member.telegram_id.to_string(),
        username: member.username,
        first_name: member.first_name,
        joined_at: member.joined.map(|joined| joined.at.to_string()),
        referral_code: member.code.map(|code| code.code.to_string()),
        referred_by: id_text(found.referred_by),
        referral_state: state,
        stripe_customer: member.customer.map(|customer| customer.to_string()),
        recruits: found.stats.recruits,
        pending: found.stats.pending,
        converted: found.stats.converted,
        expired: found.stats.expired,
        currency: found.credit_balance.currency().to_string(),
        total_earned: Amount(found.stats.earned),
        credit_balance: Amount(found.credit_balance),
        posted_to_stripe: Amount(found.posted),
        held: Amount(found.stats.held),
        owed: Amount(found.owed),
        applied: Amount(found.applied),
    }))
}

/// A member, with everything due released.
#[utoipa::path(
    get,
    path = "/api/admin/credits/user/{user_id}",
    tag = "credits",
    params(("user_id" = String, Path)),
    responses((status = 200, description = "Done", body = UserView))
)]
pub(crate) async fn user(
    State(api): State<Arc<Api>>,
    Path(user_id): Path<String>,
) -> Result<Response, Refusal> {
    match user_view(&api, &user_id).await? {
        Some(view) => Ok(Json(view).into_response()),
        None => Err(guerdon_app::once::ChangeRefusal::UnknownMember.into()),
    }
}
