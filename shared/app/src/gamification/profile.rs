//! The rank, points and badges of a member.

use guerdon_domain::ids::MemberId;
use guerdon_store::{statistics::Projection, table::metered};

use crate::{
    context::App,
    error::AppError,
    programs::reward_wallet_now,
    statistics::{ReferralStats, referral_stats, stats_in},
};

/// The data of the `/profile` command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileView {
    /// Statistics about the member's referrals.
    pub stats: ReferralStats,
    /// The rank, points and badges, the next rank and the number of referrals up to it.
    pub standing: Option<StandingView>,
}

/// A standing with owned values, independent of the preset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingView {
    /// The current rank.
    pub rank: String,
    /// Points.
    pub xp: u64,
    /// Badges.
    pub badges: Vec<String>,
    /// The next rank and the number of converted referrals that are missing.
    pub next: Option<(String, u64)>,
}

/// Returns the member's counters and standing.
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
