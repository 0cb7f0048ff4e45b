//! The dashboard's figures.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use guerdon_api::output::{Amount, Percent, Refusal};
use guerdon_app::statistics::{Dashboard, Figures, Success, Sums};
use guerdon_domain::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::Api;

#[derive(Serialize, ToSchema)]
struct FiguresView {
    /// Clicks of people on shared links.
    link_clicks: i64,
    /// Of these, visitors' first.
    link_visitors: i64,
    new_users: i64,
    referred_users: i64,
    converted_referrals: i64,
    /// Percentage of referred users who have paid.
    conversion_rate: Percent,
    orders: i64,
    paid_orders: i64,
    payments: i64,
    /// Payments minus reversals.
    revenue: Amount,
    refunded: Amount,
    /// Cost of the products sold.
    cost: Amount,
    /// Revenue minus cost.
    profit: Amount,
    commissions: i64,
    commission_amount: Amount,
    profit_after_commissions: Amount,
    /// Withdrawals that were paid out.
    paid_out: Amount,
    /// The sums of each currency, as they were paid and granted. The sums above have payments in other currencies by the
    /// rate of the program that decided them; those without a rate are only here.
    by_currency: Vec<SumsView>,
}

#[derive(Serialize, ToSchema)]
struct SumsView {
    currency: String,
    revenue: Amount,
    refunded: Amount,
    cost: Amount,
    commission_amount: Amount,
}

fn sums(sums: Sums) -> SumsView {
    SumsView {
        currency: sums.revenue.currency().to_string(),
        revenue: Amount(sums.revenue),
        refunded: Amount(sums.refunded),
        cost: Amount(sums.cost),
        commission_amount: Amount(sums.commission_amount),
    }
}

fn figures(figures: Figures) -> FiguresView {
    FiguresView {
        link_clicks: figures.clicks,
        link_visitors: figures.visitors,
        new_users: figures.members,
        referred_users: figures.referrals,
        converted_referrals: figures.converted,
        conversion_rate: Percent { part: figures.converted, whole: figures.referrals },
        orders: figures.orders,
        paid_orders: figures.orders_paid,
        payments: figures.payments,
        revenue: Amount(figures.revenue),
        refunded: Amount(figures.refunded),
        cost: Amount(figures.cost),
        profit: Amount(figures.profit),
        commissions: figures.commissions,
        commission_amount: Amount(figures.commission_amount),
        profit_after_commissions: Amount(figures.profit_after_commissions),
        paid_out: Amount(figures.paid_out),
        by_currency: figures.by_currency.into_iter().map(sums).collect(),
    }
}

#[derive(Serialize, ToSchema)]
struct WaitingView {
    /// `requested`, `approved` or `paying`.
    state: &'static str,
    count: i64,
    amount: Amount,
    /// Time of the oldest request.
    oldest_requested_at: Option<String>,
    /// Age of the oldest request, in seconds.
    oldest_age_seconds: Option<i64>,
}

#[derive(Serialize, ToSchema)]
struct DashboardStats {
    currency: String,
    today: FiguresView,
    overall: FiguresView,
    /// Commissions that are not released yet.
    pending_commissions: Amount,
    active_codes: i64,
    /// Clicks of sources that made more than 60 in a minute. They led on and are not in `link_clicks`.
    link_clicks_not_kept: i64,
    withdrawals: Vec<WaitingView>,
}

fn waiting(dashboard: &Dashboard, now: Timestamp) -> Vec<WaitingView> {
    let view = |waiting: &guerdon_app::statistics::Waiting| WaitingView {
        state: waiting.state.as_str(),
        count: waiting.count,
        amount: Amount(waiting.amount),
        oldest_requested_at: waiting.oldest.map(|at| at.to_string()),
        oldest_age_seconds: waiting.oldest.map(|at| now.seconds().saturating_sub(at.seconds())),
    };
    dashboard.waiting.iter().map(view).collect()
}

