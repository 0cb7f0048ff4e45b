//! Flags that an operator raises, and what comes of any flag.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use guerdon_api::{
    idempotency::{Kept, Write, once},
    output::Refusal,
};
use guerdon_app::fraud::{ByHand, FraudRefusal, flag_by_hand, resolve_flag};
use guerdon_domain::{
    fraud::{FraudAction, FraudVerdict},
    ids::{FraudFlagId, MemberId, TelegramId},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::view::{FlagView, one};
use crate::{
    input::{self, bad_request, missing, text},
    state::Api,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FlagBody<'a> {
    #[serde(borrow)]
    #[schema(value_type = String)]
    user_id: Option<&'a RawValue>,
    reason: Option<String>,
    /// `flag` (the default), `hold` or `reject`.
    action: Option<String>,
}

/// Raises a flag by hand.
#[utoipa::path(
    post,
    path = "/fraud/flags/create",
    tag = "fraud",
    request_body = FlagBody,
    responses(
        (status = 201, description = "Raised", body = FlagView),
        (status = 404, description = "No member has this user id")
    )
)]
pub(crate) async fn create(State(api): State<Arc<Api>>, write: Write) -> Result<Response, Refusal> {
    once(&api.gate, &write, async {
        let given: FlagBody<'_> = input::json(&write.body, "user_id, reason, and perhaps action")?;
        let user_id = input::user_id(text(given.user_id.ok_or_else(|| missing("user_id"))?))?;
        let (action, reason) = (action(given.action.as_deref())?, input::reason(given.reason)?);
        let key = write.key()?;
        let by_hand = ByHand {
            principal: &write.principal.name,
            user_id,
            action,
            reason: &reason,
            key: key.as_deref(),
        };
        let flag = flag_by_hand(&api.gate.app, &by_hand).await?;
        Kept::new(StatusCode::CREATED, &one(&api, flag).await?)
    })
    .await
}

fn action(word: Option<&str>) -> Result<FraudAction, Refusal> {
    match word {
        None | Some("flag") => Ok(FraudAction::Flag),
        Some("hold") => Ok(FraudAction::Hold),
        Some("reject") => Ok(FraudAction::Reject),
        Some(_) => Err(bad_request("bad_action", "action must be flag, hold or reject.")),
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ResolveBody<'a> {
    /// The member with the flag; needed only for an id without the member.
    #[serde(borrow)]
    #[schema(value_type = String)]
    user_id: Option<&'a RawValue>,
    /// `dismissed` or `confirmed`.
    verdict: Option<String>,
    /// The reason, 3 to 500 characters.
    note: Option<String>,
}

/// Resolves a flag. Dismissed, it does nothing any more and what it held is released; confirmed, it stays in force.
#[utoipa::path(
    post,
    path = "/fraud/flags/{id}/resolve",
    tag = "fraud",
    params(("id" = String, Path)),
    request_body = ResolveBody,
    responses(
        (status = 200, description = "Done", body = FlagView),
        (status = 404, description = "There is no such flag"),
        (status = 409, description = "A person has looked already")
    )
)]
pub(crate) async fn resolve(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    once(&api.gate, &write, async {
        let given: ResolveBody<'_> = input::json(&write.body, "verdict and note")?;
        let user_id = given.user_id.map(|raw| input::user_id(text(raw))).transpose()?;
        let verdict = match given.verdict.as_deref() {
            Some("dismissed") => FraudVerdict::Dismissed,
            Some("confirmed") => FraudVerdict::Confirmed,
            _ => return Err(bad_request("bad_verdict", "verdict must be dismissed or confirmed.")),
        };
        let note = given.note.unwrap_or_default().trim().to_owned();
        if !(3..=500).contains(&note.chars().count()) {
            return Err(bad_request("bad_note", "note must say why, in 3 to 500 characters."));
        }
        let (subject, id) = flag_id(&api, &id, user_id).ok_or(FraudRefusal::UnknownFlag)?;
        let app = &api.gate.app;
        let flag = resolve_flag(app, &write.principal.name, (&subject, &id), verdict, &note).await?;
        Kept::new(StatusCode::OK, &one(&api, flag).await?)
    })
    .await
}

/// Reads the member and the flag from the id that lists show.
fn flag_id(api: &Api, text: &str, user_id: Option<TelegramId>) -> Option<(MemberId, FraudFlagId)> {
    let told = user_id.map(|user_id| api.gate.app.member_id(user_id));
    let (subject, id) = match text.rsplit_once('-') {
        Some((subject, id)) => (MemberId::parse(subject).ok()?, id),
        None => (told.clone()?, text),
    };
    let id = FraudFlagId::parse(id).ok()?;
    told.is_none_or(|told| told == subject).then_some((subject, id))
}
