//! Lists of referrals and referrers.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use guerdon_api::{
    output::{Amount, Page, Percent, Refusal, id_text},
    paging::Paged,
};
use guerdon_app::{
    referrals::Pending,
    statistics::{LONGEST_PAGE, ListedReferrer, Period},
};
use guerdon_domain::{
    ids::MemberId,
    money::Currency,
    statistics::{Counter, Sum},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    csv,
    input::{ListQuery, ListingQuery, bad_request, encode_cursor},
    state::Api,
};

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
    State(api): State<Arc<Api>>,
    Paged { limit, after, .. }: Paged<ListQuery, Pending>,
) -> Result<Response, Refusal> {
    let (found, next) =
        guerdon_app::referrals::pending_referrals(&api.gate.app, after.unwrap_or_default(), limit).await?;
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
    /// Percentage of all referrals that have paid.
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
    State(api): State<Arc<Api>>,
    Paged { query, limit, after }: Paged<ListingQuery, (MemberId, i64)>,
) -> Result<Response, Refusal> {
    query.only(&["period"])?;
    let period = Period::parse(query.period.as_deref().unwrap_or("all"))
        .ok_or_else(|| bad_request("bad_period", "period must be all, month or week."))?;
    let app = &api.gate.app;
    let (found, next) =
        guerdon_app::statistics::list_referrers(app, period, after.as_ref(), limit.min(LONGEST_PAGE)).await?;
    let items = found.into_iter().map(|found| referrer(found, app.preset.currency)).collect();
    let page = query.page(items, next.as_ref())?;
    csv::answer(query.format.as_deref(), page, ("referrers", &REFERRER_COLUMNS))
}
