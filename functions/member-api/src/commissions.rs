//! Rewards, and redeeming those that wait for it.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use guerdon_api::{
    credentials::Principal,
    gate::Gate,
    idempotency::{Kept, Write, once},
    input::{self, next_cursor},
    output::{Page, Refusal},
    paging::Paged,
    refusals::unchanged,
};
use guerdon_app::{
    commissions::{ClaimRefusal, claim_reward, rewards_of},
    stored::CommissionCursor,
};
use guerdon_domain::{commissions::Commission, money::Currency, programs::Amount as Grants};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::input::{PageQuery, caller};

/// The value of a reward: days of premium, or money.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Value {
    /// `free_premium`.
    Days {
        /// Number of days.
        days: i64,
    },
    /// `commission`.
    Money {
        /// In major units, exact.
        amount: String,
        /// Its currency.
        currency: String,
    },
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Reward {
    id: String,
    /// `free_premium` or `commission`.
    reward_type: &'static str,
    reward_value: Value,
    /// `pending` until it is claimed or released, then `claimed` or `void`.
    status: &'static str,
    created_at: String,
    claimed_at: Option<String>,
    /// Until when it has to be claimed, while it waits for that.
    expires_at: Option<String>,
}

/// Returns the id of a reward: its position in the member's list, in Base64.
fn id_of(commission: &Commission) -> String {
    URL_SAFE_NO_PAD.encode(CommissionCursor::of(commission).as_str())
}

fn position_of(id: &str) -> Option<CommissionCursor> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
    CommissionCursor::try_from(text).ok()
}

fn value(commission: &Commission) -> (&'static str, Value) {
    let worth = commission.entitlement();
    match commission.snapshot.rule.amount {
        Grants::PremiumDays { .. } if worth.currency() == Currency::DAY => {
            ("free_premium", Value::Days { days: worth.minor() })
        }
        _ => {
            let (amount, currency) = (worth.to_major().to_string(), worth.currency().to_string());
            ("commission", Value::Money { amount, currency })
        }
    }
}

fn view(commission: &Commission) -> Reward {
    use guerdon_domain::commissions::CommissionState as State;
    let (reward_type, reward_value) = value(commission);
    let (status, released_at) = match &commission.state {
        State::Held if commission.claimed_at.is_some() => ("claimed", None),
        State::Held => ("pending", None),
        State::Released { at, .. } => ("claimed", Some(*at)),
        State::Void { .. } => ("void", None),
    };
    Reward {
        id: id_of(commission),
        reward_type,
        reward_value,
        status,
        created_at: commission.booked_at.to_iso_millis(),
        claimed_at: commission.claimed_at.or(released_at).map(|at| at.to_iso_millis()),
        expires_at: commission.claim_ends_at().map(|at| at.to_iso_millis()),
    }
}

/// The caller's rewards, newest first.
#[utoipa::path(
    get,
    path = "/api/referral/rewards",
    tag = "referral codes",
    params(PageQuery),
    responses((status = 200, description = "A page", body = Page<Reward>))
)]
pub(crate) async fn list(
    State(gate): State<Arc<Gate>>,
    Extension(principal): Extension<Principal>,
    Paged { limit, after: before, .. }: Paged<PageQuery, CommissionCursor>,
) -> Result<Response, Refusal> {
    let member = &caller(&principal)?.id;
    let found = rewards_of(&gate.app, member, before.as_ref(), limit).await?;
    let next_cursor = next_cursor(&found, limit, CommissionCursor::of)?;
    Ok(Json(Page { items: found.iter().map(view).collect(), next_cursor }).into_response())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Claim {
    /// The `id` of a reward of the caller.
    reward_id: String,
}

#[derive(Serialize, ToSchema)]
struct ClaimedView {
    /// Says so when a limit left less of the reward, or nothing.
    message: &'static str,
    reward: ClaimedReward,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ClaimedReward {
    id: String,
    reward_type: &'static str,
    /// What the limits of the program leave of it.
    reward_value: Value,
    claimed_at: String,
}

/// The message for a claimed reward: whether it is all of what was granted.
fn message(claimed: &Commission) -> &'static str {
    match (claimed.allowed, claimed.entitlement().is_positive()) {
        (None, _) => "Reward claimed successfully",
        (Some(_), true) => "Reward claimed; a limit for this period left a part of it",
        (Some(_), false) => "Reward claimed; the limit for this period is used up, so nothing is left of it",
    }
}

/// Claims a reward of the caller: 404 when there is none that waits for that, 400 when its time is over.
#[utoipa::path(
    post,
    path = "/api/referral/claim-reward",
    tag = "referral codes",
    request_body = Claim,
    responses((status = 200, description = "Claimed", body = ClaimedView))
)]
pub(crate) async fn claim(State(gate): State<Arc<Gate>>, write: Write) -> Result<Response, Refusal> {
    once(&gate, &write, async {
        let claim: Claim = input::json(&write.body, "rewardId")?;
        let position = position_of(&claim.reward_id).ok_or_else(|| refused(ClaimRefusal::Unknown))?;
        let claimed =
            claim_reward(&gate.app, &caller(&write.principal)?.id, &position).await.map_err(refused)?;
        let (reward_type, reward_value) = value(&claimed);
        let claimed_at = claimed.claimed_at.map(|at| at.to_iso_millis()).unwrap_or_default();
        let message = message(&claimed);
        let reward = ClaimedReward { id: claim.reward_id, reward_type, reward_value, claimed_at };
        Kept::new(StatusCode::OK, &ClaimedView { message, reward })
    })
    .await
}

fn refused(refusal: ClaimRefusal) -> Refusal {
    let (status, code) = match refusal {
        ClaimRefusal::App(error) => return error.into(),
        ClaimRefusal::Unknown => (StatusCode::NOT_FOUND, "unknown_reward"),
        ClaimRefusal::Expired => (StatusCode::BAD_REQUEST, "reward_expired"),
        ClaimRefusal::Disputed => (StatusCode::CONFLICT, "reward_disputed"),
    };
    unchanged(status, code, "Refused", refusal)
}
