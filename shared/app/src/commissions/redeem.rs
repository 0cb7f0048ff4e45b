//! Rewards that wait for a claim.

use std::collections::BTreeMap;

use guerdon_domain::{
    commissions::{Commission, CommissionState, VoidReason},
    ids::{IntentId, MemberId},
    intents::{Action, ActionKind, Closed, Intent},
    money::{Currency, Money},
};
use guerdon_store::{
    commissions::CommissionCursor,
    table::{StoreError, metered},
};

use crate::{
    attempt::Attempts,
    commissions::{Settled, settle_these},
    context::App,
    error::{AppError, refusal},
    intents::{IntentRefusal, intent_id, open_intent, tapped_intent},
};

/// The reason why a reward was not claimed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimRefusal {
    /// The reward does not exist, needs no claim, or was claimed before.
    #[error("there is no reward of this id that waits to be claimed")]
    Unknown,
    /// The time for the claim is over.
    #[error("the reward has expired")]
    Expired,
    /// The payment of the reward is disputed, and the dispute is still open.
    #[error("the reward's payment is disputed; it can be claimed when that has ended well")]
    Disputed,
    /// The claim did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<StoreError> for ClaimRefusal {
    fn from(error: StoreError) -> Self {
        Self::App(error.into())
    }
}

/// Maximum number of rewards that one tap claims.
const MOST_TO_CLAIM: i32 = 50;

/// The result of a tap on the button that claims rewards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShownClaim {
    /// These rewards were claimed.
    Claimed {
        /// The rewards; empty when an earlier tap claimed them.
        rewards: Vec<Commission>,
        /// The result of the settlement that followed.
        settled: Settled,
    },
    /// The rewards that can be claimed are no longer those that were shown. Nothing was claimed.
    Changed,
    /// The button does nothing.
    Refused(IntentRefusal),
}

/// Returns the rewards that `member` can claim now, the first to expire first, at most 50.
pub(crate) async fn claimable_rewards(app: &App, member: &MemberId) -> Result<Vec<Commission>, AppError> {
    let now = app.now();
    let mut waiting = app.store.commissions().redeemable(member, now, MOST_TO_CLAIM).await?;
    waiting.retain(|reward| reward.is_claimable(now));
    Ok(waiting)
}

/// Claims a reward of `member` by its position in their list, and releases it when its hold is over. One of
/// several concurrent claims succeeds. The reward that is returned is worth what its limits leave of it: what they left
/// when it was released, or what they leave at present while its hold lasts.
pub async fn claim_reward(
    app: &App,
    member: &MemberId,
    position: &CommissionCursor,
) -> Result<Commission, ClaimRefusal> {
    metered("claim_reward", async {
        let before = app.store.commissions().at(member, position).await?.ok_or(ClaimRefusal::Unknown)?;
        let after = claim(app, &before).await?;
        settle_these(app, member, vec![after.clone()]).await?;
        let settled = app.store.commissions().at(member, position).await?.unwrap_or(after);
        Ok(within_limits(app, settled).await?)
    })
    .await
}

/// Lowers a reward that is still on hold to what its limits would leave of it now.
async fn within_limits(app: &App, reward: Commission) -> Result<Commission, AppError> {
    if reward.state != CommissionState::Held {
        return Ok(reward);
    }
    let mut left = reward.amount.minor();
    for (limit, cap, period) in reward.limits() {
        left = left.min(app.store.programs().limit_use(&limit, &period).await?.left(cap));
    }
    let allowed = (left < reward.amount.minor()).then_some(left);
    Ok(Commission { allowed, ..reward })
}

/// The sums of some rewards, one for each currency.
pub(crate) fn sums_of(rewards: &[Commission]) -> Vec<Money> {
    let mut sums = BTreeMap::<Currency, i64>::new();
    for worth in rewards.iter().map(Commission::entitlement) {
        let sum = sums.entry(worth.currency()).or_default();
        *sum = sum.saturating_add(worth.minor());
    }
    sums.into_iter().map(|(currency, minor)| Money::new(minor, currency)).collect()
}

