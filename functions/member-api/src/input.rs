//! The member that a call is about.

use guerdon_api::{credentials::Principal, gate::Gate, input::bad_request, output::Refusal, pages};
use guerdon_app::{error::AppError, members::find_member};
use guerdon_domain::{
    ids::{MemberId, TelegramId},
    members::Member,
};
use guerdon_runtime::problem::Problem;
use http::StatusCode;
use serde::{Deserialize, Deserializer, de::Error};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, OneOfBuilder, Type},
    },
};

/// A user, by their Telegram id in digits or by the UUID that the API shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UserRef {
    Telegram(TelegramId),
    Pseudonym(MemberId),
}

impl UserRef {
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        if let Ok(id) = TelegramId::parse(text) {
            return Ok(Self::Telegram(id));
        }
        MemberId::from_uuid(text).map(Self::Pseudonym).map_err(|_| {
            bad_request(
                "bad_user_id",
                "A user is a Telegram user id in digits, or the UUID that the API shows.",
            )
        })
    }

    pub(crate) fn member(&self, gate: &Gate) -> MemberId {
        match self {
            Self::Telegram(id) => gate.app.member_id(*id),
            Self::Pseudonym(member) => member.clone(),
        }
    }
}

/// As a JSON number or string.
impl<'de> Deserialize<'de> for UserRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(i64),
            Text(String),
        }
        let either = Either::deserialize(deserializer);
        let text =
            match either.map_err(|_| D::Error::custom("a user id is digits, as a number or as text"))? {
                Either::Number(number) => number.to_string(),
                Either::Text(text) => text,
            };
        Self::parse(&text).map_err(|refusal| D::Error::custom(refusal.0.detail))
    }
}

impl PartialSchema for UserRef {
    fn schema() -> RefOr<Schema> {
        let digits = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
        let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(36));
        OneOfBuilder::new()
            .item(digits)
            .item(text)
            .description(Some("A Telegram user id, or the UUID that the API shows."))
            .into()
    }
}

impl ToSchema for UserRef {}

pub(crate) fn unknown_user() -> Refusal {
    let detail = "Nothing was changed: no member has this id.";
    Refusal(Problem::new(StatusCode::NOT_FOUND, "unknown_user", "Unknown user", detail))
}

/// The member that a call is about: anybody for services and operators, oneself for members.
pub(crate) fn whose(gate: &Gate, principal: &Principal, user: &UserRef) -> Result<MemberId, Refusal> {
    let member = user.member(gate);
    match principal.member() {
        Some(caller) if caller.id != member => {
            let detail = "A member's token is for that member's own things.";
            Err(Refusal(Problem::new(StatusCode::FORBIDDEN, "not_yours", "Not allowed", detail)))
        }
        _ => Ok(member),
    }
}

/// The member on record, or 404.
pub(crate) async fn load(gate: &Gate, member: &MemberId) -> Result<Member, Refusal> {
    let found = find_member(&gate.app, member).await?;
    found.ok_or_else(unknown_user)
}

/// The caller, where only members may call.
pub(crate) fn caller(principal: &Principal) -> Result<&guerdon_runtime::tokens::MemberToken, Refusal> {
    principal.member().ok_or_else(|| AppError::Corrupt("a member's route let another in".into()).into())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// 1 to 200, 50 when it is left out.
    #[param(value_type = Option<i32>)]
    pub(crate) limit: Option<String>,
    /// The `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}

pages!(PageQuery);
