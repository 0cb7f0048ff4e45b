//! Lists of members, orders, referrers and withdrawals.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    response::Response,
};
use guerdon_api::{Amount, Page, Refusal, output::Percent};
use guerdon_app::statistics::{LONGEST_PAGE, ListedReferrer, ListedUser, Period, UserFilter};
use guerdon_domain::{
    ids::{MemberId, TelegramId},
    money::{Currency, Money},
    payments::{Order, OrderState},
    statistics::{Counter, Sum},
    withdrawals::WithdrawalState,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    csv,
    input::{bad_request, cursor, encode_cursor, limit},
    people::known,
    routes::Desk,
    withdrawals::{self, WithdrawalView},
};

/// What lists are asked for by.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListingQuery {
    /// 1 to 200, 50 when it is left out; a page has 100 at the most.
    #[param(value_type = Option<i32>)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// `desc`, the newest or best first, or `asc`.
    sort: Option<String>,
    /// Of users: `active` or `blocked`; of orders: `pending` or `paid`; of withdrawals: their state.
    status: Option<String>,
    /// Of users: `customer`, who has paid, or `referrer`, who has brought somebody.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    kind: Option<String>,
    /// Of users: a Telegram id, or how a name begins, in two characters or more.
    search: Option<String>,
    /// Of referrers: `all`, `month` or `week`.
    period: Option<String>,
    /// `json` or `csv`.
    format: Option<String>,
}

impl ListingQuery {
    fn limit(&self) -> Result<i32, Refusal> {
        Ok(limit(self.limit.as_deref())?.min(LONGEST_PAGE))
    }

    fn ascending(&self) -> Result<bool, Refusal> {
        match self.sort.as_deref() {
            None | Some("desc") => Ok(false),
            Some("asc") => Ok(true),
            Some(_) => Err(bad_request("bad_sort", "sort must be asc or desc.")),
        }
    }

    fn page<T>(&self, items: Vec<T>, next: Option<&impl Serialize>) -> Result<Page<T>, Refusal> {
        Ok(Page { items, next_cursor: next.map(encode_cursor).transpose()? })
    }

    /// What is given for another list is refused rather than ignored.
    fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        let given = [
            ("sort", &self.sort),
            ("status", &self.status),
            ("type", &self.kind),
            ("search", &self.search),
            ("period", &self.period),
        ];
        match given.into_iter().find(|(name, value)| value.is_some() && !known.contains(name)) {
            Some((name, _)) => Err(bad_request("bad_query", format!("This list has no {name}."))),
            None => Ok(()),
        }
    }
}

#[derive(Serialize, ToSchema)]
struct UserRow {
    user_id: String,
    username: Option<String>,
    first_name: String,
    last_name: Option<String>,
    joined_at: Option<String>,
    /// `active` or `blocked`.
    status: &'static str,
    referral_code: Option<String>,
    payments: i64,
    total_paid: Amount,
    total_referrals: i64,
    converted_referrals: i64,
    total_earned: Amount,
    currency: String,
}

const USER_COLUMNS: [&str; 13] = [
    "user_id",
    "username",
    "first_name",
    "last_name",
    "joined_at",
    "status",
    "referral_code",
    "payments",
    "total_paid",
    "total_referrals",
    "converted_referrals",
    "total_earned",
    "currency",
];

fn user(user: ListedUser, currency: Currency) -> UserRow {
    let (of, sum) = (|counter| user.referrals.get(counter), |sum| user.payments.money(sum, currency).minor());
    let net = sum(Sum::Paid).saturating_sub(sum(Sum::Refunded));
    UserRow {
        payments: user.payments.get(Counter::Payments),
        total_paid: Amount(Money::new(net, currency)),
        total_referrals: of(Counter::Recruits),
        converted_referrals: of(Counter::Converted),
        total_earned: Amount(user.referrals.money(Sum::Earned, currency)),
        currency: currency.to_string(),
        user_id: user.member.telegram_id.to_string(),
        status: if user.member.is_barred() { "blocked" } else { "active" },
        joined_at: user.member.joined.map(|joined| joined.at.to_string()),
        referral_code: user.member.code.map(|code| code.code.to_string()),
        username: user.member.username,
        first_name: user.member.first_name,
        last_name: user.member.last_name,
    }
}

