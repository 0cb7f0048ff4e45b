//! The expiry job: codes past their year, pending referrals past their window. What counts is the time in
//! the record; the job only makes states and counters say so.

use guerdon_store::{SHARDS, metered};

use crate::{App, AppError};

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Codes marked.
    pub codes: u32,
    /// Referrals closed.
    pub referrals: u32,
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
                let due = app.store.codes_due(shard, now, PAGE).await?;
                let mut moved = 0;
                for code in &due {
                    moved += u32::from(app.store.expire_code(&code.code).await?);
                }
                expired.codes += moved;
                if moved == 0 {
                    break;
                }
            }
            loop {
                let due = app.store.referrals_due(shard, now, PAGE).await?;
                let mut moved = 0;
                for referral in &due {
                    moved += u32::from(app.store.expire_referral(referral).await?);
                }
                expired.referrals += moved;
                if moved == 0 {
                    break;
                }
            }
        }
        Ok(expired)
    })
    .await
}
