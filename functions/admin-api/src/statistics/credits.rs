//! Totals of credit, the best referrers and the last 30 days.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use guerdon_api::output::{Amount, Refusal, id_text};
use guerdon_app::statistics::{DayTrend, Period, TopReferrer};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    input::{ListQuery, bad_request, limit},
    state::Api,
};

#[derive(Serialize, ToSchema)]
struct Top {
    user_id: Option<String>,
    referrals: i64,
    total_earned: Amount,
}

fn top(rows: Vec<TopReferrer>) -> Vec<Top> {
    rows.into_iter()
        .map(|row| Top {
            user_id: id_text(row.user_id),
            referrals: row.referrals,
            total_earned: Amount(row.total_earned),
        })
        .collect()
}

#[derive(Serialize, ToSchema)]
struct TopReferrers {
    top_referrers: Vec<Top>,
}

#[derive(Serialize, ToSchema)]
struct Stats {
    /// Commissions minus clawbacks, plus the net amount of operators' adjustments.
    total_credits_issued: Amount,
    total_referrals: i64,
    converted_referrals: i64,
    /// Commissions on hold, plus the rewards that referrals which have not paid yet would earn.
    pending_credits: Amount,
    applied_credits: Amount,
    currency: String,
    top_referrers: Vec<Top>,
    daily_trend: Vec<Day>,
}

#[derive(Serialize, ToSchema)]
struct Day {
    date: String,
    joined: i64,
    referrals: i64,
    converted: i64,
    payments: i64,
    /// Commissions of the day's payments minus clawbacks, without operators' adjustments.
    credits_issued: Amount,
}

fn day(day: DayTrend) -> Day {
    Day {
        date: day.day,
        joined: day.joined,
        referrals: day.referrals,
        converted: day.converted,
        payments: day.payments,
        credits_issued: Amount(day.issued),
    }
}

/// Totals, the best referrers and the last 30 days.
#[utoipa::path(
    get,
    path = "/api/admin/credits/stats",
    tag = "credits",
    responses((status = 200, description = "Done", body = Stats))
)]
pub(crate) async fn stats(State(api): State<Arc<Api>>) -> Result<Response, Refusal> {
    let stats = guerdon_app::statistics::admin_stats(&api.gate.app).await?;
    Ok(Json(Stats {
        currency: stats.total_credits_issued.currency().to_string(),
        total_credits_issued: Amount(stats.total_credits_issued),
        total_referrals: stats.total_referrals,
        converted_referrals: stats.converted_referrals,
        pending_credits: Amount(stats.pending_credits),
        applied_credits: Amount(stats.applied_credits),
        top_referrers: top(stats.top_referrers),
        daily_trend: stats.daily.into_iter().map(day).collect(),
    })
    .into_response())
}

/// The best referrers of a period.
#[utoipa::path(
    get,
    path = "/api/admin/credits/top-referrers",
    tag = "credits",
    params(ListQuery),
    responses((status = 200, description = "Done", body = TopReferrers))
)]
pub(crate) async fn top_referrers(
    State(api): State<Arc<Api>>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    let period = match query.period.as_deref() {
        None => Period::All,
        Some(text) => Period::parse(text)
            .ok_or_else(|| bad_request("bad_period", "period must be all, month or week."))?,
    };
    let limit = limit(query.limit.as_deref())?.min(100);
    let rows = guerdon_app::statistics::top_referrers(&api.gate.app, period, limit).await?;
    Ok(Json(TopReferrers { top_referrers: top(rows) }).into_response())
}
