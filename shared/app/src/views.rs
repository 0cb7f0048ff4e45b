//! What a member sees of themselves.

use guerdon_domain::{Entry, MemberId, Money, Wallet, WalletKind};
use guerdon_store::{Counters, Member, MemberCode, Projection, metered};

use crate::{App, AppError, settle_wallet::settle_for_view, share_code};

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
    /// All commissions booked so far.
    pub earned: Money,
    /// Of these, what is still on hold.
    pub held: Money,
}

/// Reads the counters' names.
pub(crate) fn referral_stats(app: &App, counters: &Counters) -> ReferralStats {
    let count = |name: &str| counters.get(name).copied().unwrap_or_default();
    let currency = app.preset.currency;
    let money = |word: &str| Money::new(count(&format!("{word}_{currency}")), currency);
    ReferralStats {
        recruits: count("recruits"),
        pending: count("pending"),
        converted: count("converted"),
        expired: count("expired"),
        earned: money("earned"),
        held: money("held"),
    }
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
        Ok(RecruitView { code, stats: referral_stats(app, &counters) })
    })
    .await
}

/// What `/credits` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditsView {
    /// The wallet, everything due released.
    pub wallet: Wallet,
    /// Commissions still on hold.
    pub on_hold: Money,
    /// A page of the statement, newest first.
    pub entries: Vec<Entry>,
    /// Where the next page begins, if there is one.
    pub next_before: Option<u64>,
    /// The member pays through Stripe: credit can reach a bill.
    pub has_customer: bool,
}

/// The member's bill credit and a page of its statement, older than entry `before`.
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
        settle_for_view(app, &member.id).await?;
        let currency = app.preset.currency;
        let wallet = app.store.wallet(&member.id, WalletKind::BillCredit, currency).await?;
        let entries =
            app.store.entries((&member.id, WalletKind::BillCredit, currency), before, limit).await?;
        let counters = app.store.counters(&Projection::Member(member.id.clone())).await?;
        let next_before = entries.last().map(|entry| entry.seq).filter(|seq| *seq > 1);
        let on_hold = referral_stats(app, &counters).held;
        Ok(CreditsView { wallet, on_hold, entries, next_before, has_customer: member.customer.is_some() })
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
        let stats = referral_stats(app, &counters);
        let converted = u64::try_from(stats.converted).unwrap_or_default();
        let standing = app.preset.ranks.as_ref().map(|ranks| {
            let standing = ranks.standing(converted, stats.earned.minor());
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