/// Today's and all figures of the business.
#[utoipa::path(
    get,
    path = "/admin/dashboard/stats",
    tag = "dashboard",
    responses((status = 200, description = "The figures", body = DashboardStats))
)]
pub(crate) async fn stats(State(api): State<Arc<Api>>) -> Result<Response, Refusal> {
    let app = &api.gate.app;
    let dashboard = guerdon_app::statistics::dashboard(app).await?;
    Ok(Json(DashboardStats {
        currency: app.preset.currency.to_string(),
        pending_commissions: Amount(dashboard.pending_commissions),
        active_codes: dashboard.active_codes,
        link_clicks_not_kept: dashboard.clicks_not_kept,
        withdrawals: waiting(&dashboard, app.now()),
        today: figures(dashboard.today),
        overall: figures(dashboard.overall),
    })
    .into_response())
}

#[derive(Serialize, ToSchema)]
struct Kpis {
    currency: String,
    new_users_today: i64,
    revenue_today: Amount,
    profit_today: Amount,
    /// Percentage of all referrals that have paid.
    conversion_rate: Percent,
    conversion_rate_today: Percent,
    /// Percentage of all orders that were paid.
    order_success_rate: Percent,
    /// Commissions as a percentage of profit.
    commission_share_of_profit: Percent,
    average_payment: Option<Amount>,
    pending_commissions: Amount,
    paid_withdrawals: i64,
    /// Average time from request to payment, in seconds.
    average_withdrawal_seconds: Option<i64>,
    /// Age of the oldest waiting withdrawal, in seconds.
    oldest_withdrawal_seconds: Option<i64>,
}

/// The key figures, as ratios and ages.
#[utoipa::path(
    get,
    path = "/admin/dashboard/kpi",
    tag = "dashboard",
    responses((status = 200, description = "The figures", body = Kpis))
)]
pub(crate) async fn kpi(State(api): State<Arc<Api>>) -> Result<Response, Refusal> {
    let app = &api.gate.app;
    let dashboard = guerdon_app::statistics::dashboard(app).await?;
    let oldest = waiting(&dashboard, app.now()).iter().filter_map(|w| w.oldest_age_seconds).max();
    let (today, all) = (&dashboard.today, &dashboard.overall);
    let average = (all.payments > 0).then(|| all.revenue.checked_share(1, all.payments));
    Ok(Json(Kpis {
        currency: app.preset.currency.to_string(),
        new_users_today: today.members,
        revenue_today: Amount(today.revenue),
        profit_today: Amount(today.profit),
        conversion_rate: Percent { part: all.converted, whole: all.referrals },
        conversion_rate_today: Percent { part: today.converted, whole: today.referrals },
        order_success_rate: Percent { part: all.orders_paid, whole: all.orders },
        commission_share_of_profit: Percent {
            part: all.commission_amount.minor(),
            whole: all.profit.minor(),
        },
        average_payment: average.transpose().map_err(guerdon_app::error::AppError::from)?.map(Amount),
        pending_commissions: Amount(dashboard.pending_commissions),
        paid_withdrawals: dashboard.withdrawals_paid,
        average_withdrawal_seconds: dashboard.withdrawal_seconds,
        oldest_withdrawal_seconds: oldest,
    })
    .into_response())
}

#[derive(Serialize, ToSchema)]
struct SuccessView {
    /// `stripe`, `stars`, `btc`, `ltc`, or the method of an order: `upi`, `bank`, `blik`.
    method: &'static str,
    /// Orders made, or payments and failures that the provider told.
    attempts: i64,
    paid: i64,
    success_rate: Percent,
}

#[derive(Serialize, ToSchema)]
struct MonitoringView {
    today: Vec<SuccessView>,
    overall: Vec<SuccessView>,
}

fn successes(ways: Vec<Success>) -> Vec<SuccessView> {
    let view = |way: Success| SuccessView {
        method: way.way,
        attempts: way.attempts,
        paid: way.paid,
        success_rate: Percent { part: way.paid, whole: way.attempts },
    };
    ways.into_iter().map(view).collect()
}

/// Orders and payments of each payment method. An order that is not paid yet counts as an attempt.
#[utoipa::path(
    get,
    path = "/admin/dashboard/payment-monitoring",
    tag = "dashboard",
    responses((status = 200, description = "The figures", body = MonitoringView))
)]
pub(crate) async fn payments(State(api): State<Arc<Api>>) -> Result<Response, Refusal> {
    let found = guerdon_app::statistics::payment_monitoring(&api.gate.app).await?;
    let view = MonitoringView { today: successes(found.today), overall: successes(found.overall) };
    Ok(Json(view).into_response())
}
