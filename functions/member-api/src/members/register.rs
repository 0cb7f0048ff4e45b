//! Members, as a service makes them.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use guerdon_api::{
    gate::Gate,
    idempotency::{Kept, Write, once},
    input::{self, bad_request},
    output::Refusal,
};
use guerdon_app::members::{Profile, Registered, StartRefusal, register_member};
use guerdon_domain::{fraud::Fingerprint, members::shown_name};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::{User, user};
use crate::{
    input::UserRef,
    referrals::code::{parse, refused},
};

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
    /// Kept as a hash, for the fraud rules. An id that identifies no device (empty, `unknown`, zeros, more than 256
    /// characters) is left out.
    device_id: Option<String>,
    /// Kept as a hash, for the fraud rules. Of a list (`X-Forwarded-For`) the first public address counts. What is no
    /// public address is left out.
    ip_address: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct CreatedUser {
    #[serde(flatten)]
    user: User,
    /// True when this call made the member.
    is_new: bool,
    /// The reason why the code made no referral, for a user who was a member before: `already_referred`,
    /// `already_member`, `own_code`, `unknown_code`.
    not_referred_because: Option<&'static str>,
}

/// Makes a member with a referral code, and a referral by the owner of `referred_by_code`. A repeated call returns
/// the existing member. While referrals are off there is no code.
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
        let prints = prints(&gate, &new);
        let code = new.referred_by_code.as_deref().filter(|code| !code.trim().is_empty());
        let code = code.map(parse).transpose()?;
        let profile = profile(new)?;
        let registered = register_member(&gate.app, &profile, code.as_ref(), &prints).await?;
        let Registered { mut member, code, is_new, not_referred } = registered.map_err(refused)?;
        member.code = code;
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
    let shown = shown_name(&text);
    if text.chars().count() > LONGEST_NAME || text.chars().any(char::is_control) || shown.is_empty() {
        return Err(bad_request(
            "bad_name",
            format!("{field} must be one line of at most {LONGEST_NAME} characters, some of them visible."),
        ));
    }
    Ok(Some(shown))
}

/// What the fraud rules can use of the request. The rest is left out: a member is not refused for the lack of a signal.
fn prints(gate: &Gate, new: &NewUser) -> Vec<Fingerprint> {
    let key = &gate.app.pseudonyms;
    let device = new.device_id.as_deref().and_then(|id| Fingerprint::usable_device(key, id));
    let ip = new.ip_address.as_deref().and_then(|ip| Fingerprint::public_ip(key, ip));
    device.into_iter().chain(ip).collect()
}
