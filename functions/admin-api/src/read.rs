//! What operators read.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{Amount, Page, Refusal, output::id_text};
use guerdon_app::{
    commissions::{DeskCommission, Export},
    statistics::{DayTrend, Period, TopReferrer},
    stored::commission_cursor,
};
use guerdon_domain::money::Money;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    csv,
    input::{bad_request, cursor, encode_cursor, limit, next_cursor, user_id},
    routes::Desk,
};

/// Query parameters that lists share.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    pub(crate) limit: Option<String>,
    pub(crate) cursor: Option<String>,
    period: Option<String>,
    user_id: Option<String>,
    format: Option<String>,
}

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
    /// Commissions without what was taken back, and what operators gave.
    total_credits_issued: Amount,
    total_referrals: i64,
    converted_referrals: i64,
    /// What is on hold, and what referrals that have not paid yet would bring.
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
    /// Commissions of the day's payments without what was taken back; not what operators gave.
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
pub(crate) async fn stats(State(desk): State<Arc<Desk>>) -> Result<Response, Refusal> {
    let stats = guerdon_app::statistics::desk_stats(&desk.gate.app).await?;
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
    State(desk): State<Arc<Desk>>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    let period = match query.period.as_deref() {
        None => Period::All,
        Some(text) => Period::parse(text)
            .ok_or_else(|| bad_request("bad_period", "period must be all, month or week."))?,
    };
    let limit = limit(query.limit.as_deref())?.min(100);
    let rows = guerdon_app::statistics::top_referrers(&desk.gate.app, period, limit).await?;
    Ok(Json(TopReferrers { top_referrers: top(rows) }).into_response())
}

#[derive(Serialize, ToSchema)]
struct UserView {
    user_id: String,
    username: Option<String>,
    first_name: String,
    joined_at: Option<String>,
    referral_code: Option<String>,
    referred_by: Option<String>,
    referral_state: Option<&'static str>,
    stripe_customer: Option<String>,
    recruits: i64,
    pending: i64,
    converted: i64,
    expired: i64,
    total_earned: Amount,
    credit_balance: Amount,
    posted_to_stripe: Amount,
    held: Amount,
    owed: Amount,
    applied: Amount,
    currency: String,
    barred: bool,
}

async fn user_view(desk: &Desk, text: &str) -> Result<Option<UserView>, Refusal> {
    let Some(found) = guerdon_app::members::desk_member(&desk.gate.app, user_id(text)?).await? else {
        return Ok(None);
    };
    let state = found.referral.as_ref().map(|referral| referral.state.as_str());
    let member = found.member;
    Ok(Some(UserView {
        barred: member.is_barred(),
        user_id: member.telegram_id.to_string(),
        username: member.username,
        first_name: member.first_name,
        joined_at: member.joined.map(|joined| joined.at.to_string()),
        referral_code: member.code.map(|code| code.code.to_string()),
        referred_by: id_text(found.referred_by),
        referral_state: state,
        stripe_customer: member.customer.map(|customer| customer.to_string()),
        recruits: found.stats.recruits,
        pending: found.stats.pending,
        converted: found.stats.converted,
        expired: found.stats.expired,
        currency: found.credit_balance.currency().to_string(),
        total_earned: Amount(found.stats.earned),
        credit_balance: Amount(found.credit_balance),
        posted_to_stripe: Amount(found.posted),
        held: Amount(found.stats.held),
        owed: Amount(found.owed),
        applied: Amount(found.applied),
    }))
}

/// A member, with everything due released.
#[utoipa::path(
    get,
    path = "/api/admin/credits/user/{user_id}",
    tag = "credits",
    params(("user_id" = String, Path)),
    responses((status = 200, description = "Done", body = UserView))
)]
pub(crate) async fn user(
    State(desk): State<Arc<Desk>>,
    Path(user_id): Path<String>,
) -> Result<Response, Refusal> {
    match user_view(&desk, &user_id).await? {
        Some(view) => Ok(Json(view).into_response()),
        None => Err(guerdon_app::once::DeskError::UnknownMember.into()),
    }
}

/// A commission in lists and exports. The field names are the export's columns too.
#[derive(Serialize, ToSchema)]
struct Row {
    commission_id: String,
    user_id: Option<String>,
    referred_user_id: Option<String>,
    amount: String,
    /// Of that, what refunds and disputes have taken back.
    clawed: String,
    currency: String,
    state: &'static str,
    payment: String,
    rule: String,
    program_version: u32,
    paid_at: String,
    booked_at: String,
    due_at: String,
}

