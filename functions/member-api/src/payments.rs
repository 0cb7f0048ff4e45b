//! Orders: made by a service, and paid when it vouches for that.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    credentials::Principal,
    gate::Gate,
    idempotency::{Kept, Write, once},
    input::{self, bad_request},
    output::{Amount, Refusal},
    refusals::unchanged,
};
use guerdon_app::{
    error::AppError,
    members::find_member,
    payments::{OrderRefusal, OrderRequest, PaidOrder, create_order, find_order, pay_order, payout_of},
};
use guerdon_domain::{
    fraud::Fingerprint,
    ids::{ExternalPaymentId, OrderId, PlanId},
    payments::{Order, PaymentMethod, PaymentRecord, Refusal as NotEarned},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::input::UserRef;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrder<'a> {
    user_id: UserRef,
    /// `upi`, `bank` or `blik`.
    payment_method: String,
    /// The UPI id that pays; kept as a hash, for the fraud rules.
    upi_id: Option<String>,
    /// The transfer's id in the payment system: its natural key.
    transaction_id: Option<String>,
    /// The plan; the cheapest when it is left out.
    product: Option<String>,
    /// The amount to pay, in major units; the plan's price when it is left out.
    #[serde(borrow)]
    #[schema(value_type = Option<f64>)]
    amount: Option<&'a RawValue>,
}

#[derive(Serialize, ToSchema)]
struct OrderView {
    order_id: String,
    /// The Telegram id; null when the member is gone.
    user_id: Option<String>,
    product: String,
    amount: Amount,
    currency: String,
    payment_method: &'static str,
    transaction_id: Option<String>,
    /// `pending` or `paid`.
    status: &'static str,
    /// The payment's key, once it is paid.
    payment: Option<String>,
    created_at: String,
    paid_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct PaidView {
    #[serde(flatten)]
    order: OrderView,
    /// The commissions that the payment earned.
    commissions: Vec<OrderCommission>,
    /// The reason why it earned nothing, as a stable code.
    no_commission_because: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
struct OrderCommission {
    /// 1 for the referrer, 2 for the upline, 0 for the payer.
    level: u8,
    rule: String,
    amount: Amount,
    currency: String,
}

async fn view(gate: &Gate, order: Order) -> Result<OrderView, AppError> {
    let member = find_member(&gate.app, &order.member).await?;
    let told = order.payment().map(|payment| payment.id.to_string());
    Ok(OrderView {
        order_id: order.id.to_string(),
        user_id: member.map(|member| member.telegram_id.to_string()),
        currency: order.price.currency().to_string(),
        amount: Amount(order.price),
        payment_method: order.method.as_str(),
        status: order.state().as_str(),
        payment: order.payment().map(ToString::to_string),
        created_at: order.created_at.to_string(),
        paid_at: order.paid().map(|stamp| stamp.at.to_string()),
        product: order.product.into(),
        transaction_id: order.transaction.or(told),
    })
}

fn commissions(payment: &PaymentRecord) -> Vec<OrderCommission> {
    let grants = payment.grants().map(|(candidate, _, reward)| OrderCommission {
        level: candidate.level,
        rule: candidate.rule.to_string(),
        amount: Amount(reward),
        currency: reward.currency().to_string(),
    });
    grants.collect()
}

/// Makes an order. The same transaction is the same order.
#[utoipa::path(
    post,
    path = "/orders/create",
    tag = "orders",
    request_body = NewOrder,
    responses((status = 200, description = "The order", body = OrderView))
)]
pub(crate) async fn create(State(gate): State<Arc<Gate>>, write: Write) -> Result<Response, Refusal> {
    once(&gate, &write, async {
        let new: NewOrder<'_> =
            input::json(&write.body, "user_id, payment_method, upi_id and transaction_id")?;
        let key = write.key()?;
        let request = request(&gate, &write.principal, new, key)?;
        let order = create_order(&gate.app, &request).await.map_err(refused)?;
        Kept::new(StatusCode::OK, &view(&gate, order).await?)
    })
    .await
}

