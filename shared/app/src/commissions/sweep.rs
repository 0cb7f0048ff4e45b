//! The scheduled release of due commissions.

use std::collections::BTreeSet;

use guerdon_store::{
    commissions::ReleaseDue,
    table::{SHARDS, metered},
};

use crate::{commissions::settle_wallet, context::App, error::AppError};

/// The result of a sweep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Referrers that were checked.
    pub members: u32,
    /// Commissions that were released.
    pub released: u32,
    /// Referrers left for the next sweep because of a conflict, a read error or unfinished work.
    pub left: u32,
}

/// Markers younger than this are skipped: a new commission may not be stored yet.
const GRACE_SECONDS: i64 = 600;

/// Maximum number of markers in one read.
const PAGE: usize = 50;

/// Maximum number of markers that the table returns in one read.
const LONGEST_PAGE: usize = 100;

/// Settles every referrer whose marked hour has passed. The cost depends on the due commissions, not on all
/// commissions. The next sweep retries the referrers that failed.
///
/// # Errors
/// [`AppError`] when the due queue cannot be read.
pub async fn sweep_releases(app: &App) -> Result<Swept, AppError> {
    metered("sweep_releases", async {
        let mut swept = Swept::default();
        for shard in 0..SHARDS {
            sweep_shard(app, shard, &mut swept).await?;
        }
        Ok(swept)
    })
    .await
}

async fn sweep_shard(app: &App, shard: u8, swept: &mut Swept) -> Result<(), AppError> {
    let until = app.now().plus_seconds(-GRACE_SECONDS);
    // Markers that are left come first in the queue again. The page grows with them, so they never hide the
    // others.
    let mut left = BTreeSet::new();
    loop {
        let page = (PAGE + left.len()).min(LONGEST_PAGE);
        let due =
            app.store.commissions().marked(shard, until, i32::try_from(page).unwrap_or(i32::MAX)).await?;
        let (mut looked_at, mut kept) = (0, Vec::new());
        for marker in due.iter().filter(|marker| !left.contains(&(marker.member.clone(), marker.hour))) {
            looked_at += 1;
            if !sweep_member(app, marker, swept).await? {
                kept.push((marker.member.clone(), marker.hour));
            }
        }
        swept.members += looked_at;
        swept.left += u32::try_from(kept.len()).unwrap_or(u32::MAX);
        left.extend(kept);
        if due.len() < page || looked_at == 0 {
            return Ok(());
        }
    }
}

/// Settles the referrer of `marker`. Returns false when the marker must stay.
async fn sweep_member(app: &App, marker: &ReleaseDue, swept: &mut Swept) -> Result<bool, AppError> {
    match settle_wallet(app, &marker.member).await {
        Ok(settled) => {
            swept.released += settled.released;
            if !settled.unfinished {
                app.store.commissions().unmark(marker).await?;
            }
            Ok(!settled.unfinished)
        }
        Err(error) => {
            tracing::warn!(member = app.tag(&marker.member), code = error.code(), "not settled");
            Ok(false)
        }
    }
}
