//! Rewards that wait to be claimed.

use guerdon_domain::{Commission, CommissionState, MemberId};
use guerdon_store::{StoreError, metered};

use crate::{App, AppError, error::refusal, settle_wallet};

/// Why a reward was not claimed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimRefusal {
    /// There is none of this id, it came by itself, or it was claimed before.
    #[error("there is no reward of this id that waits to be claimed")]
    Unknown,
    /// Its time is over.
    #[error("the reward has expired")]
    Expired,
    /// Its payment is disputed, and nobody knows yet how that ends.
    #[error("the reward's payment is disputed; it can be claimed when that has ended well")]
    Disputed,
    /// It did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<StoreError> for ClaimRefusal {
    fn from(error: StoreError) -> Self {
        Self::App(error.into())
    }
}

/// Claims a reward of `member` by its place in their list, and releases it when its hold is over. Of several claims at
/// once, one succeeds.
///
/// # Errors
/// [`ClaimRefusal`].
pub async fn claim_reward(app: &App, member: &MemberId, place: &str) -> Result<Commission, ClaimRefusal> {
    metered("claim_reward", async {
        let before = app.store.commission_at(member, place).await?.ok_or(ClaimRefusal::Unknown)?;
        let now = app.now();
        match (&before.state, before.claim_ends_at()) {
            (CommissionState::Void { reason: guerdon_domain::VoidReason::Unclaimed, .. }, _) => {
                return Err(ClaimRefusal::Expired);
            }
            (_, None) => return Err(ClaimRefusal::Unknown),
            (_, Some(end)) if now >= end => return Err(ClaimRefusal::Expired),
            _ if before.frozen => return Err(ClaimRefusal::Disputed),
            _ => {}
        }
        let after = Commission { claimed_at: Some(now), ..before.clone() };
        let claim = [app.store.move_commission(&before, &after, ())?];
        if refusal(app.store.commit(&claim).await)?.is_some() {
            // Claimed by a twin, or undone, in this very moment.
            return Err(ClaimRefusal::Unknown);
        }
        settle_wallet(app, member).await?;
        Ok(after)
    })
    .await
}