fn request(
    gate: &Gate,
    principal: &Principal,
    new: NewOrder<'_>,
    key: Option<String>,
) -> Result<OrderRequest, Refusal> {
    let method = PaymentMethod::parse(&new.payment_method)
        .ok_or_else(|| bad_request("bad_method", "payment_method must be one of upi, bank and blik."))?;
    let payer = new.upi_id.as_deref().filter(|id| !id.trim().is_empty());
    let payout = payer.and_then(|id| payout_of(&gate.app, method, id));
    let payer = payer.map_or(Ok(None), |id| Fingerprint::usable_payment(&gate.app.pseudonyms, id));
    let currency = gate.app.preset.currency;
    Ok(OrderRequest {
        member: new.user_id.member(gate),
        product: new.product.map(PlanId::from),
        price: new.amount.map(|raw| input::amount(input::text(raw), currency)).transpose()?,
        method,
        transaction: new.transaction_id.as_deref().map(transaction).transpose()?,
        payer: payer.map_err(|error| bad_request("bad_fingerprint", format!("upi_id: {error}.")))?,
        payout,
        key,
        service: principal.name.clone(),
    })
}

fn transaction(text: &str) -> Result<ExternalPaymentId, Refusal> {
    let bad = || {
        let detail =
            "transaction_id must be 1 to 200 visible characters without #, with a letter or a digit.";
        bad_request("bad_transaction_id", detail)
    };
    // Statements print references in groups.
    let text: String = text.split_whitespace().collect();
    let transaction = ExternalPaymentId::parse(text).map_err(|_| bad())?;
    transaction.canonical().map_err(|_| bad())?;
    Ok(transaction)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Success {
    /// The transfer's id in the payment system; may be left out when the order has it.
    transaction_id: Option<String>,
}

/// Records that an order was paid, and what that earns whom. Sent again, it answers with what is on record.
#[utoipa::path(
    post,
    path = "/orders/{order_id}/payment-success",
    tag = "orders",
    params(("order_id" = String, Path)),
    request_body = Success,
    responses((status = 200, description = "The order, paid", body = PaidView))
)]
pub(crate) async fn paid(
    State(gate): State<Arc<Gate>>,
    Path(order_id): Path<String>,
    write: Write,
) -> Result<Response, Refusal> {
    once(&gate, &write, async {
        let told: Success = input::json(&write.body, "transaction_id")?;
        let transaction = told.transaction_id.as_deref().map(transaction).transpose()?;
        let id = id_of(&order_id)?;
        let done =
            pay_order(&gate.app, &id, transaction.as_ref(), &write.principal.name).await.map_err(refused)?;
        let PaidOrder { order, payment, .. } = done;
        let view = PaidView {
            order: view(&gate, order).await?,
            commissions: commissions(&payment),
            no_commission_because: payment.refusal().map(NotEarned::code),
        };
        Kept::new(StatusCode::OK, &view)
    })
    .await
}

/// An order.
#[utoipa::path(
    get,
    path = "/orders/{order_id}",
    tag = "orders",
    params(("order_id" = String, Path)),
    responses((status = 200, description = "The order", body = OrderView))
)]
pub(crate) async fn one(
    State(gate): State<Arc<Gate>>,
    Path(order_id): Path<String>,
) -> Result<Response, Refusal> {
    let order = find_order(&gate.app, &id_of(&order_id)?).await?;
    let order = order.ok_or_else(|| refused(OrderRefusal::Unknown))?;
    Ok(Json(view(&gate, order).await?).into_response())
}

fn id_of(text: &str) -> Result<OrderId, Refusal> {
    OrderId::parse(text).map_err(|_| refused(OrderRefusal::Unknown))
}

fn refused(refusal: OrderRefusal) -> Refusal {
    use OrderRefusal as R;
    let (status, code) = match &refusal {
        R::App(_) => match refusal {
            R::App(error) => return error.into(),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        },
        R::UnknownMember => (StatusCode::NOT_FOUND, "unknown_user"),
        R::Unknown => (StatusCode::NOT_FOUND, "unknown_order"),
        R::UnknownProduct(_) => (StatusCode::UNPROCESSABLE_ENTITY, "unknown_product"),
        R::BadAmount(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_amount"),
        R::NoTransaction => (StatusCode::UNPROCESSABLE_ENTITY, "no_transaction"),
        R::TransactionUsed => (StatusCode::CONFLICT, "transaction_used"),
        R::OtherTransaction => (StatusCode::CONFLICT, "other_transaction"),
    };
    unchanged(status, code, "Refused", refusal)
}
