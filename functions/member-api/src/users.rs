//! Members, as a service makes and sees them.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    Amount, Gate, Principal, Refusal,
    idempotency::{Kept, Write, once},
    input::{self, bad_request},
    output::Percent,
    unchanged,
};
use guerdon_app::{
    gamification::profile_view,
    members::{Profile, Registered, StartRefusal, register_member},
};
use guerdon_domain::{
    fraud::{Fingerprint, FingerprintError},
    members::Member,
    referrals::Code,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::input::{UserRef, load, whose};

/// Names are cut to this many characters, which is the most that Telegram gives.
const LONGEST_NAME: usize = 64;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    telegram_id: UserRef,
    username: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    /// The friend's code, also as `ref_` and the code.
    referred_by_code: Option<String>,
    /// Kept as a hash, for the fraud rules.
    device_id: Option<String>,
    /// Kept as a hash, for the fraud rules.
    ip_address: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct User {
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
    /// Who brought them.
    referred_by: Option<String>,
    created_at: Option<String>,
    /// `active`, or `blocked`: barred from rewards and withdrawals.
    status: &'static str,
}

#[derive(Serialize, ToSchema)]
struct CreatedUser {
    #[serde(flatten)]
    user: User,
    /// They were nobody before this call.
    is_new: bool,
    /// Why the code made no referral, for somebody who was here before: `already_referred`, `already_member`,
    /// `own_code`, `unknown_code`.
    not_referred_because: Option<&'static str>,
}

async fn user(gate: &Gate, member: Member) -> Result<User, Refusal> {
    let referrer = member.joined.as_ref().and_then(|joined| joined.referrer.clone());
    let referrer = match referrer {
        Some(id) => gate.app.store.members().find(&id).await.map_err(guerdon_app::error::AppError::from)?,
        None => None,
    };
    let status = if member.is_barred() { "blocked" } else { "active" };
    Ok(User {
        user_id: member.telegram_id.to_string(),
        telegram_id: member.telegram_id.get(),
        uuid: member.id.to_uuid(),
        referral_code: member.code.as_ref().map(|code| code.code.to_string()),
        referral_code_expires_at: member.code.map(|code| code.expires_at.to_string()),
        referred_by: referrer.map(|referrer| referrer.telegram_id.to_string()),
        created_at: member.joined.map(|joined| joined.at.to_string()),
        status,
        username: member.username,
        first_name: member.first_name,
        last_name: member.last_name,
    })
}

/// Makes a member with a referral code of their own, and a referee of whoever shared `referred_by_code`. Sent again,
/// it answers with what is there.
#[utoipa::path(
    post,
    path = "/users/create",
    tag = "users",
    request_body = NewUser,
    responses((status = 200, description = "The member", body = CreatedUser))
)]
pub(crate) async fn create(State(gate): State<Arc<Gate>>, write: Write) -> Result<Response, Refusal> {
    once(&gate, &write, async {
        let new: NewUser = input::json(&write.body, "telegram_id and what is known of the user")?;
        let prints = prints(&gate, &new)?;
        let code = new.referred_by_code.as_deref().filter(|code| !code.trim().is_empty());
        let code = code.map(self::code).transpose()?;
        let profile = profile(new)?;
        let registered = register_member(&gate.app, &profile, code.as_ref(), &prints).await?;
        let Registered { mut member, code, is_new, not_referred } = registered.map_err(refused)?;
        member.code = Some(code);
        let user = user(&gate, member).await?;
        let not_referred_because = not_referred.map(StartRefusal::code);
        Kept::new(StatusCode::OK, &CreatedUser { user, is_new, not_referred_because })
    })
    .await
}

fn profile(new: NewUser) -> Result<Profile, Refusal> {
    let UserRef::Telegram(telegram_id) = new.telegram_id else {
        return Err(bad_request("bad_user_id", "telegram_id must be a Telegram user id in digits."));
    };
    let username = new.username.map(|name| name.trim_start_matches('@').to_owned());
    Ok(Profile {
        telegram_id,
        first_name: name("first_name", new.first_name)?.unwrap_or_default(),
        last_name: name("last_name", new.last_name)?,
        username: name("username", username)?,
        language: None,
    })
}

