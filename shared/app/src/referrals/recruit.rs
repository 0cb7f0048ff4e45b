//! The code that a member shares, and their referral statistics.

use guerdon_domain::members::{Member, MemberCode};
use guerdon_store::{statistics::Projection, table::metered};

use crate::{
    context::App,
    error::AppError,
    programs::reward_wallet_now,
    referrals::share_code_of,
    settings::settings_now,
    statistics::{ReferralStats, stats_in},
};

/// The content of the `/recruit` answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecruitView {
    /// The code to share; `None` while referrals are off.
    pub code: Option<MemberCode>,
    /// The member's referral statistics.
    pub stats: ReferralStats,
}

/// Returns the member's code and current statistics.
pub async fn recruit_view(app: &App, member: &Member) -> Result<RecruitView, AppError> {
    metered("recruit_view", async {
        let code = match settings_now(app).await?.referrals_enabled {
            true => Some(share_code_of(app, member).await?),
            false => None,
        };
        let counters = app.store.statistics().counters(&Projection::Member(member.id.clone())).await?;
        let (_, currency) = reward_wallet_now(app).await?;
        Ok(RecruitView { code, stats: stats_in(currency, &counters) })
    })
    .await
}
