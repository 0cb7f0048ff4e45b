//! The expiry job: codes past their year, pending referrals past their window, rewards that nobody claimed. What counts is the time in
//! the record; the job only makes states and counters say so.

use guerdon_domain::{
    commissions::{Commission, CommissionState, VoidReason},
    time::Timestamp,
};
use guerdon_store::table::{SHARDS, metered};

use crate::{
    context::App,
    error::{AppError, refusal},
};

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Codes marked.
    pub codes: u32,
    /// Referrals closed.
    pub referrals: u32,
    /// Rewards that nobody claimed.
    pub rewards: u32,
}

const PAGE: i32 = 50;

/// Expires what is due. Each step is conditional, so two runs at once do each thing once.
///
/// # Errors
/// [`AppError`]; what was left is taken up by the next run.
pub async fn expire(app: &App) -> Result<Expired, AppError> {
    metered("expire", async {
        let now = app.now();
        let mut expired = Expired::default();
        for shard in 0..SHARDS {
            loop {
                let due = app.store.codes().due(shard, now, PAGE).await?;
                let mut moved = 0;
                for code in &due {
                    moved += u32::from(app.store.codes().expire(&code.code).await?);
                }
                expired.codes += moved;
                if moved == 0 {
                    break;
                }
            }
            loop {
                let due = app.store.referrals().due(shard, now, PAGE).await?;
                let mut moved = 0;
                for referral in &due {
                    moved += u32::from(app.store.referrals().expire(referral).await?);
                }
                expired.referrals += moved;
                if moved == 0 {
                    break;
                }
            }
            loop {
                let moved = unclaimed(app, shard, now).await?;
                expired.rewards += moved;
                if moved == 0 {
                    break;
                }
            }
        }
        Ok(expired)
    })
    .await
}

/// Ends a page of rewards whose time to be claimed is over.
async fn unclaimed(app: &App, shard: u8, now: Timestamp) -> Result<u32, AppError> {
    let mut moved = 0;
    for before in app.store.commissions().unredeemed(shard, now, PAGE).await? {
        // The index may still show one that was claimed or disputed a moment ago.
        if before.frozen || before.claim_ends_at().is_none_or(|end| now < end) {
            continue;
        }
        let state = CommissionState::Void { at: now, reason: VoidReason::Unclaimed };
        let after = Commission { state, ..before.clone() };
        let writes = [app.store.commissions().replace(&before, &after, ())?];
        moved += u32::from(refusal(app.store.commit(&writes).await)?.is_none());
    }
    Ok(moved)
}
