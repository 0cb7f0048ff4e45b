//! Totals for operators, and the best referrers.

use guerdon_domain::{
    ids::{MemberId, TelegramId},
    members::Member,
    money::Money,
    statistics::{Counter, Sum},
};
use guerdon_store::{statistics::Projection, table::metered};

use crate::{
    context::App,
    error::AppError,
    programs::would_earn,
    statistics::{Period, referral_stats},
};

/// The deployment's totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskStats {
    /// All commissions booked, plus what operators gave and minus what they took.
    pub total_credits_issued: Money,
    /// Members who joined through a code.
    pub total_referrals: i64,
    /// Of these, those who paid.
    pub converted_referrals: i64,
    /// What pending referrals would earn under the present program, plus commissions on hold.
    pub pending_credits: Money,
    /// What invoices have used up.
    pub applied_credits: Money,
    /// The best referrers.
    pub top_referrers: Vec<TopReferrer>,
    /// The last 30 UTC days with any activity, oldest first.
    pub daily: Vec<DayTrend>,
}

/// What happened on one UTC day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayTrend {
    /// The day, `2026-11-21`.
    pub day: String,
    /// New members.
    pub joined: i64,
    /// Of these, through a code.
    pub referrals: i64,
    /// Referrals that paid.
    pub converted: i64,
    /// Payments of all members.
    pub payments: i64,
    /// Commissions booked for the day's payments.
    pub issued: Money,
}

async fn daily(app: &App) -> Result<Vec<DayTrend>, AppError> {
    let now = app.now();
    let currency = app.preset.currency;
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
    /// Their Telegram id, which is what operators know them by. None after they deleted their data.
    pub user_id: Option<TelegramId>,
    /// Converted referrals within the period.
    pub referrals: i64,
    /// All they ever earned.
    pub total_earned: Money,
}

/// Totals and the ten best referrers.
///
/// # Errors
/// [`AppError`].
pub async fn desk_stats(app: &App) -> Result<DeskStats, AppError> {
    metered("desk_stats", async {
        let totals = app.store.statistics().counters(&Projection::Totals).await?;
        let currency = app.preset.currency;
        let sum = |sum| totals.money(sum, currency);
        let promised = would_earn(app).await?.minor().saturating_mul(totals.get(Counter::Pending));
        Ok(DeskStats {
            total_credits_issued: sum(Sum::Issued).checked_add(sum(Sum::Adjusted))?,
            total_referrals: totals.get(Counter::Referrals),
            converted_referrals: totals.get(Counter::Converted),
            pending_credits: sum(Sum::Held).checked_add(Money::new(promised, currency))?,
            applied_credits: sum(Sum::Applied),
            top_referrers: top_referrers(app, Period::All, 10).await?,
            daily: daily(app).await?,
        })
    })
    .await
}

/// The best referrers of a period, at most `limit` (up to 100).
///
/// # Errors
/// [`AppError`].
pub async fn top_referrers(app: &App, period: Period, limit: i32) -> Result<Vec<TopReferrer>, AppError> {
    metered("top_referrers", async {
        let ranked = app.store.statistics().ranking(&period.key(app.now()), limit.clamp(1, 100)).await?;
        let ids: Vec<_> = ranked.iter().map(|r| r.member.clone()).collect();
        let members = app.store.members().find_all(&ids).await?;
        let mut top = Vec::with_capacity(ranked.len());
        for entry in ranked {
            let counters = app.store.statistics().counters(&Projection::Member(entry.member.clone())).await?;
            top.push(TopReferrer {
                user_id: members.iter().find(|m| m.id == entry.member).map(|m| m.telegram_id),
                referrals: entry.score,
                total_earned: referral_stats(app, &counters).earned,
            });
        }
        Ok(top)
    })
    .await
}

/// Those of these members who are still there, of any number: the table reads 100 at once.
///
/// # Errors
/// [`AppError`].
pub async fn members_of(app: &App, people: &[MemberId]) -> Result<Vec<Member>, AppError> {
    let mut members = Vec::with_capacity(people.len());
    for chunk in people.chunks(100) {
        members.extend(app.store.members().find_all(chunk).await?);
    }
    Ok(members)
}
