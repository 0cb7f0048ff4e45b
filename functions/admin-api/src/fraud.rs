//! Fraud flags: what was noticed about whom, what it does, and what people make of it.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    Page, Refusal,
    idempotency::{Kept, Write, once},
    output::id_text,
};
use guerdon_app::{
    error::AppError,
    fraud::{ByHand, FraudRefusal, block_member, flag_by_hand, resolve_flag, run_checks, unblock_member},
};
use guerdon_domain::{
    fraud::{Evidence, FraudAction, FraudFlag, FraudFlagState, FraudVerdict},
    ids::{FraudFlagId, MemberId, TelegramId},
    time::Timestamp,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use utoipa::{IntoParams, ToSchema};

use crate::{
    input::{self, bad_request, cursor, limit, missing, next_cursor, text},
    people::{Known, known},
    routes::Desk,
};

#[derive(Serialize, ToSchema)]
struct FlagView {
    id: String,
    user_id: Option<String>,
    /// What was noticed: `shared_device`, `refund_rate`, `manual` and so on.
    signal: &'static str,
    about: &'static str,
    /// What was seen and what came of it, in a sentence.
    explanation: String,
    /// What the rule says: `flag`, `hold` or `reject`.
    action: &'static str,
    /// What was done: in shadow mode `allow`, which is nothing.
    enforced: &'static str,
    /// What it does now.
    in_force: &'static str,
    /// What it rests on: hashes, counts, and other members by their user ids.
    #[schema(value_type = Object)]
    evidence: Value,
    raised_at: String,
    /// `open` or `resolved`.
    state: &'static str,
    resolved: Option<ResolvedView>,
}

#[derive(Serialize, ToSchema)]
struct ResolvedView {
    by: String,
    at: String,
    verdict: &'static str,
    note: String,
}

/// Flags as operators see them, with everybody they name.
async fn views(desk: &Desk, flags: Vec<FraudFlag>) -> Result<Vec<FlagView>, AppError> {
    let people = known(desk, flags.iter().flat_map(named)).await?;
    flags.into_iter().map(|flag| view(flag, &people)).collect()
}

/// Everybody a flag names.
fn named(flag: &FraudFlag) -> Vec<MemberId> {
    let mut named = vec![flag.subject.clone()];
    match &flag.evidence {
        Evidence::Shared { members, .. } | Evidence::Ring { members, .. } => {
            named.extend(members.iter().cloned());
        }
        Evidence::SelfPaid { payer, referrer, .. } => named.extend([payer.clone(), referrer.clone()]),
        Evidence::Conversions { .. }
        | Evidence::Signups { .. }
        | Evidence::Refunds { .. }
        | Evidence::Manual { .. } => {}
    }
    named
}

fn view(flag: FraudFlag, people: &Known) -> Result<FlagView, AppError> {
    let explanation = flag.explain();
    let in_force = flag.in_force().as_str();
    let (state, evidence) = (flag.state.as_str(), evidence(&flag.evidence, people)?);
    let resolved = match flag.state {
        FraudFlagState::Open => None,
        FraudFlagState::Resolved { by, at, verdict, note } => {
            Some(ResolvedView { by, at: at.to_string(), verdict: verdict.as_str(), note })
        }
    };
    Ok(FlagView {
        id: format!("{}-{}", flag.subject, flag.id),
        user_id: id_text(people.get(&flag.subject).copied()),
        signal: flag.signal.as_str(),
        about: flag.signal.explain(),
        explanation,
        action: flag.action.as_str(),
        enforced: flag.enforced.as_str(),
        in_force,
        evidence,
        raised_at: flag.raised_at.to_string(),
        state,
        resolved,
    })
}

/// The evidence with user ids for pseudonyms.
fn evidence(evidence: &Evidence, people: &Known) -> Result<Value, AppError> {
    let mut shown = serde_json::to_value(evidence)?;
    let id = |member: &MemberId| Value::from(id_text(people.get(member).copied()));
    match evidence {
        Evidence::Shared { members, .. } | Evidence::Ring { members, .. } => {
            shown["members"] = members.iter().map(id).collect();
        }
        Evidence::SelfPaid { payer, referrer, .. } => {
            shown["payer"] = id(payer);
            shown["referrer"] = id(referrer);
        }
        Evidence::Conversions { .. }
        | Evidence::Signups { .. }
        | Evidence::Refunds { .. }
        | Evidence::Manual { .. } => {}
    }
    Ok(shown)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FlagQuery {
    /// `open` or `resolved`; open ones when it is left out, all of them with `user_id`.
    state: Option<String>,
    /// One member's flags only, in no order of time.
    user_id: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// Flags on one page: what the table reads at once.
const MOST: i32 = 100;

/// Flags, the latest first.
#[utoipa::path(
    get,
    path = "/fraud/flags",
    tag = "fraud",
    params(FlagQuery),
    responses((status = 200, description = "Done", body = Page<FlagView>))
)]
pub(crate) async fn list(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<FlagQuery>,
) -> Result<Response, Refusal> {
    let state = match query.state.as_deref() {
        None | Some("open" | "resolved") => query.state.as_deref(),
        Some(_) => return Err(bad_request("bad_state", "state must be open or resolved.")),
    };
    let limit = limit(query.limit.as_deref())?.min(MOST);
    let store = &desk.gate.app.store;
    let (found, next_cursor, state) = match query.user_id.as_deref() {
        Some(user_id) => {
            let member = desk.gate.app.member_id(input::user_id(user_id)?);
            let after: Option<FraudFlagId> = cursor(query.cursor.as_deref())?;
            let found = store.flags().of(&member, after.as_ref(), limit).await.map_err(AppError::from)?;
            let next = next_cursor(&found, limit, |last| last.id.clone())?;
            (found, next, state)
        }
        None => {
            let state = state.unwrap_or("open");
            let before: Option<(Timestamp, FraudFlagId)> = cursor(query.cursor.as_deref())?;
            let before = before.as_ref().map(|(at, id)| (*at, id));
            let found = store.flags().in_state(state, before, limit).await.map_err(AppError::from)?;
            let next = next_cursor(&found, limit, |last| (last.raised_at, last.id.clone()))?;
            (found, next, Some(state))
        }
    };
    // What was just resolved may still be listed.
    let shown = found.into_iter().filter(|flag| state.is_none_or(|state| flag.state.as_str() == state));
    let items = views(&desk, shown.collect()).await?;
    Ok(Json(Page { items, next_cursor }).into_response())
}

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
pub(crate) async fn create(State(desk): State<Arc<Desk>>, write: Write) -> Result<Response, Refusal> {
    once(&desk.gate, &write, async {
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
        let flag = flag_by_hand(&desk.gate.app, &by_hand).await?;
        Kept::new(StatusCode::CREATED, &one(&desk, flag).await?)
    })
    .await
}

async fn one(desk: &Desk, flag: FraudFlag) -> Result<FlagView, AppError> {
    let people = known(desk, named(&flag)).await?;
    view(flag, &people)
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
    /// Whom the flag is about, where its id does not say so.
    #[serde(borrow)]
    #[schema(value_type = String)]
    user_id: Option<&'a RawValue>,
    /// `dismissed` or `confirmed`.
    verdict: Option<String>,
    /// Why, 3 to 500 characters.
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
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    once(&desk.gate, &write, async {
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
        let (subject, id) = flag_id(&desk, &id, user_id).ok_or(FraudRefusal::UnknownFlag)?;
        let app = &desk.gate.app;
        let flag = resolve_flag(app, &write.principal.name, (&subject, &id), verdict, &note).await?;
        Kept::new(StatusCode::OK, &one(&desk, flag).await?)
    })
    .await
}

/// Whose flag it is, and which: both are in the id that lists show.
fn flag_id(desk: &Desk, text: &str, user_id: Option<TelegramId>) -> Option<(MemberId, FraudFlagId)> {
    let told = user_id.map(|user_id| desk.gate.app.member_id(user_id));
    let (subject, id) = match text.rsplit_once('-') {
        Some((subject, id)) => (MemberId::parse(subject).ok()?, id),
        None => (told.clone()?, text),
    };
    let id = FraudFlagId::parse(id).ok()?;
    told.is_none_or(|told| told == subject).then_some((subject, id))
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhyBody {
    reason: Option<String>,
}

/// Why, where an operator says so.
fn why(body: &[u8], otherwise: &str) -> Result<String, Refusal> {
    let given: WhyBody = input::optional_json(body, "reason, or nothing")?;
    given.reason.map_or_else(|| Ok(otherwise.to_owned()), |reason| input::reason(Some(reason)))
}

#[derive(Serialize, ToSchema)]
struct BlockedView {
    user_id: String,
    blocked: bool,
    /// The flag that blocks.
    flag: FlagView,
}

/// Blocks a member: they earn nothing more and cannot withdraw.
#[utoipa::path(
    post,
    path = "/fraud/user/{user_id}/block",
    tag = "fraud",
    params(("user_id" = String, Path)),
    request_body = WhyBody,
    responses(
        (status = 200, description = "Done", body = BlockedView),
        (status = 404, description = "No member has this user id")
    )
)]
pub(crate) async fn block(
    State(desk): State<Arc<Desk>>,
    Path(user_id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    once(&desk.gate, &write, async {
        let (user_id, reason) = (input::user_id(&user_id)?, why(&write.body, "blocked by an operator")?);
        let (action, key) = (FraudAction::Reject, write.key()?);
        let by_hand = ByHand {
            principal: &write.principal.name,
            user_id,
            action,
            reason: &reason,
            key: key.as_deref(),
        };
        let flag = block_member(&desk.gate.app, &by_hand).await?;
        let flag = one(&desk, flag).await?;
        let view = BlockedView { user_id: user_id.to_string(), blocked: true, flag };
        Kept::new(StatusCode::OK, &view)
    })
    .await
}

#[derive(Serialize, ToSchema)]
struct UnblockedView {
    user_id: String,
    blocked: bool,
    /// The flags that were in force, dismissed now.
    lifted: Vec<FlagView>,
}

/// Dismisses every flag in force about a member, and lifts an operator's bar.
#[utoipa::path(
    post,
    path = "/fraud/user/{user_id}/unblock",
    tag = "fraud",
    params(("user_id" = String, Path)),
    request_body = WhyBody,
    responses(
        (status = 200, description = "Done", body = UnblockedView),
        (status = 404, description = "No member has this user id")
    )
)]
pub(crate) async fn unblock(
    State(desk): State<Arc<Desk>>,
    Path(user_id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    once(&desk.gate, &write, async {
        let (user_id, reason) = (input::user_id(&user_id)?, why(&write.body, "unblocked by an operator")?);
        let lifted = unblock_member(&desk.gate.app, &write.principal.name, user_id, &reason).await?;
        let lifted = views(&desk, lifted).await?;
        let view = UnblockedView { user_id: user_id.to_string(), blocked: false, lifted };
        Kept::new(StatusCode::OK, &view)
    })
    .await
}

#[derive(Serialize, ToSchema)]
struct CheckedView {
    user_id: String,
    /// The rules only watch: nothing is done about what they find.
    shadow: bool,
    /// What the rules find now, raised now or before.
    findings: Vec<FlagView>,
}

/// Runs every check about a member now.
#[utoipa::path(
    post,
    path = "/fraud/user/{user_id}/run-checks",
    tag = "fraud",
    params(("user_id" = String, Path)),
    responses(
        (status = 200, description = "Done", body = CheckedView),
        (status = 404, description = "No member has this user id")
    )
)]
pub(crate) async fn checks(
    State(desk): State<Arc<Desk>>,
    Path(user_id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    once(&desk.gate, &write, async {
        let user_id = input::user_id(&user_id)?;
        let checked = run_checks(&desk.gate.app, &write.principal.name, user_id).await?;
        let findings = views(&desk, checked.flags).await?;
        let view = CheckedView { user_id: user_id.to_string(), shadow: checked.shadow, findings };
        Kept::new(StatusCode::OK, &view)
    })
    .await
}
