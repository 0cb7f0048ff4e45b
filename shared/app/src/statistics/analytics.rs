//! Figures of the whole referral program. Their cost does not depend on the length of the history.

use guerdon_domain::statistics::Counter;
use guerdon_store::{statistics::Projection, table::metered};

use crate::{context::App, error::AppError, statistics::Period};

/// The program's figures for a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Analytics {
    /// Number of members who joined with a code.
    pub referrals: i64,
    /// Number of converted referrals.
    pub converted: i64,
    /// Number of booked commissions.
    pub rewards: i64,
    /// Number of valid codes.
    pub active_codes: i64,
    /// Number of expired codes.
    pub expired_codes: i64,
}

/// Figures of one UTC day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrendDay {
    /// The day, `2026-11-21`.
    pub day: String,
    /// Number of members who joined with a code.
    pub referrals: i64,
    /// Number of those members who have converted by now.
    pub converted: i64,
}

/// Maximum number of days in a trend.
pub const MOST_TREND_DAYS: i32 = 365;

/// Returns the figures for all time, or the sum of the days of the current month or week.
pub async fn referral_analytics(app: &App, period: Period) -> Result<Analytics, AppError> {
    metered("referral_analytics", async {
        let totals = app.store.statistics().counters(&Projection::Totals).await?;
        let now = app.now();
        let days = match period {
            Period::All => vec![totals.clone()],
            Period::Month | Period::Week => {
                // A month has at most 31 days and a week fewer. Days of another month or week are left out.
                let found = app.store.statistics().daily(&now.plus_days(-30).day(), &now.day()).await?;
                let first = (0..31)
                    .map(|ago| now.plus_days(-ago))
                    .take_while(|day| period.key(*day) == period.key(now))
                    .last()
                    .unwrap_or(now);
                found
                    .into_iter()
                    .filter(|(day, _)| *day >= first.day())
                    .map(|(_, counters)| counters)
                    .collect()
            }
        };
        let sum = |counter| days.iter().map(|day| day.get(counter)).fold(0_i64, i64::saturating_add);
        Ok(Analytics {
            referrals: sum(Counter::Referrals),
            converted: sum(Counter::Converted),
            rewards: sum(Counter::Commissions),
            active_codes: totals.get(Counter::Codes).saturating_sub(totals.get(Counter::CodesExpired)),
            expired_codes: totals.get(Counter::CodesExpired),
        })
    })
    .await
}

/// Returns the last `days` UTC days (up to [`MOST_TREND_DAYS`]), including today and days without activity.
pub async fn referral_trends(app: &App, days: i32) -> Result<Vec<TrendDay>, AppError> {
    metered("referral_trends", async {
        let (now, days) = (app.now(), i64::from(days.clamp(1, MOST_TREND_DAYS)));
        let found = app.store.statistics().daily(&now.plus_days(1 - days).day(), &now.day()).await?;
        let all = (0..days).rev().map(|ago| now.plus_days(-ago).day());
        Ok(all
            .map(|day| {
                let counters = found.iter().find(|(known, _)| *known == day).map(|(_, counters)| counters);
                let of = |counter| counters.map(|counters| counters.get(counter)).unwrap_or_default();
                TrendDay { referrals: of(Counter::Referrals), converted: of(Counter::Converted), day }
            })
            .collect())
    })
    .await
}