fn row(item: DeskCommission) -> Row {
    let commission = item.commission;
    Row {
        commission_id: commission.id.to_string(),
        user_id: id_text(item.user_id),
        referred_user_id: id_text(item.referred_user_id),
        amount: commission.amount.to_major().to_string(),
        clawed: Money::new(commission.clawed, commission.amount.currency()).to_major().to_string(),
        currency: commission.amount.currency().to_string(),
        state: commission.state.as_str(),
        payment: commission.payment.to_string(),
        rule: commission.snapshot.rule.id,
        program_version: commission.snapshot.version,
        paid_at: commission.paid_at.to_string(),
        booked_at: commission.booked_at.to_string(),
        due_at: commission.due_at.to_string(),
    }
}

/// A member's commissions, newest first.
#[utoipa::path(
    get,
    path = "/api/admin/credits/search",
    tag = "credits",
    params(ListQuery),
    responses((status = 200, description = "Done", body = Page<Row>))
)]
pub(crate) async fn search(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    let text = query.user_id.as_deref();
    let id = user_id(text.ok_or_else(|| bad_request("bad_user_id", "user_id is missing."))?)?;
    let limit = limit(query.limit.as_deref())?;
    let before: Option<String> = cursor(query.cursor.as_deref())?;
    if before.as_ref().is_some_and(|sk| !sk.starts_with("COMMISSION#")) {
        return Err(bad_request("bad_cursor", "cursor must be a next_cursor of this list."));
    }
    let member = desk.gate.app.member_id(id);
    let found =
        guerdon_app::commissions::commissions_of(&desk.gate.app, &member, before.as_deref(), limit).await?;
    let next_cursor = next_cursor(&found, limit, |c| commission_cursor(&c.commission))?;
    Ok(Json(Page { items: found.into_iter().map(row).collect(), next_cursor }).into_response())
}

#[derive(Serialize, ToSchema)]
struct PendingRow {
    user_id: Option<String>,
    referrer_user_id: Option<String>,
    would_earn: Amount,
    joined_at: String,
    expires_at: String,
}

/// Referrals that have not paid, the soonest to expire first.
#[utoipa::path(
    get,
    path = "/api/admin/credits/pending",
    tag = "credits",
    params(ListQuery),
    responses((status = 200, description = "Done", body = Page<PendingRow>))
)]
pub(crate) async fn pending(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    let from = cursor(query.cursor.as_deref())?.unwrap_or_default();
    let limit = limit(query.limit.as_deref())?;
    let (found, next) = guerdon_app::referrals::pending_referrals(&desk.gate.app, from, limit).await?;
    let items = found.into_iter().map(|item| PendingRow {
        user_id: id_text(item.user_id),
        referrer_user_id: id_text(item.referrer_user_id),
        would_earn: Amount(item.would_earn),
        joined_at: item.referral.joined_at.to_string(),
        expires_at: item.referral.expires_at.to_string(),
    });
    let next_cursor = next.map(|position| encode_cursor(&position)).transpose()?;
    Ok(Json(Page { items: items.collect(), next_cursor }).into_response())
}

/// Referrers that one export call looks at: bounds the call, whatever their number.
const EXPORT_STEPS: u32 = 50;

/// All commissions, referrer by referrer, as JSON or CSV; a CSV page names the next one in `X-Next-Cursor`.
#[utoipa::path(
    get,
    path = "/api/admin/credits/export",
    tag = "credits",
    params(ListQuery),
    responses((status = 200, description = "Done", content((Page<Row> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn export(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    let limit = limit(query.limit.as_deref())?;
    let mut position: Option<Export> = Some(cursor(query.cursor.as_deref())?.unwrap_or_default());
    let mut rows = Vec::new();
    for _ in 0..EXPORT_STEPS {
        let room = limit - i32::try_from(rows.len()).unwrap_or(limit);
        let Some(from) = position.take_if(|_| room > 0) else { break };
        let (found, next) = guerdon_app::commissions::export_credits(&desk.gate.app, from, room).await?;
        rows.extend(found.into_iter().map(row));
        position = next;
    }
    let next_cursor = position.map(|position| encode_cursor(&position)).transpose()?;
    csv::answer(query.format.as_deref(), Page { items: rows, next_cursor }, ("credits", &COLUMNS))
}

/// The export's header, also of a page without rows.
const COLUMNS: [&str; 13] = [
    "commission_id",
    "user_id",
    "referred_user_id",
    "amount",
    "clawed",
    "currency",
    "state",
    "payment",
    "rule",
    "program_version",
    "paid_at",
    "booked_at",
    "due_at",
];
