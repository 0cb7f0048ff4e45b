//! Rewards that wait for a claim.

use guerdon_domain::{
    commissions::{Commission, CommissionState, VoidReason},
    ids::MemberId,
};
use guerdon_store::{
    commissions::CommissionCursor,
    table::{StoreError, metered},
};

use crate::{
    commissions::{Settled, settle_these},
    context::App,
    error::{AppError, refusal},
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

/// The result of one claim call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claimed {
    /// The claimed rewards.
    pub rewards: Vec<Commission>,
    /// The result of the settlement that followed.
    pub settled: Settled,
}

/// Returns the rewards that `member` can claim now, the first to expire first, at most 50.
pub(crate) async fn claimable_rewards(app: &App, member: &MemberId) -> Result<Vec<Commission>, AppError> {
    let now = app.now();
    let mut waiting = app.store.commissions().redeemable(member, now, MOST_TO_CLAIM).await?;
    waiting.retain(|reward| reward.is_claimable(now));
    Ok(waiting)
}

/// Claims a reward of `member` by its position in their list, and releases it when its hold is over. One of
/// several concurrent claims succeeds.
pub async fn claim_reward(
    app: &App,
    member: &MemberId,
    position: &CommissionCursor,
) -> Result<Commission, ClaimRefusal> {
    metered("claim_reward", async {
        let before = app.store.commissions().at(member, position).await?.ok_or(ClaimRefusal::Unknown)?;
        let after = claim(app, &before).await?;
        settle_these(app, member, vec![after.clone()]).await?;
        Ok(after)
    })
    .await
}

/// Claims the rewards that wait for `member`, the first to expire first, at most 50, and releases those whose
/// hold is over. Rewards that cannot be claimed (any more) stay unchanged.
///
/// # Errors
/// [`AppError`]; some rewards may be claimed then, and a new call continues.
pub async fn claim_rewards(app: &App, member: &MemberId) -> Result<Claimed, AppError> {
    metered("claim_rewards", async {
        let mut rewards = Vec::new();
        for before in claimable_rewards(app, member).await? {
            match claim(app, &before).await {
                Ok(after) => rewards.push(after),
                Err(ClaimRefusal::App(error)) => return Err(error),
                Err(ClaimRefusal::Unknown | ClaimRefusal::Expired | ClaimRefusal::Disputed) => {}
            }
        }
        let settled = settle_these(app, member, rewards.clone()).await?;
        Ok(Claimed { rewards, settled })
    })
    .await
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
