//! A fraud flag as operators see it.

use guerdon_api::output::id_text;
use guerdon_app::error::AppError;
use guerdon_domain::{
    fraud::{Evidence, FraudFlag, FraudFlagState},
    ids::MemberId,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    members::known::{Known, known},
    state::Api,
};

#[derive(Serialize, ToSchema)]
pub(crate) struct FlagView {
    id: String,
    user_id: Option<String>,
    /// The signal: `shared_device`, `refund_rate`, `manual` and so on.
    signal: &'static str,
    about: &'static str,
    /// A sentence about the evidence and the consequence.
    explanation: String,
    /// The action of the rule: `flag`, `hold` or `reject`.
    action: &'static str,
    /// The action that was taken; in shadow mode `allow`, which does nothing.
    enforced: &'static str,
    /// The action in force now.
    in_force: &'static str,
    /// The evidence: hashes, counts, and the user ids of other members.
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
pub(super) async fn views(api: &Api, flags: Vec<FraudFlag>) -> Result<Vec<FlagView>, AppError> {
    let people = known(api, flags.iter().flat_map(named)).await?;
    flags.into_iter().map(|flag| view(flag, &people)).collect()
}

pub(super) async fn one(api: &Api, flag: FraudFlag) -> Result<FlagView, AppError> {
    let people = known(api, named(&flag)).await?;
    view(flag, &people)
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
            Some(ResolvedView { by: by.into(), at: at.to_string(), verdict: verdict.as_str(), note })
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
