//! The list of members.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use guerdon_api::{
    output::{Amount, Page, Refusal},
    paging::Paged,
};
use guerdon_app::statistics::{LONGEST_PAGE, ListedUser, UserFilter, UserPlace};
use guerdon_domain::{
    ids::TelegramId,
    money::{Currency, Money},
    statistics::{Counter, Sum},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    csv,
    input::{ListingQuery, bad_request},
    state::Api,
};

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
    let paid = sum(Sum::Paid).saturating_add(sum(Sum::ForeignPaid));
    let net = paid.saturating_sub(sum(Sum::Refunded)).saturating_sub(sum(Sum::ForeignRefunded));
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
    State(api): State<Arc<Api>>,
    Paged { query, limit, after }: Paged<ListingQuery, UserPlace>,
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
    let app = &api.gate.app;
    let (found, next) =
        guerdon_app::statistics::list_users(app, &filter, after, limit.min(LONGEST_PAGE)).await?;
    let items = found.into_iter().map(|found| user(found, app.preset.currency)).collect();
    csv::answer(query.format.as_deref(), query.page(items, next.as_ref())?, ("users", &USER_COLUMNS))
}

fn searched(text: Option<&str>) -> Result<(Option<TelegramId>, Option<String>), Refusal> {
    let Some(text) = text.map(str::trim) else { return Ok((None, None)) };
    if let Ok(id) = TelegramId::parse(text) {
        return Ok((Some(id), None));
    }
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    if (1..=64).contains(&letters) {
        return Ok((None, Some(text.to_owned())));
    }
    let detail =
        "search must be a Telegram id, or 2 to 64 letters with which a name begins, or a name of one letter.";
    Err(bad_request("bad_search", detail))
}
