//! Orders of services.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use guerdon_api::{
    output::{Amount, Page, Refusal},
    paging::Paged,
};
use guerdon_app::statistics::LONGEST_PAGE;
use guerdon_domain::{
    ids::TelegramId,
    payments::{Order, OrderState},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    csv,
    input::{ListingQuery, bad_request},
    members::known::known,
    state::Api,
};

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
        currency: order.price.currency().to_string(),
        amount: Amount(order.price),
        payment_method: order.method.as_str(),
        status: order.state().as_str(),
        payment: order.payment().map(ToString::to_string),
        created_at: order.created_at.to_string(),
        paid_at: order.paid().map(|stamp| stamp.at.to_string()),
        product: order.product.into(),
        created_by: order.created_by.into(),
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
    State(api): State<Arc<Api>>,
    Paged { query, limit, after }: Paged<ListingQuery, String>,
) -> Result<Response, Refusal> {
    query.only(&["sort", "status"])?;
    let state = query.status.as_deref().map(|text| {
        OrderState::parse(text).ok_or_else(|| bad_request("bad_status", "status must be pending or paid."))
    });
    let place = (after.as_deref(), query.ascending()?);
    let found = guerdon_app::statistics::list_orders(
        &api.gate.app,
        state.transpose()?,
        place,
        limit.min(LONGEST_PAGE),
    )
    .await?;
    let known = known(&api, found.0.iter().map(|order| order.member.clone())).await?;
    let items = found.0.into_iter().map(|found| {
        let user_id = known.get(&found.member).copied();
        order(found, user_id)
    });
    let page = query.page(items.collect(), found.1.as_ref())?;
    csv::answer(query.format.as_deref(), page, ("orders", &ORDER_COLUMNS))
}
