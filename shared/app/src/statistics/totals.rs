//! Totals for operators, and the referrers with the highest scores.

use guerdon_domain::{
    ids::{MemberId, TelegramId},
    members::Member,
    money::{Currency, Money},
    statistics::{Counter, Sum},
};
use guerdon_store::{statistics::Projection, table::metered};

use crate::{
    context::App,
    error::AppError,
    programs::{reward_wallet_now, would_earn},
    statistics::{Period, stats_in},
};

/// The deployment's totals, in the currency that rewards are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminStats {
    /// Sum of all booked commissions minus clawbacks, plus the net amount of operators' adjustments.
    pub total_credits_issued: Money,
    /// Number of members who joined with a code.
    pub total_referrals: i64,
    /// Number of those members who have paid.
    pub converted_referrals: i64,
    /// Rewards that pending referrals would earn under the current program, plus commissions on hold.
    pub pending_credits: Money,
    /// The amount that invoices have used.
    pub applied_credits: Money,
    /// The ten referrers with the highest scores.
    pub top_referrers: Vec<TopReferrer>,
    /// The last 30 UTC days with any activity, oldest first.
    pub daily: Vec<DayTrend>,
}

/// Figures of one UTC day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayTrend {
    /// The day, `2026-11-21`.
    pub day: String,
    /// Number of new members.
    pub joined: i64,
    /// Number of those members who joined with a code.
    pub referrals: i64,
    /// Number of those members who have converted by now.
    pub converted: i64,
    /// Number of payments of all members.
    pub payments: i64,
    /// Sum of the commissions booked for the day's payments, minus clawbacks.
    pub issued: Money,
}

async fn daily(app: &App, currency: Currency) -> Result<Vec<DayTrend>, AppError> {
    let now = app.now();
    let days = app.store.statistics().daily(&now.plus_days(-29).day(), &now.day()).await?;
    Ok(days
        .into_iter()
        .map(|(day, counters)| DayTrend {
            joined: counters.get(Counter::Members),
            referrals: counters.get(Counter::Referrals),
            converted: counters.get(Counter::Converted),
            payments: counters.get(Counter::Payments),
            issued: counters.money(Sum::Issued, currency),
            day,
        })
        .collect())
}

/// A referrer in the operators' ranking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopReferrer {
    /// Telegram id, by which operators identify the referrer; `None` after they deleted their data.
    pub user_id: Option<TelegramId>,
    /// Number of converted referrals in the period.
    pub referrals: i64,
    /// Sum of all the referrer's booked commissions minus clawbacks.
    pub total_earned: Money,
}

/// Returns the totals and the ten best referrers.
pub async fn admin_stats(app: &App) -> Result<AdminStats, AppError> {
    metered("admin_stats", async {
        let totals = app.store.statistics().counters(&Projection::Totals).await?;
        // Rewards may be in another currency than prices, such as days of premium.
        let (_, currency) = reward_wallet_now(app).await?;
        let sum = |sum| totals.money(sum, currency);
        let promised = would_earn(app, currency).await?.minor().saturating_mul(totals.get(Counter::Pending));
        Ok(AdminStats {
            total_credits_issued: sum(Sum::Issued).checked_add(sum(Sum::Adjusted))?,
            total_referrals: totals.get(Counter::Referrals),
            converted_referrals: totals.get(Counter::Converted),
            pending_credits: sum(Sum::Held).checked_add(Money::new(promised, currency))?,
            applied_credits: sum(Sum::Applied),
            top_referrers: top_referrers(app, Period::All, 10).await?,
            daily: daily(app, currency).await?,
        })
    })
    .await
}

/// Returns the best referrers of a period, at most `limit` (up to 100).
pub async fn top_referrers(app: &App, period: Period, limit: i32) -> Result<Vec<TopReferrer>, AppError> {
    metered("top_referrers", async {
        let ranked = app.store.statistics().ranking(&period.key(app.now()), limit.clamp(1, 100)).await?;
        let ids: Vec<_> = ranked.iter().map(|r| r.member.clone()).collect();
        let members = app.store.members().find_all(&ids).await?;
        let (_, currency) = reward_wallet_now(app).await?;
        let mut top = Vec::with_capacity(ranked.len());
        for entry in ranked {
            let counters = app.store.statistics().counters(&Projection::Member(entry.member.clone())).await?;
            top.push(TopReferrer {
                user_id: members.iter().find(|m| m.id == entry.member).map(|m| m.telegram_id),
                referrals: entry.score,
                total_earned: stats_in(currency, &counters).earned,
            });
        }
        Ok(top)
    })
    .await
}

/// Loads those of the given members who still exist.
pub async fn members_of(app: &App, people: &[MemberId]) -> Result<Vec<Member>, AppError> {
    Ok(app.store.members().find_all(people).await?)
}
