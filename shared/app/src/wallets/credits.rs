//! The wallet that a member's rewards come into, as they see it.

use std::collections::BTreeMap;

use guerdon_domain::{
    commissions::Commission,
    ids::MemberId,
    members::Member,
    money::{Currency, Money},
    statistics::{Counters, Sum},
    time::Timestamp,
    wallets::{Entry, Wallet},
};
use guerdon_store::{statistics::Projection, table::metered};

use crate::{
    commissions::{Settled, claim_rewards, claimable_rewards, settle_for_view},
    context::App,
    error::AppError,
    programs::reward_wallet_now,
    statistics::stats_in,
};

/// What `/credits` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditsView {
    /// The wallet, everything due released.
    pub wallet: Wallet,
    /// Commissions still on hold, with those that wait to be claimed.
    pub on_hold: Money,
    /// What waits to be claimed.
    pub to_claim: Option<ToClaim>,
    /// A page of the statement, newest first.
    pub entries: Vec<Entry>,
    /// Where the next page begins, if there is one.
    pub next_before: Option<u64>,
    /// The member pays through Stripe: credit can reach a bill.
    pub has_customer: bool,
}

/// Rewards that the member has to claim, as many as one tap claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToClaim {
    /// What they come to, a sum for each currency.
    pub amounts: Vec<Money>,
    /// When the first of them expires.
    pub until: Timestamp,
}

/// The wallet that the member's rewards come into and a page of its statement, older than entry `before`.
///
/// # Errors
/// [`AppError`].
pub async fn credits_view(
    app: &App,
    member: &Member,
    before: Option<u64>,
    limit: i32,
) -> Result<CreditsView, AppError> {
    metered("credits_view", async {
        let settled = settle_for_view(app, &member.id).await?;
        view_settled(app, member, before, limit, &settled).await
    })
    .await
}

/// Claims what the member may claim and shows the first page of the statement.
///
/// # Errors
/// [`AppError`]; then some may be claimed, and calling again goes on.
pub async fn claim_and_view(app: &App, member: &Member, limit: i32) -> Result<CreditsView, AppError> {
    let claimed = claim_rewards(app, &member.id).await?;
    metered("credits_view", view_settled(app, member, None, limit, &claimed.settled)).await
}

async fn view_settled(
    app: &App,
    member: &Member,
    before: Option<u64>,
    limit: i32,
    settled: &Settled,
) -> Result<CreditsView, AppError> {
    let (kind, currency) = reward_wallet_now(app).await?;
    let wallet = app.store.wallets().find(&member.id, kind, currency).await?;
    let entries = app.store.wallets().entries((&member.id, kind, currency), before, limit).await?;
    let counters = app.store.statistics().counters(&Projection::Member(member.id.clone())).await?;
    let next_before = entries.last().map(|entry| entry.seq).filter(|seq| *seq > 1);
    let to_claim = to_claim(app, &member.id, &counters).await?;
    // The counter does not know yet what was settled just now.
    let off_hold = settled.off_hold.iter().filter(|amount| amount.currency() == currency);
    let off_hold = off_hold.fold(0, |sum: i64, amount| sum.saturating_add(amount.minor()));
    let held = stats_in(currency, &counters).held.minor().saturating_sub(off_hold);
    let on_hold = Money::new(held.max(0), currency);
    let has_customer = member.customer.is_some();
    Ok(CreditsView { wallet, on_hold, to_claim, entries, next_before, has_customer })
}

/// What `member` may claim; nobody of whom nothing is held has anything to claim.
async fn to_claim(app: &App, member: &MemberId, counters: &Counters) -> Result<Option<ToClaim>, AppError> {
    if !counters.has(Sum::Held) {
        return Ok(None);
    }
    let rewards = claimable_rewards(app, member).await?;
    let Some(until) = rewards.first().and_then(Commission::claim_ends_at) else { return Ok(None) };
    let mut sums = BTreeMap::<Currency, i64>::new();
    for worth in rewards.iter().map(Commission::entitlement) {
        let sum = sums.entry(worth.currency()).or_default();
        *sum = sum.saturating_add(worth.minor());
    }
    let amounts = sums.into_iter().map(|(currency, minor)| Money::new(minor, currency)).collect();
    Ok(Some(ToClaim { amounts, until }))
}
