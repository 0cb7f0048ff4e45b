//! Figures of the referral program: a member's own, the leaderboard, and everybody's together.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    credentials::Principal,
    gate::Gate,
    input::{bad_request, number},
    output::{Amount, Percent, Refusal},
};
use guerdon_app::{
    gamification::profile_view,
    statistics::{MOST_TREND_DAYS, Period, public_board, referral_analytics, referral_trends},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::input::{UserRef, caller, load, whose};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OwnStats {
    total_referrals: i64,
    converted_referrals: i64,
    pending_referrals: i64,
    /// Rewards that were booked for the caller, claimed or not.
    total_rewards_earned: i64,
}

/// Figures of the caller's referrals.
#[utoipa::path(
    get,
    path = "/api/referral/stats",
    tag = "referral codes",
    responses((status = 200, description = "The figures", body = OwnStats))
)]
pub(crate) async fn stats(
    State(gate): State<Arc<Gate>>,
    Extension(principal): Extension<Principal>,
) -> Result<Response, Refusal> {
    let stats = profile_view(&gate.app, &caller(&principal)?.id).await?.stats;
    Ok(Json(OwnStats {
        total_referrals: stats.recruits,
        converted_referrals: stats.converted,
        pending_referrals: stats.pending,
        total_rewards_earned: stats.rewards,
    })
    .into_response())
}

#[derive(Serialize, ToSchema)]
struct ReferralStats {
    user_id: String,
    total_referrals: i64,
    pending_referrals: i64,
    converted_referrals: i64,
    expired_referrals: i64,
    /// Percentage of referrals that have paid.
    conversion_rate: Percent,
    currency: String,
    /// All commissions so far.
    total_earned: Amount,
    /// Of these, what is on hold.
    pending_earnings: Amount,
}

/// Figures of a member's referrals.
#[utoipa::path(
    get,
    path = "/users/{user_id}/referral-stats",
    tag = "users",
    params(("user_id" = String, Path, description = "A Telegram id, or a UUID that the API shows")),
    responses((status = 200, description = "The figures", body = ReferralStats))
)]
pub(crate) async fn stats_of(
    State(gate): State<Arc<Gate>>,
    Extension(principal): Extension<Principal>,
    Path(user_id): Path<String>,
) -> Result<Response, Refusal> {
    let member = whose(&gate, &principal, &UserRef::parse(&user_id)?)?;
    let member = load(&gate, &member).await?;
    let stats = profile_view(&gate.app, &member.id).await?.stats;
    Ok(Json(ReferralStats {
        user_id: member.telegram_id.to_string(),
        total_referrals: stats.recruits,
        pending_referrals: stats.pending,
        converted_referrals: stats.converted,
        expired_referrals: stats.expired,
        conversion_rate: Percent { part: stats.converted, whole: stats.recruits },
        currency: stats.earned.currency().to_string(),
        total_earned: Amount(stats.earned),
        pending_earnings: Amount(stats.held),
    })
    .into_response())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BoardQuery {
    /// `all`, `month` or `week`: the running one. `all` when it is left out.
    period: Option<String>,
    /// 1 to 100, 10 when it is left out.
    #[param(value_type = Option<i32>)]
    limit: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BoardRow {
    user_id: String,
    /// Masked: strangers see it.
    name: String,
    /// Referrals of all time.
    total_referrals: i64,
    /// Of the period.
    converted_referrals: i64,
    /// Equal numbers share a rank.
    rank: i64,
}

/// The best referrers of a period. No e-mail, no full name.
#[utoipa::path(
    get,
    path = "/api/referral/leaderboard",
    tag = "referral codes",
    params(BoardQuery),
    responses((status = 200, description = "The best first", body = Vec<BoardRow>))
)]
pub(crate) async fn board(
    State(gate): State<Arc<Gate>>,
    Query(query): Query<BoardQuery>,
) -> Result<Response, Refusal> {
    let limit = number(("limit", "bad_limit"), query.limit.as_deref(), (10, 100))?;
    let rows = public_board(&gate.app, period(query.period.as_deref())?, limit).await?;
    let rows = rows.into_iter().map(|(row, recruits)| BoardRow {
        user_id: row.member.to_uuid(),
        name: row.masked_name,
        total_referrals: recruits,
        converted_referrals: row.score,
        rank: row.place,
    });
    Ok(Json(rows.collect::<Vec<_>>()).into_response())
}

fn period(text: Option<&str>) -> Result<Period, Refusal> {
    Period::parse(text.unwrap_or("all"))
        .ok_or_else(|| bad_request("bad_period", "period must be all, month or week."))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PeriodQuery {
    /// `all`, `month` or `week`: the running one. `all` when it is left out.
    period: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AnalyticsView {
    total_referrals: i64,
    converted_referrals: i64,
    /// Percentage of referrals that have paid.
    conversion_rate: Percent,
    total_rewards_awarded: i64,
    /// Codes that can be used now, whatever the period.
    active_codes: i64,
    /// Codes whose time is over, whatever the period.
    expired_codes: i64,
}

/// The program's figures of a period.
#[utoipa::path(
    get,
    path = "/api/referral/analytics",
    tag = "referral codes",
    params(PeriodQuery),
    responses((status = 200, description = "The figures", body = AnalyticsView))
)]
pub(crate) async fn analytics(
    State(gate): State<Arc<Gate>>,
    Query(query): Query<PeriodQuery>,
) -> Result<Response, Refusal> {
    let figures = referral_analytics(&gate.app, period(query.period.as_deref())?).await?;
    Ok(Json(AnalyticsView {
        total_referrals: figures.referrals,
        converted_referrals: figures.converted,
        conversion_rate: Percent { part: figures.converted, whole: figures.referrals },
        total_rewards_awarded: figures.rewards,
        active_codes: figures.active_codes,
        expired_codes: figures.expired_codes,
    })
    .into_response())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TrendsQuery {
    /// 1 to 365, 30 when it is left out.
    #[param(value_type = Option<i32>)]
    days: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct TrendDay {
    date: String,
    signups: i64,
    conversions: i64,
}

/// Sign-ups by code and conversions of each UTC day, up to today, also of days without any.
#[utoipa::path(
    get,
    path = "/api/referral/trends",
    tag = "referral codes",
    params(TrendsQuery),
    responses((status = 200, description = "A day each, the oldest first", body = Vec<TrendDay>))
)]
pub(crate) async fn trends(
    State(gate): State<Arc<Gate>>,
    Query(query): Query<TrendsQuery>,
) -> Result<Response, Refusal> {
    let days = number(("days", "bad_days"), query.days.as_deref(), (30, MOST_TREND_DAYS))?;
    let days = referral_trends(&gate.app, days).await?;
    let days = days.into_iter().map(|day| TrendDay {
        date: day.day,
        signups: day.referrals,
        conversions: day.converted,
    });
    Ok(Json(days.collect::<Vec<_>>()).into_response())
}
