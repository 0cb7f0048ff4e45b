//! Payments that wait for a decision, because a cost is not known or a number of the program was too large.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use guerdon_api::{
    idempotency::{Kept, Write, once},
    input::encode_cursor,
    output::{Page, Refusal},
    paging::Paged,
    refusals::unchanged,
};
use guerdon_app::{
    error::AppError,
    payments::{DecideRefusal, Supplied, Undecided, decide_again, decide_all, explained, undecided_payments},
};
use guerdon_domain::ids::PlanId;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::explain::{self, PaymentView};
use crate::{
    input::{self, ListQuery, bad_request, missing, text},
    state::Api,
};

/// Payments of which a rule could not decide, shard by shard, the oldest of each first. A page may be shorter than `limit`.
#[utoipa::path(
    get,
    path = "/api/admin/undecided",
    tag = "payments",
    params(ListQuery),
    responses((status = 200, description = "A page", body = Page<PaymentView>))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Paged { limit, after, .. }: Paged<ListQuery, Undecided>,
) -> Result<Response, Refusal> {
    let (found, next) = undecided_payments(&api.gate.app, after.unwrap_or_default(), limit.min(50)).await?;
    let items = explain::views(&api, explained(&api.gate.app, found).await?).await?;
    let next_cursor = next.map(|next| encode_cursor(&next)).transpose()?;
    Ok(Json(Page { items, next_cursor }).into_response())
}

/// What was missing about a payment: the product that was bought, or what it costs to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Decide<'a> {
    /// As `stripe:in_123`.
    payment: Option<String>,
    /// A plan's id.
    product: Option<String>,
    /// In the currency of the business.
    #[serde(borrow)]
    #[schema(value_type = String)]
    cost: Option<&'a RawValue>,
    reason: Option<String>,
}

/// Decides a payment again, with the product or the cost that is named, or with the settings and the program in force. What
/// was granted before stays.
#[utoipa::path(
    post,
    path = "/api/admin/undecided",
    tag = "payments",
    request_body = Decide,
    responses((status = 200, description = "Decided", body = PaymentView))
)]
pub(crate) async fn decide(State(api): State<Arc<Api>>, write: Write) -> Result<Response, Refusal> {
    let body: Decide<'_> = input::json(&write.body, "payment, product or cost, and reason")?;
    let payment = input::payment_key(&body.payment.ok_or_else(|| missing("payment"))?)?;
    let reason = input::reason(body.reason)?;
    let supplied = match (body.product, body.cost) {
        (None, None) => Supplied::Nothing,
        (Some(product), None) => Supplied::Product(PlanId::from(product)),
        (None, Some(cost)) => Supplied::Cost(input::amount(text(cost), api.gate.app.preset.currency)?),
        (Some(_), Some(_)) => return Err(bad_request("bad_body", "Send product or cost, not both.")),
    };
    let call = write.call(&api.gate)?;
    let before = call.answered(&api.gate.app).await?.is_some();
    let decided = decide_again(&api.gate.app, &call, &payment, &supplied, &reason).await.map_err(refused)?;
    explain::answer(&api, &decided.payment, before).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DecideAll {
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct DecidedView {
    /// Payments that were decided.
    decided: u32,
    /// Payments of which a rule still cannot decide.
    open: u32,
}

/// The longest time that one call works, in seconds.
const MOST_SECONDS: i64 = 10;

/// Decides all waiting payments again with the settings and the program in force, for ten seconds at most: call it again
/// with another key while `decided` is above zero.
#[utoipa::path(
    post,
    path = "/api/admin/undecided/all",
    tag = "payments",
    request_body = DecideAll,
    responses((status = 200, description = "Done", body = DecidedView))
)]
pub(crate) async fn decide_them_all(State(api): State<Arc<Api>>, write: Write) -> Result<Response, Refusal> {
    once(&api.gate, &write, async {
        let body: DecideAll = input::json(&write.body, "reason")?;
        let reason = input::reason(body.reason)?;
        let until = api.gate.app.now().plus_seconds(MOST_SECONDS);
        let done = decide_all(&api.gate.app, &write.principal.name, &reason, until).await?;
        Kept::new(StatusCode::OK, &DecidedView { decided: done.decided, open: done.open })
    })
    .await
}

fn refused(refusal: DecideRefusal) -> Refusal {
    let (status, code, title) = match &refusal {
        DecideRefusal::App(_) => match refusal {
            DecideRefusal::App(error) => return error.into(),
            _ => return AppError::Conflict.into(),
        },
        DecideRefusal::UnknownPayment => (StatusCode::NOT_FOUND, "unknown_payment", "Unknown payment"),
        DecideRefusal::Decided => (StatusCode::CONFLICT, "decided", "Decided"),
        DecideRefusal::Undone => (StatusCode::CONFLICT, "payment_undone", "Undone"),
        DecideRefusal::StillOpen(reason) => (StatusCode::CONFLICT, reason.code(), "Still open"),
        DecideRefusal::UnknownProduct(_) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "unknown_product", "Unknown product")
        }
        DecideRefusal::BadCost(_) => (StatusCode::BAD_REQUEST, "bad_cost", "Bad request"),
        DecideRefusal::KeyReused => (StatusCode::CONFLICT, "idempotency_key_reused", "Key used before"),
    };
    unchanged(status, code, title, refusal)
}
