//! The only way a commission becomes spendable.

use std::time::Duration;

use guerdon_domain::{Commission, Currency, MemberId, Money, Wallet, WalletKind};
use guerdon_store::{Fragment, SHARDS, metered};
use sha2::{Digest, Sha256};

use crate::{App, AppError, error::refusal};

/// What a settlement did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// Commissions released now.
    pub released: u32,
    /// The index still lagged behind at the end: something due may be left for the next call.
    pub unfinished: bool,
}

#[derive(Clone, Copy)]
enum Refused {
    WalletChanged,
    NotHeld,
}

/// A wallet's writers take turns through its version; with this many tries a busy one is let through.
const TRIES: u32 = 25;

/// Releases everything of `member` that is due: up to 97 commissions a transaction, with one wallet write
/// and one entry. Called by the sweep, by the credit queue, and by every balance read.
///
/// # Errors
/// [`AppError::Conflict`] when other writers of the same wallet kept winning.
pub async fn settle_wallet(app: &App, member: &MemberId) -> Result<Settled, AppError> {
    metered("settle_wallet", async {
        let mut settled = Settled::default();
        let mut refused = 0;
        loop {
            let due = app.store.due_commissions(member, app.now()).await?;
            let Some(first) = due.held.first() else {
                settled.unfinished = due.may_be_more;
                return Ok(settled);
            };
            let target = (first.snapshot.rule.target, first.amount.currency());
            let group: Vec<_> = due.held.iter().filter(|c| target_of(c) == target).collect();
            let writes = release(app, member, target, &group).await?;
            match refusal(app.store.commit(&writes).await)? {
                None => settled.released += u32::try_from(group.len()).unwrap_or(u32::MAX),
                Some(Refused::WalletChanged | Refused::NotHeld) => {
                    refused += 1;
                    if refused >= TRIES {
                        return Err(AppError::Conflict);
                    }
                    crate::pause(app, refused).await;
                }
            }
        }
    })
    .await
}

fn target_of(commission: &Commission) -> (WalletKind, Currency) {
    (commission.snapshot.rule.target, commission.amount.currency())
}

async fn release(
    app: &App,
    member: &MemberId,
    (kind, currency): (WalletKind, Currency),
    commissions: &[&Commission],
) -> Result<Vec<Fragment<Refused>>, AppError> {
    let wallet: Wallet = app.store.wallet(member, kind, currency).await?;
    let mut sum = Money::zero(currency);
    let mut digest = Sha256::new();
    for commission in commissions {
        sum = sum.checked_add(commission.amount)?;
        digest.update(commission.id.as_str());
        digest.update(b"\n");
    }
    let now = app.now();
    let count = u32::try_from(commissions.len()).unwrap_or(u32::MAX);
    let (wallet, entry) = wallet.release(sum, count, hex::encode(digest.finalize()), now)?;
    let mut writes = Vec::from(app.store.post(&wallet, &entry, Refused::WalletChanged)?);
    for commission in commissions {
        writes.push(app.store.release_commission(commission, entry.seq, now, Refused::NotHeld)?);
    }
    Ok(writes)
}

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

/// Settles every referrer whose marked hour has passed. It costs what is due, not what exists; what one
/// referrer's failure leaves behind, the next sweep takes up.
///
/// # Errors
/// [`AppError`] when the due queue itself cannot be read.
pub async fn sweep_releases(app: &App) -> Result<Swept, AppError> {
    metered("sweep_releases", async {
        let until = app.now().plus_seconds(-GRACE_SECONDS);
        let mut swept = Swept::default();
        for shard in 0..SHARDS {
            loop {
                let due = app.store.releases_due(shard, until, 50).await?;
                let before = swept.left;
                for marker in &due {
                    swept.members += 1;
                    match settle_wallet(app, &marker.member).await {
                        Ok(settled) if !settled.unfinished => {
                            swept.released += settled.released;
                            app.store.unmark_release_due(marker).await?;
                        }
                        Ok(settled) => {
                            swept.released += settled.released;
                            swept.left += 1;
                        }
                        Err(error) => {
                            swept.left += 1;
                            tracing::warn!(
                                member = app.tag(&marker.member),
                                code = error.code(),
                                "not settled"
                            );
                        }
                    }
                }
                // What was left stands first in the queue again: go on only when this page was cleared.
                if due.len() < 50 || swept.left > before {
                    break;
                }
            }
        }
        Ok(swept)
    })
    .await
}

/// Waits a moment that grows with `tries` and differs between callers.
pub(crate) async fn pause(app: &App, tries: u32) {
    let jitter = app.entropy.code_bytes().map_or(0, |bytes| u64::from(bytes[0]));
    let millis = 2 + (jitter * u64::from(tries.min(20))) / 32;
    tokio_sleep(Duration::from_millis(millis)).await;
}

async fn tokio_sleep(duration: Duration) {
    use backon::Sleeper;
    backon::TokioSleeper.sleep(duration).await;
}