/// A name, without what would break a line; an empty one is none.
pub(crate) fn name(field: &str, text: Option<String>) -> Result<Option<String>, Refusal> {
    let Some(text) = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > LONGEST_NAME || text.chars().any(char::is_control) {
        return Err(bad_request(
            "bad_name",
            format!("{field} must be one line of at most {LONGEST_NAME} characters."),
        ));
    }
    Ok(Some(text))
}

/// A code as people pass it on.
pub(crate) fn code(text: &str) -> Result<Code, Refusal> {
    let text = text.trim();
    Code::parse(text.strip_prefix("ref_").unwrap_or(text)).map_err(|_| refused(StartRefusal::UnknownCode))
}

fn prints(gate: &Gate, new: &NewUser) -> Result<Vec<Fingerprint>, Refusal> {
    let key = &gate.app.pseudonyms;
    let bad = |field: &'static str| {
        move |error: FingerprintError| bad_request("bad_fingerprint", format!("{field}: {error}."))
    };
    let device = new.device_id.as_deref().map(|id| Fingerprint::device(key, id).map_err(bad("device_id")));
    let ip = new.ip_address.as_deref().map(|ip| Fingerprint::ip(key, ip).map_err(bad("ip_address")));
    [device, ip].into_iter().flatten().collect()
}

/// A code that makes no referral.
pub(crate) fn refused(refusal: StartRefusal) -> Refusal {
    let (status, why) = match refusal {
        StartRefusal::UnknownCode => (StatusCode::BAD_REQUEST, "nobody has this referral code"),
        StartRefusal::ExpiredCode => (StatusCode::BAD_REQUEST, "this referral code has expired"),
        StartRefusal::OwnCode => (StatusCode::CONFLICT, "nobody refers themselves"),
        StartRefusal::AlreadyReferred => (StatusCode::CONFLICT, "the user has a referrer already"),
        StartRefusal::ReferralsOff => (StatusCode::CONFLICT, "referral codes are not taken at the moment"),
        StartRefusal::AlreadyMember => {
            (StatusCode::CONFLICT, "the user was a member before, and only new members can be referred")
        }
    };
    unchanged(status, refusal.code(), "No referral", why)
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

#[derive(Serialize, ToSchema)]
struct ReferralStats {
    user_id: String,
    total_referrals: i64,
    pending_referrals: i64,
    converted_referrals: i64,
    expired_referrals: i64,
    /// Of a hundred referrals, how many have paid.
    conversion_rate: Percent,
    currency: String,
    /// All commissions so far.
    total_earned: Amount,
    /// Of these, what is on hold.
    pending_earnings: Amount,
}

/// How a member's referrals went.
#[utoipa::path(
    get,
    path = "/users/{user_id}/referral-stats",
    tag = "users",
    params(("user_id" = String, Path, description = "A Telegram id, or a UUID that the API shows")),
    responses((status = 200, description = "The figures", body = ReferralStats))
)]
pub(crate) async fn stats(
    State(gate): State<Arc<Gate>>,
    Extension(principal): Extension<Principal>,
    Path(user_id): Path<String>,
) -> Result<Response, Refusal> {
    let member = whose(&gate, &principal, &UserRef::parse(&user_id)?)?;
    let member = load(&gate, &member).await?;
    let stats = profile_view(&gate.app, &member.id).await?.stats;
    Ok(Json(ReferralStats {
        user_id: member.telegram_id.to_string(),
        total_referrals: stats.recruits,
        pending_referrals: stats.pending,
        converted_referrals: stats.converted,
        expired_referrals: stats.expired,
        conversion_rate: Percent { part: stats.converted, whole: stats.recruits },
        currency: stats.earned.currency().to_string(),
        total_earned: Amount(stats.earned),
        pending_earnings: Amount(stats.held),
    })
    .into_response())
}
