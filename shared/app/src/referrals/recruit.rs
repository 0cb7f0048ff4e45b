//! What a member shares, and how that went.

use guerdon_domain::members::{Member, MemberCode};
use guerdon_store::{statistics::Projection, table::metered};

use crate::{
    context::App,
    error::AppError,
    programs::reward_wallet_now,
    referrals::share_code_of,
    statistics::{ReferralStats, stats_in},
};

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
pub async fn recruit_view(app: &App, member: &Member) -> Result<RecruitView, AppError> {
    metered("recruit_view", async {
        let code = share_code_of(app, member).await?;
        let counters = app.store.statistics().counters(&Projection::Member(member.id.clone())).await?;
        let (_, currency) = reward_wallet_now(app).await?;
        Ok(RecruitView { code, stats: stats_in(currency, &counters) })
    })
    .await
}
