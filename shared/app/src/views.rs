//! What a member sees of themselves.

use std::collections::BTreeMap;

use guerdon_domain::{
    commissions::Commission,
    ids::MemberId,
    money::{Currency, Money},
    programs::Program,
    settings::Preset,
    time::Timestamp,
    wallets::{Entry, Wallet, WalletKind},
    withdrawals::{Withdrawal, WithdrawalRules},
};
use guerdon_store::{Counters, Member, MemberCode, Projection, metered};

use crate::{
    App, AppError, Settled, claim_rewards, program_now, rewards::claimable_rewards, settings_now,
    settle_wallet::settle_for_view, share_code,
};

/// A referrer's counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferralStats {
    /// Members they brought.
    pub recruits: i64,
    /// Of these, how many have not paid yet.
    pub pending: i64,
    /// Of these, how many have paid.
    pub converted: i64,
    /// Of these, how many ran out of time.
    pub expired: i64,
    /// Rewards booked for them.
    pub rewards: i64,
    /// All commissions booked so far.
    pub earned: Money,
    /// Of these, what is still on hold.
    pub held: Money,
}

/// Reads the counters' names, rewards in the preset's currency.
pub(crate) fn referral_stats(app: &App, counters: &Counters) -> ReferralStats {
    stats_in(app.preset.currency, counters)
}

fn stats_in(currency: Currency, counters: &Counters) -> ReferralStats {
    let count = |name: &str| counters.get(name).copied().unwrap_or_default();
    let money = |word: &str| Money::new(count(&format!("{word}_{currency}")), currency);
    ReferralStats {
        recruits: count("recruits"),
        pending: count("pending"),
        converted: count("converted"),
        expired: count("expired"),
        rewards: count("rewards"),
        earned: money("earned"),
        held: money("held"),
    }
}

/// The wallet that a referrer's rewards come into, and its currency: the headline rule's. Without rewards
/// it is what is paid out, or else bill credit, which operators can give at any time.
pub fn reward_wallet(preset: &Preset, program: &Program) -> (WalletKind, Currency) {
    let currency = preset.currency;
    match (program.headline(), &preset.withdrawals) {
        (Some(rule), _) => (rule.target, rule.granted_currency(currency)),
        (None, Some(rules)) => (rules.wallet, currency),
        (None, None) => (WalletKind::BillCredit, currency),
    }
}

async fn reward_wallet_now(app: &App) -> Result<(WalletKind, Currency), AppError> {
    Ok(reward_wallet(&app.preset, &*program_now(app).await?))
}

/// What `/recruit` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecruitView {
    /// The code to share.
    pub code: MemberCode,
    /// How it went so far.
    pub stats: ReferralStats,
}

/// The member's code and live statistics.
///
/// # Errors
/// [`AppError`].
pub async fn recruit_view(app: &App, member: &MemberId) -> Result<RecruitView, AppError> {
    metered("recruit_view", async {
        let code = share_code(app, member).await?;
        let counters = app.store.counters(&Projection::Member(member.clone())).await?;
        let (_, currency) = reward_wallet_now(app).await?;
        Ok(RecruitView { code, stats: stats_in(currency, &counters) })
    })
    .await
}

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
    let wallet = app.store.wallet(&member.id, kind, currency).await?;
    let entries = app.store.entries((&member.id, kind, currency), before, limit).await?;
    let counters = app.store.counters(&Projection::Member(member.id.clone())).await?;
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
    if !counters.iter().any(|(name, count)| name.starts_with("held_") && *count > 0) {
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

/// What `/withdraw` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawView {
    /// The rules of withdrawing.
    pub rules: WithdrawalRules,
    /// The wallet that is paid out, everything due released.
    pub wallet: Wallet,
    /// The withdrawal under way.
    pub open: Option<Withdrawal>,
    /// The next one is possible from then on, if not at once.
    pub next_from: Option<Timestamp>,
}

/// What the member can withdraw; nothing where nothing is paid out.
///
/// # Errors
/// [`AppError`].
pub async fn withdraw_view(app: &App, member: &MemberId) -> Result<Option<WithdrawView>, AppError> {
    metered("withdraw_view", async {
        let settings = settings_now(app).await?;
        let Some(rules) = settings.preset.withdrawals.clone() else { return Ok(None) };
        settle_for_view(app, member).await?;
        let wallet = app.store.wallet(member, rules.wallet, app.preset.currency).await?;
        let open = match &wallet.open_withdrawal {
            Some(id) => app.store.withdrawal(id).await?,
            None => None,
        };
        if open.is_none() && !settings.withdrawals_enabled {
            return Ok(None);
        }
        let next = wallet.withdrew_at.map(|at| at.plus_seconds(rules.cool_down_seconds));
        let next_from = next.filter(|next| app.now() < *next);
        Ok(Some(WithdrawView { rules, wallet, open, next_from }))
    })
    .await
}

/// What `/profile` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileView {
    /// How their referrals went.
    pub stats: ReferralStats,
    /// Rank, points, badges; the next rank and how many referrals it takes.
    pub standing: Option<StandingView>,
}

/// A standing, detached from the preset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingView {
    /// The present rank.
    pub rank: String,
    /// Points.
    pub xp: u64,
    /// Badges.
    pub badges: Vec<String>,
    /// The next rank and the converted referrals still missing.
    pub next: Option<(String, u64)>,
}

/// The member's counters and standing.
///
/// # Errors
/// [`AppError`].
pub async fn profile_view(app: &App, member: &MemberId) -> Result<ProfileView, AppError> {
    metered("profile_view", async {
        let counters = app.store.counters(&Projection::Member(member.clone())).await?;
        let earned = referral_stats(app, &counters).earned;
        let stats = stats_in(reward_wallet_now(app).await?.1, &counters);
        let converted = u64::try_from(stats.converted).unwrap_or_default();
        let standing = app.preset.ranks.as_ref().map(|ranks| {
            let standing = ranks.standing(converted, earned.minor());
            StandingView {
                rank: standing.rank.to_owned(),
                xp: standing.xp,
                badges: standing.badges.iter().map(|badge| (*badge).to_owned()).collect(),
                next: standing.next.map(|m| (m.rank.clone(), m.referrals.saturating_sub(converted))),
            }
        });
        Ok(ProfileView { stats, standing })
    })
    .await
}
