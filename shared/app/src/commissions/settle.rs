//! The only way from a due commission into a wallet.

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

/// What a settlement did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// Commissions released now.
    pub released: u32,
    /// What is on hold no more, each of them: counters show it a moment later.
    pub off_hold: Vec<Money>,
    /// Something due may be left for the next call: the index lagged behind, or there was too much.
    pub unfinished: bool,
}

#[derive(Clone, Copy)]
enum Refused {
    WalletChanged,
    NotHeld,
    LimitUsed,
    OnHold,
}

/// Transactions of one settlement: 9,700 commissions, well within a function's time. The rest is left for
/// the next.
const BATCHES: u32 = 100;

/// Releases everything of `member` that is due: up to 97 commissions a transaction, with one wallet write
/// and one entry; nothing while a fraud flag holds them. Called by the sweep, by the credit queue, and by every
/// balance read.
///
/// # Errors
/// [`AppError::Conflict`] when other writers of the same wallet kept winning.
pub async fn settle_wallet(app: &App, member: &MemberId) -> Result<Settled, AppError> {
    settle(app, member, BATCHES, Vec::new()).await
}

/// What a page settles before it shows a balance: enough for anybody but the most popular, whose rest is
/// settled by the queue and the sweep, and never more than the reader waits for.
///
/// # Errors
/// [`AppError`].
pub(crate) async fn settle_for_view(app: &App, member: &MemberId) -> Result<Settled, AppError> {
    settle(app, member, 3, Vec::new()).await
}

/// Settles commissions that may be released since a moment ago, which the index may not show yet, and then whatever
/// else is due.
///
/// # Errors
/// [`AppError`].
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
            // Looked at before, so that a hold costs no failed transaction. What it holds stays where it is, and
            // whoever lifts the hold settles.
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

/// Those that can be released in one transaction with `first`: into the same wallet, under the same
/// limits. Each limit takes the place of a commission or two in it.
fn together<'a>(first: &Commission, due: &'a [Commission]) -> Vec<&'a Commission> {
    let limits = first.limits();
    let most = RELEASE_BATCH as usize - limits.len();
    let alike = |c: &&Commission| target_of(c) == target_of(first) && c.limits() == limits;
    due.iter().filter(alike).take(most).collect()
}

/// What a limit still lets through while a batch is put together.
struct Left {
    used: LimitUse,
    cap: Cap,
    taken: i64,
}

/// The transaction that releases `commissions`, and how many of them it really does: what a cap or the
/// budget leaves nothing of becomes void. Limits are kept here and not when a payment is recorded, because
/// this is where one beneficiary's commissions come by one after the other.
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
        // The whole grant uses the limits, also where some of it is undone at present: a dispute that is won
        // after the release brings that back, and must not bring more than the limits have let through.
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

/// What a release's entry commits to: SHA-256 over the ids of its commissions, in order, a line each.
pub(crate) fn digest(mut ids: Vec<&CommissionId>) -> String {
    ids.sort_unstable();
    let lines =
        ids.into_iter().fold(Sha256::new(), |digest, id| digest.chain_update(id.as_str()).chain_update("\n"));
    hex::encode(lines.finalize())
}

/// As much of `amount` as all limits still let through; it is taken off each of them.
fn within(limits: &mut [Left], amount: Money) -> Money {
    let left = limits.iter().map(|limit| limit.used.left(limit.cap) - limit.taken);
    let allowed = left.fold(amount.minor(), i64::min).max(0);
    for limit in limits {
        limit.taken += allowed;
    }
    Money::new(allowed, amount.currency())
}
