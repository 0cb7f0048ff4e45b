//! The scheduled release of what is due.

use std::collections::BTreeSet;

use guerdon_store::{
    commissions::ReleaseDue,
    table::{SHARDS, metered},
};

use crate::{commissions::settle_wallet, context::App, error::AppError};

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Referrers looked at.
    pub members: u32,
    /// Commissions released.
    pub released: u32,
    /// Referrers left for the next sweep: contended, unreadable, or not finished.
    pub left: u32,
}

/// Markers younger than this are left: a commission booked a moment ago may not have landed yet.
const GRACE_SECONDS: i64 = 600;

/// Markers read at once.
const PAGE: usize = 50;

/// The table reads no more than this at once.
const LONGEST_PAGE: usize = 100;

/// Settles every referrer whose marked hour has passed. It costs what is due, not what exists; what one
/// referrer's failure leaves behind, the next sweep takes up.
///
/// # Errors
/// [`AppError`] when the due queue itself cannot be read.
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
    // What is left stands first in the queue again: the page grows, so that it never hides the others.
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

/// False when the marker must stay.
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
