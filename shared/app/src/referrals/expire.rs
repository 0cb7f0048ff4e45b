//! The expiry job for codes, pending referrals and unclaimed rewards whose time has ended. Decisions use the
//! time in the record. The job only updates states and counters.

use guerdon_domain::{
    commissions::{Commission, CommissionState, VoidReason},
    time::Timestamp,
};
use guerdon_store::table::{Effect, SHARDS, metered};

use crate::{
    context::App,
    error::{AppError, refusal},
};

/// The result of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Number of codes marked as expired.
    pub codes: u32,
    /// Number of referrals closed.
    pub referrals: u32,
    /// Number of unclaimed rewards ended.
    pub rewards: u32,
}

const PAGE: i32 = 50;

/// Number of days after which a referral is looked at again whose referee pays towards a rule that counts.
const DEFERRED_DAYS: i64 = 30;

/// Expires everything that is due. Each write is conditional, so concurrent runs apply each change once.
///
/// # Errors
/// [`AppError`] when the table fails. The next run continues with the rest.
pub async fn expire(app: &App) -> Result<Expired, AppError> {
    metered("expire", async {
        let now = app.now();
        let mut expired = Expired::default();
        for shard in 0..SHARDS {
            loop {
                let due = app.store.codes().due(shard, now, PAGE).await?;
                let mut moved = 0;
                for code in &due {
                    moved += u32::from(app.store.codes().expire(&code.code).await? == Effect::Applied);
                }
                expired.codes += moved;
                if moved == 0 {
                    break;
                }
            }
            loop {
                let due = app.store.referrals().due(shard, now, PAGE).await?;
                let (mut moved, mut deferred) = (0, 0);
                for referral in &due {
                    // Its referee has begun to pay since it was due.
                    if referral.is_counting() {
                        deferred += u32::from(
                            app.store.referrals().defer(referral, now.plus_days(DEFERRED_DAYS)).await?
                                == Effect::Applied,
                        );
                    } else {
                        moved += u32::from(app.store.referrals().expire(referral).await? == Effect::Applied);
                    }
                }
                expired.referrals += moved;
                if moved + deferred == 0 {
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

/// Voids a page of rewards whose claim period has ended. Returns the number of voided rewards.
async fn unclaimed(app: &App, shard: u8, now: Timestamp) -> Result<u32, AppError> {
    let mut moved = 0;
    for before in app.store.commissions().unredeemed(shard, now, PAGE).await? {
        // The index can lag behind and still contain a reward that was just claimed or disputed.
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