/// Members: all, or by status, type and name.
#[utoipa::path(
    get,
    path = "/admin/dashboard/users",
    tag = "dashboard",
    params(ListingQuery),
    responses((status = 200, description = "A page", content((Page<UserRow> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn users(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<ListingQuery>,
) -> Result<Response, Refusal> {
    query.only(&["sort", "status", "type", "search"])?;
    let (customers, referrers) = match query.kind.as_deref() {
        None => (false, false),
        Some("customer") => (true, false),
        Some("referrer") => (false, true),
        Some(_) => return Err(bad_request("bad_type", "type must be customer or referrer.")),
    };
    let barred = match query.status.as_deref() {
        None => None,
        Some("active") => Some(false),
        Some("blocked") => Some(true),
        Some(_) => return Err(bad_request("bad_status", "status must be active or blocked.")),
    };
    let (telegram_id, name) = searched(query.search.as_deref())?;
    let ascending = query.ascending()?;
    let filter = UserFilter { telegram_id, name, barred, customers, referrers, ascending };
    let from = cursor(query.cursor.as_deref())?;
    let app = &desk.gate.app;
    let (found, next) = guerdon_app::statistics::list_users(app, &filter, from, query.limit()?).await?;
    let items = found.into_iter().map(|found| user(found, app.preset.currency)).collect();
    csv::answer(query.format.as_deref(), query.page(items, next.as_ref())?, ("users", &USER_COLUMNS))
}

fn searched(text: Option<&str>) -> Result<(Option<TelegramId>, Option<String>), Refusal> {
    let Some(text) = text.map(str::trim) else { return Ok((None, None)) };
    if let Ok(id) = TelegramId::parse(text) {
        return Ok((Some(id), None));
    }
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    if (2..=64).contains(&letters) {
        return Ok((None, Some(text.to_owned())));
    }
    let detail = "search must be a Telegram id, or 2 to 64 letters with which a name begins.";
    Err(bad_request("bad_search", detail))
}

#[derive(Serialize, ToSchema)]
struct OrderRow {
    order_id: String,
    user_id: Option<String>,
    product: String,
    amount: Amount,
    currency: String,
    payment_method: &'static str,
    /// `pending` or `paid`.
    status: &'static str,
    /// Under which its commissions are explained.
    payment: Option<String>,
    created_at: String,
    paid_at: Option<String>,
    created_by: String,
}

const ORDER_COLUMNS: [&str; 11] = [
    "order_id",
    "user_id",
    "product",
    "amount",
    "currency",
    "payment_method",
    "status",
    "payment",
    "created_at",
    "paid_at",
    "created_by",
];

fn order(order: Order, user_id: Option<TelegramId>) -> OrderRow {
    OrderRow {
        order_id: order.id.to_string(),
        user_id: user_id.map(|id| id.to_string()),
        product: order.product,
        currency: order.price.currency().to_string(),
        amount: Amount(order.price),
        payment_method: order.method.as_str(),
        status: order.state.as_str(),
        payment: order.payment.map(|payment| payment.to_string()),
        created_at: order.created_at.to_string(),
        paid_at: order.paid.map(|stamp| stamp.at.to_string()),
        created_by: order.created_by,
    }
}

/// Orders of services: all, or by status.
#[utoipa::path(
    get,
    path = "/admin/dashboard/orders",
    tag = "dashboard",
    params(ListingQuery),
    responses((status = 200, description = "A page", content((Page<OrderRow> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn orders(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<ListingQuery>,
) -> Result<Response, Refusal> {
    query.only(&["sort", "status"])?;
    let state = query.status.as_deref().map(|text| {
        OrderState::parse(text).ok_or_else(|| bad_request("bad_status", "status must be pending or paid."))
    });
    let after: Option<String> = cursor(query.cursor.as_deref())?;
    let place = (after.as_deref(), query.ascending()?);
    let found =
        guerdon_app::statistics::list_orders(&desk.gate.app, state.transpose()?, place, query.limit()?)
            .await?;
    let known = known(&desk, found.0.iter().map(|order| order.member.clone())).await?;
    let items = found.0.into_iter().map(|found| {
        let user_id = known.get(&found.member).copied();
        order(found, user_id)
    });
    let page = query.page(items.collect(), found.1.as_ref())?;
    csv::answer(query.format.as_deref(), page, ("orders", &ORDER_COLUMNS))
}

#[derive(Serialize, ToSchema)]
struct ReferrerRow {
    /// Null when the member is gone.
    user_id: Option<String>,
    username: Option<String>,
    first_name: Option<String>,
    /// Conversions of the period, by which the list is sorted.
    conversions: i64,
    total_referrals: i64,
    converted_referrals: i64,
    /// Of a hundred referrals of all time.
    conversion_rate: Percent,
    total_earned: Amount,
    pending_earnings: Amount,
    currency: String,
}

const REFERRER_COLUMNS: [&str; 10] = [
    "user_id",
    "username",
    "first_name",
    "conversions",
    "total_referrals",
    "converted_referrals",
    "conversion_rate",
    "total_earned",
    "pending_earnings",
    "currency",
];

fn referrer(found: ListedReferrer, currency: Currency) -> ReferrerRow {
    let of = |counter| found.counters.get(counter);
    let money = |sum| Amount(found.counters.money(sum, currency));
    ReferrerRow {
        conversions: found.score,
        total_referrals: of(Counter::Recruits),
        converted_referrals: of(Counter::Converted),
        conversion_rate: Percent { part: of(Counter::Converted), whole: of(Counter::Recruits) },
        total_earned: money(Sum::Earned),
        pending_earnings: money(Sum::Held),
        currency: currency.to_string(),
        user_id: found.member.as_ref().map(|member| member.telegram_id.to_string()),
        username: found.member.as_ref().and_then(|member| member.username.clone()),
        first_name: found.member.map(|member| member.first_name),
    }
}

/// Referrers with a conversion in a period, the best first.
#[utoipa::path(
    get,
    path = "/admin/dashboard/referrers",
    tag = "dashboard",
    params(ListingQuery),
    responses((status = 200, description = "A page", content((Page<ReferrerRow> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn referrers(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<ListingQuery>,
) -> Result<Response, Refusal> {
    query.only(&["period"])?;
    let period = Period::parse(query.period.as_deref().unwrap_or("all"))
        .ok_or_else(|| bad_request("bad_period", "period must be all, month or week."))?;
    let after: Option<(MemberId, i64)> = cursor(query.cursor.as_deref())?;
    let app = &desk.gate.app;
    let (found, next) =
        guerdon_app::statistics::list_referrers(app, period, after.as_ref(), query.limit()?).await?;
    let items = found.into_iter().map(|found| referrer(found, app.preset.currency)).collect();
    let page = query.page(items, next.as_ref())?;
    csv::answer(query.format.as_deref(), page, ("referrers", &REFERRER_COLUMNS))
}

const WITHDRAWAL_COLUMNS: [&str; 11] = [
    "id",
    "user_id",
    "wallet",
    "amount",
    "currency",
    "method",
    "destination",
    "state",
    "requested_at",
    "proof",
    "reason",
];

/// Withdrawals: all, or by status. Their destinations are masked.
#[utoipa::path(
    get,
    path = "/withdrawals/admin/all",
    tag = "withdrawals",
    params(ListingQuery),
    responses((status = 200, description = "A page", content((Page<WithdrawalView> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn withdrawals(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<ListingQuery>,
) -> Result<Response, Refusal> {
    query.only(&["sort", "status"])?;
    let state = query.status.as_deref().map(|text| {
        // The documented system calls what waits `pending`.
        let text = if text == "pending" { "requested" } else { text };
        let known = WithdrawalState::ALL.map(WithdrawalState::as_str).join(", ");
        WithdrawalState::parse(text)
            .ok_or_else(|| bad_request("bad_status", format!("status must be one of {known}.")))
    });
    let after: Option<String> = cursor(query.cursor.as_deref())?;
    let place = (after.as_deref(), query.ascending()?);
    let found =
        guerdon_app::statistics::list_withdrawals(&desk.gate.app, state.transpose()?, place, query.limit()?)
            .await?;
    let known = known(&desk, found.0.iter().map(|withdrawal| withdrawal.member.clone())).await?;
    let items = found.0.into_iter().map(|found| {
        let user_id = known.get(&found.member).copied();
        withdrawals::view(found, user_id)
    });
    let page = query.page(items.collect(), found.1.as_ref())?;
    csv::answer(query.format.as_deref(), page, ("withdrawals", &WITHDRAWAL_COLUMNS))
}
