//! Settlement: the only way from a due commission into a wallet.

use guerdon_domain::{
    commissions::{Commission, CommissionState, VoidReason},
    ids::{CommissionId, MemberId},
    money::{Currency, Money},
    programs::Cap,
    wallets::{Wallet, WalletKind},
};
use guerdon_store::{
    commissions::{DueCommissions, RELEASE_BATCH},
    programs::LimitUse,
    table::{Fragment, metered},
};
use sha2::{Digest, Sha256};

use crate::{
    attempt::Attempts,
    context::App,
    error::{AppError, refusal},
};

/// The result of a settlement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// Commissions that were released.
    pub released: u32,
    /// Each amount that is no longer on hold. The counters show it a moment later.
    pub off_hold: Vec<Money>,
    /// True if due commissions may be left for the next call, because the index lagged or there were too
    /// many.
    pub unfinished: bool,
}

#[derive(Clone, Copy)]
enum Refused {
    WalletChanged,
    NotHeld,
    LimitUsed,
    OnHold,
}

/// Maximum number of transactions of one settlement: 9,700 commissions, well within a function's time limit.
/// The next settlement continues.
const BATCHES: u32 = 100;

/// Releases all due commissions of `member`: up to 97 per transaction, with one wallet write and one entry.
/// It releases nothing while a fraud flag holds them. The sweep, the credit queue and every read of a balance
/// call it.
///
/// # Errors
/// [`AppError::Conflict`] when other writers of the same wallet kept winning.
pub async fn settle_wallet(app: &App, member: &MemberId) -> Result<Settled, AppError> {
    settle(app, member, BATCHES, Vec::new()).await
}

/// Settles due commissions before a page shows a balance. The work is bounded to keep the response fast. It
/// is enough for all but very large referrers; the queue and the sweep settle the rest.
pub(crate) async fn settle_for_view(app: &App, member: &MemberId) -> Result<Settled, AppError> {
    settle(app, member, 3, Vec::new()).await
}

/// Settles commissions that became releasable a moment ago and that the index may not show yet, and then all
/// other due commissions.
pub(crate) async fn settle_these(
    app: &App,
    member: &MemberId,
    these: Vec<Commission>,
) -> Result<Settled, AppError> {
    settle(app, member, BATCHES, these).await
}

async fn settle(
    app: &App,
    member: &MemberId,
    batches: u32,
    mut known: Vec<Commission>,
) -> Result<Settled, AppError> {
    metered("settle_wallet", async {
        let now = app.now();
        known.retain(|commission| commission.is_releasable() && commission.due_at <= now);
        let mut settled = Settled::default();
        let (mut attempts, mut done, mut looked) = (Attempts::default(), 0, false);
        loop {
            if done == batches {
                settled.unfinished = true;
                return Ok(settled);
            }
            let due = if known.is_empty() {
                app.store.commissions().due(member, app.now()).await?
            } else {
                DueCommissions { held: std::mem::take(&mut known), may_be_more: true }
            };
            let Some(first) = due.held.first() else {
                settled.unfinished = due.may_be_more;
                return Ok(settled);
            };
            // The hold is checked first, so that it costs no failed transaction. Held commissions stay
            // unchanged, and the operation that removes the hold settles them.
            if !looked && app.store.members().find(member).await?.is_some_and(|member| member.is_on_hold()) {
                return Ok(settled);
            }
            looked = true;
            let group = together(first, &due.held);
            let (writes, released) = release(app, member, &group).await?;
            match refusal(app.store.commit(&writes).await)? {
                None => {
                    settled.released += released;
                    settled.off_hold.extend(group.iter().map(|commission| commission.entitlement()));
                    done += 1;
                }
                Some(Refused::OnHold) => return Ok(settled),
                Some(Refused::WalletChanged | Refused::NotHeld | Refused::LimitUsed) => {
                    attempts.again(app).await?;
                }
            }
        }
    })
    .await
}

