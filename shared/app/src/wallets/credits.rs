//! The rewards wallet of a member, as shown to the member.

use guerdon_domain::{
    commissions::Commission,
    ids::{IntentId, MemberId},
    members::Member,
    money::Money,
    statistics::{Counters, Sum},
    time::Timestamp,
    wallets::{Buckets, Entry, Wallet},
};
use guerdon_store::{statistics::Projection, table::metered};

use crate::{
    commissions::{Settled, ShownClaim, claim_shown, claimable_rewards, settle_for_view, sums_of},
    context::App,
    error::AppError,
    programs::reward_wallet_now,
    statistics::stats_in,
};

/// The data of the `/credits` command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditsView {
    /// The wallet that rewards come into now, after all due commissions are released.
    pub wallet: Wallet,
    /// All other wallets of the member that are not empty: rewards of other rules, or from before the program changed.
    pub others: Vec<Wallet>,
    /// Commissions that are on hold, including those that wait for a claim.
    pub on_hold: Money,
    /// Rewards that wait for a claim.
    pub to_claim: Option<ToClaim>,
    /// A page of the statement, newest first.
    pub entries: Vec<Entry>,
    /// The position of the next page, if there is one.
    pub next_before: Option<u64>,
    /// True if the member pays through Stripe, so that credit can reduce a bill.
    pub has_customer: bool,
}

/// Rewards that the member has to claim, up to the maximum of one tap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToClaim {
    /// The sums of the rewards, one per currency.
    pub amounts: Vec<Money>,
    /// The time when the first reward expires.
    pub until: Timestamp,
}

/// Returns the rewards wallet of the member and a page of its statement, older than entry `before`.
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

/// Claims the rewards that the member was shown under the intent `id`, and returns what became of it with the
/// first page of the statement.
pub async fn claim_and_view(
    app: &App,
    member: &Member,
    id: &IntentId,
    limit: i32,
) -> Result<(ShownClaim, CreditsView), AppError> {
    let claim = claim_shown(app, &member.id, id).await?;
    let view = match &claim {
        ShownClaim::Claimed { rewards, settled } if !rewards.is_empty() => {
            metered("credits_view", view_settled(app, member, None, limit, settled)).await?
        }
        _ => credits_view(app, member, None, limit).await?,
    };
    Ok((claim, view))
}

async fn view_settled(
    app: &App,
    member: &Member,
    before: Option<u64>,
    limit: i32,
    settled: &Settled,
) -> Result<CreditsView, AppError> {
    let (kind, currency) = reward_wallet_now(app).await?;
    let mut others = app.store.wallets().of(&member.id).await?;
    let own = others.iter().position(|wallet| (wallet.kind, wallet.currency) == (kind, currency));
    let wallet = match own {
        Some(own) => others.swap_remove(own),
        None => Wallet::empty(member.id.clone(), kind, currency),
    };
    others.retain(|wallet| wallet.buckets != Buckets::default());
    others.sort_by_key(|wallet| (wallet.kind, wallet.currency.to_string()));
    let entries = app.store.wallets().entries((&member.id, kind, currency), before, limit).await?;
    let counters = app.store.statistics().counters(&Projection::Member(member.id.clone())).await?;
    let next_before = entries.last().map(|entry| entry.seq).filter(|seq| *seq > 1);
    let to_claim = to_claim(app, &member.id, &counters).await?;
    // The counter does not include yet what this call settled.
    let off_hold = settled.off_hold.iter().filter(|amount| amount.currency() == currency);
    let off_hold = off_hold.fold(0, |sum: i64, amount| sum.saturating_add(amount.minor()));
    let held = stats_in(currency, &counters).held.minor().saturating_sub(off_hold);
    let on_hold = Money::new(held.max(0), currency);
    let has_customer = member.customer.is_some();
    Ok(CreditsView { wallet, others, on_hold, to_claim, entries, next_before, has_customer })
}

/// Returns the rewards that `member` can claim. A member without held commissions has no such rewards.
async fn to_claim(app: &App, member: &MemberId, counters: &Counters) -> Result<Option<ToClaim>, AppError> {
    if !counters.has(Sum::Held) {
        return Ok(None);
    }
    let rewards = claimable_rewards(app, member).await?;
    let Some(until) = rewards.first().and_then(Commission::claim_ends_at) else { return Ok(None) };
    Ok(Some(ToClaim { amounts: sums_of(&rewards), until }))
}
