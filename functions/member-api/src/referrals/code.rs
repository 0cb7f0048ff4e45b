//! Codes, and who signed up by them.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use guerdon_api::{
    gate::Gate,
    idempotency::{Kept, Write, once},
    input::{self, bad_request},
    output::Refusal,
    refusals::unchanged,
};
use guerdon_app::{
    members::{Profile, StartRefusal, Tracked, ensure_member, track_referral},
    once::{Call, MemberCall},
    payments::force_confirm,
    referrals::generate_code,
    settings::settings_now,
};
use guerdon_domain::{
    ids::{MemberId, uuid_form},
    referrals::Code,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::input::{UserRef, caller, load};

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NewCode {
    /// 1 to 3650; as the business has it when it is left out.
    expires_in_days: Option<i64>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CodeView {
    code: String,
    user_id: String,
    expires_at: String,
}

/// Makes the caller's referral code; 409 while they have one that is valid, and while referrals are off.
#[utoipa::path(
    post,
    path = "/api/referral/generate-code",
    tag = "referral codes",
    request_body = NewCode,
    responses((status = 200, description = "The code", body = CodeView))
)]
pub(crate) async fn generate(State(gate): State<Arc<Gate>>, write: Write) -> Result<Response, Refusal> {
    once(&gate, &write, async {
        // The documented client sends no body when it wants the default.
        let new: NewCode = input::optional_json(&write.body, "expiresInDays")?;
        let settings = settings_now(&gate.app).await?;
        let days = new.expires_in_days.unwrap_or(settings.preset.code_valid_days);
        if !(1..=3650).contains(&days) {
            return Err(bad_request("bad_days", "expiresInDays must be a whole number from 1 to 3650."));
        }
        if !settings.referrals_enabled {
            return Err(refused(StartRefusal::ReferralsOff));
        }
        let member = caller(&write.principal)?;
        ensure_member(&gate.app, &nameless(member.telegram_id)).await?;
        let code = generate_code(&gate.app, &member.id, days).await?.ok_or_else(|| {
            unchanged(
                StatusCode::CONFLICT,
                "code_active",
                "Code active",
                "the user has an active code already",
            )
        })?;
        let view = CodeView {
            code: code.code.to_string(),
            user_id: member.id.to_uuid(),
            expires_at: code.expires_at.to_iso_millis(),
        };
        Kept::new(StatusCode::OK, &view)
    })
    .await
}

/// A user of whom a token says the id alone.
fn nameless(telegram_id: guerdon_domain::ids::TelegramId) -> Profile {
    Profile { telegram_id, first_name: String::new(), last_name: None, username: None, language: None }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Signup {
    /// The friend's code.
    referral_code: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TrackedView {
    message: &'static str,
    referral_id: String,
    referrer_user_id: String,
}

/// Records that the caller signed up by a friend's code. They must not have been a member before.
#[utoipa::path(
    post,
    path = "/api/referral/track",
    tag = "referral codes",
    request_body = Signup,
    responses((status = 200, description = "The referral", body = TrackedView))
)]
pub(crate) async fn track(State(gate): State<Arc<Gate>>, write: Write) -> Result<Response, Refusal> {
    once(&gate, &write, async {
        let signup: Signup = input::json(&write.body, "referralCode")?;
        let member = caller(&write.principal)?;
        let code = parse(&signup.referral_code)?;
        let referrer = match track_referral(&gate.app, &nameless(member.telegram_id), &code).await? {
            Tracked::Now { referrer } => referrer,
            // Under a key it is this very call, whose answer was lost.
            Tracked::Before { referrer } if write.key()?.is_some() => referrer,
            Tracked::Before { .. } => return Err(refused(StartRefusal::AlreadyReferred)),
            Tracked::Refused(refusal) => return Err(refused(refusal)),
        };
        let view = TrackedView {
            message: "Referral tracked successfully",
            referral_id: referral_id(&gate, &member.id),
            referrer_user_id: referrer.to_uuid(),
        };
        Kept::new(StatusCode::OK, &view)
    })
    .await
}

/// A referral's id in this API: there is one for each referee.
fn referral_id(gate: &Gate, referee: &MemberId) -> String {
    uuid_form(&gate.app.pseudonyms.digest("referral", referee.as_str().as_bytes()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Conversion {
    referred_user_id: UserRef,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConvertedView {
    message: &'static str,
    referral_id: String,
}

/// Converts a pending referral by hand, as if its referee had paid.
#[utoipa::path(
    post,
    path = "/api/referral/convert",
    tag = "referral codes",
    request_body = Conversion,
    responses((status = 200, description = "Converted", body = ConvertedView))
)]
pub(crate) async fn convert(State(gate): State<Arc<Gate>>, write: Write) -> Result<Response, Refusal> {
    once(&gate, &write, async {
        let told: Conversion = input::json(&write.body, "referredUserId")?;
        let referee = load(&gate, &told.referred_user_id.member(&gate)).await?;
        // The referral converts once for all callers, so the idempotency key is made from the referral.
        let key = format!("convert-{}", referee.id);
        let request = MemberCall {
            call: Call {
                principal: write.principal.name.clone(),
                input_hash: gate.app.pseudonyms.digest("convert", referee.id.as_str().as_bytes()),
                key,
            },
            user_id: referee.telegram_id,
            reason: "converted over the API".to_owned(),
        };
        force_confirm(&gate.app, &request).await?;
        let referral_id = referral_id(&gate, &referee.id);
        let view = ConvertedView { message: "Referral converted successfully", referral_id };
        Kept::new(StatusCode::OK, &view)
    })
    .await
}

/// A code as people pass it on.
pub(crate) fn parse(text: &str) -> Result<Code, Refusal> {
    let text = text.trim();
    Code::parse(text.strip_prefix("ref_").unwrap_or(text)).map_err(|_| refused(StartRefusal::UnknownCode))
}

/// A code that makes no referral.
pub(crate) fn refused(refusal: StartRefusal) -> Refusal {
    let (status, why) = match refusal {
        StartRefusal::UnknownCode => (StatusCode::BAD_REQUEST, "no member has this referral code"),
        StartRefusal::ExpiredCode => (StatusCode::BAD_REQUEST, "this referral code has expired"),
        StartRefusal::OwnCode => (StatusCode::CONFLICT, "a member cannot use their own referral code"),
        StartRefusal::AlreadyReferred => (StatusCode::CONFLICT, "the user has a referrer already"),
        StartRefusal::ReferralsOff => {
            (StatusCode::CONFLICT, "referral codes are neither given nor taken at the moment")
        }
        StartRefusal::AlreadyMember => {
            (StatusCode::CONFLICT, "the user was a member before, and only new members can be referred")
        }
    };
    unchanged(status, refusal.code(), "No referral", why)
}