fn target_of(commission: &Commission) -> (WalletKind, Currency) {
    (commission.snapshot.rule.target, commission.amount.currency())
}

/// Returns the commissions that can be released in one transaction with `first`: into the same wallet, under
/// the same limits. Each limit reduces the number of commissions that fit by one or two.
fn together<'a>(first: &Commission, due: &'a [Commission]) -> Vec<&'a Commission> {
    let limits = first.limits();
    let most = RELEASE_BATCH as usize - limits.len();
    let alike = |c: &&Commission| target_of(c) == target_of(first) && c.limits() == limits;
    due.iter().filter(alike).take(most).collect()
}

/// The remaining amount of a limit while a batch is built.
struct Left {
    used: LimitUse,
    cap: Cap,
    taken: i64,
}

/// Builds the transaction that releases `commissions`, and returns the number of commissions that it
/// releases. A commission for which a cap or the budget leaves nothing becomes void. Limits are applied here
/// and not when a payment is recorded, because here the commissions of one beneficiary are processed one
/// after the other.
async fn release(
    app: &App,
    member: &MemberId,
    commissions: &[&Commission],
) -> Result<(Vec<Fragment<Refused>>, u32), AppError> {
    let Some(first) = commissions.first() else { return Ok((Vec::new(), 0)) };
    let (kind, currency) = target_of(first);
    let wallet: Wallet = app.store.wallets().find(member, kind, currency).await?;
    let mut limits = Vec::new();
    for (limit, cap, period) in first.limits() {
        limits.push(Left { used: app.store.programs().limit_use(&limit, &period).await?, cap, taken: 0 });
    }
    let now = app.now();
    let released = CommissionState::Released { entry_seq: wallet.seq + 1, at: now };
    let (mut sum, mut ids, mut flips) = (Money::zero(currency), Vec::new(), Vec::new());
    for commission in commissions {
        // The whole grant uses the limits, even if a part of it is reversed now: a dispute that is won after
        // the release restores that part, and the total must stay within the limits.
        let allowed = within(&mut limits, commission.amount);
        let mut after = Commission { state: released.clone(), ..(*commission).clone() };
        if allowed != commission.amount {
            after.allowed = Some(allowed.minor());
        }
        let amount = after.entitlement();
        if amount.is_positive() {
            sum = sum.checked_add(amount)?;
            ids.push(&commission.id);
        } else {
            after.state = CommissionState::Void { at: now, reason: VoidReason::Capped };
        }
        flips.push(app.store.commissions().settle(commission, &after, Refused::NotHeld)?);
    }
    let mut writes = Vec::new();
    let count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
    if sum.is_positive() {
        let (wallet, entry) = wallet.release(sum, count, digest(ids), now)?;
        writes.extend(app.store.wallets().post(&wallet, &entry, Refused::WalletChanged)?);
    }
    for left in limits.iter().filter(|left| left.taken > 0) {
        let taken = Money::new(left.taken, currency);
        writes.push(app.store.programs().use_limit(&left.used, taken, Refused::LimitUsed)?);
    }
    writes.extend(flips);
    writes.push(app.store.flags().not_on_hold(member, Refused::OnHold)?);
    Ok((writes, count))
}

/// Computes the digest of a release entry: SHA-256 over the ids of its commissions in order, one per line.
pub(crate) fn digest(mut ids: Vec<&CommissionId>) -> String {
    ids.sort_unstable();
    let lines =
        ids.into_iter().fold(Sha256::new(), |digest, id| digest.chain_update(id.as_str()).chain_update("\n"));
    hex::encode(lines.finalize())
}

/// Returns the part of `amount` that all limits allow, and subtracts it from each limit.
fn within(limits: &mut [Left], amount: Money) -> Money {
    let left = limits.iter().map(|limit| limit.used.left(limit.cap) - limit.taken);
    let allowed = left.fold(amount.minor(), i64::min).max(0);
    for limit in limits {
        limit.taken += allowed;
    }
    Money::new(allowed, amount.currency())
}