/// Opens the intent that claims the rewards worth `amounts`, which `member` is shown. The message or tap `cause`
/// opens one intent, however often it is delivered.
pub async fn offer_claim(
    app: &App,
    member: &MemberId,
    amounts: &[Money],
    cause: &str,
) -> Result<IntentId, AppError> {
    metered("offer_claim", async {
        let id = intent_id(app, member, ActionKind::Claim, cause);
        let action = Action::Claim { amounts: amounts.to_vec() };
        Ok(open_intent(app, id, member, action).await?.id)
    })
    .await
}

/// Claims the rewards that `member` was shown under the intent `id`, at most 50, and releases those whose hold is
/// over. The intent is used up in the transaction of the claims, so taps at once and taps again claim once.
///
/// # Errors
/// [`AppError`]; when the claims are made then, the next view of the balance releases them.
pub async fn claim_shown(app: &App, member: &MemberId, id: &IntentId) -> Result<ShownClaim, AppError> {
    metered("claim_rewards", async {
        let mut attempts = Attempts::default();
        loop {
            // Before the intent: while that is open, no other tap has claimed any of them.
            let waiting = claimable_rewards(app, member).await?;
            let tapped = tapped_intent(app, member, ActionKind::Claim, id).await?;
            let step = tapped.and_then(|before| Ok((before.clone(), before.use_up(app.now())?)));
            let (before, after) = match step {
                Ok(step) => step,
                Err(IntentRefusal::Closed(Closed::Used)) => {
                    return Ok(ShownClaim::Claimed { rewards: Vec::new(), settled: Settled::default() });
                }
                Err(refusal) => return Ok(ShownClaim::Refused(refusal)),
            };
            if before.action != (Action::Claim { amounts: sums_of(&waiting) }) {
                return Ok(ShownClaim::Changed);
            }
            if let Some(rewards) = claim_all(app, waiting, (&before, &after)).await? {
                let settled = settle_these(app, member, rewards.clone()).await?;
                return Ok(ShownClaim::Claimed { rewards, settled });
            }
            attempts.again(app).await?;
        }
    })
    .await
}

/// Claims all of the rewards and uses up the intent, or does nothing when one of them has changed.
async fn claim_all(
    app: &App,
    waiting: Vec<Commission>,
    (before, after): (&Intent, &Intent),
) -> Result<Option<Vec<Commission>>, AppError> {
    let now = app.now();
    let mut writes = vec![app.store.intents().replace(before, after, ())?];
    let mut claimed = Vec::with_capacity(waiting.len());
    for reward in waiting {
        let after = Commission { claimed_at: Some(now), ..reward.clone() };
        writes.push(app.store.commissions().replace(&reward, &after, ())?);
        claimed.push(after);
    }
    Ok(refusal(app.store.commit(&writes).await)?.is_none().then_some(claimed))
}

async fn claim(app: &App, before: &Commission) -> Result<Commission, ClaimRefusal> {
    let now = app.now();
    match (&before.state, before.claim_ends_at()) {
        (CommissionState::Void { reason: VoidReason::Unclaimed, .. }, _) => {
            return Err(ClaimRefusal::Expired);
        }
        (_, None) => return Err(ClaimRefusal::Unknown),
        (_, Some(end)) if now >= end => return Err(ClaimRefusal::Expired),
        _ if before.frozen => return Err(ClaimRefusal::Disputed),
        _ => {}
    }
    let after = Commission { claimed_at: Some(now), ..before.clone() };
    let claim = [app.store.commissions().replace(before, &after, ())?];
    match refusal(app.store.commit(&claim).await)? {
        None => Ok(after),
        // A concurrent call claimed or reversed the reward.
        Some(()) => Err(ClaimRefusal::Unknown),
    }
}
