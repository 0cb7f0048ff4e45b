//! A member's rank, points and badges.

use guerdon_domain::ids::MemberId;
use guerdon_store::{statistics::Projection, table::metered};

use crate::{
    context::App,
    error::AppError,
    programs::reward_wallet_now,
    statistics::{ReferralStats, referral_stats, stats_in},
};

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
        let counters = app.store.statistics().counters(&Projection::Member(member.clone())).await?;
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
