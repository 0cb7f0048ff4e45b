//! Money that an operator gave back outside the providers, such as by a bank transfer.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use guerdon_api::{idempotency::Write, output::Refusal, refusals::unchanged};
use guerdon_app::{
    error::AppError,
    payments::{RefundRefusal, refund_by_hand},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::explain::{self, PaymentView};
use crate::{
    input::{self, missing, text},
    state::Api,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Refund<'a> {
    /// As `bank:UTR123`.
    payment: Option<String>,
    /// What was given back, in the currency of the payment, tax included.
    #[serde(borrow)]
    #[schema(value_type = String)]
    amount: Option<&'a RawValue>,
    reason: Option<String>,
}

/// Records that a payment was given back, in part or as a whole: its commissions are taken back in proportion. For money
/// that no provider reports as refunded. Another key is another refund.
#[utoipa::path(
    post,
    path = "/api/admin/refunds",
    tag = "payments",
    request_body = Refund,
    responses((status = 200, description = "Done", body = PaymentView))
)]
pub(crate) async fn refund(State(api): State<Arc<Api>>, write: Write) -> Result<Response, Refusal> {
    let body: Refund<'_> = input::json(&write.body, "payment, amount and reason")?;
    let payment = input::payment_key(&body.payment.ok_or_else(|| missing("payment"))?)?;
    let amount = text(body.amount.ok_or_else(|| missing("amount"))?);
    let reason = input::reason(body.reason)?;
    let currency = guerdon_app::payments::currency_of(&api.gate.app, &payment).await?;
    let currency = currency.ok_or_else(|| refused(RefundRefusal::UnknownPayment))?;
    let amount = input::amount(amount, currency)?;
    if !amount.is_positive() {
        return Err(input::bad_request("bad_amount", "amount must be above zero."));
    }
    let call = write.call(&api.gate)?;
    let before = call.answered(&api.gate.app).await?.is_some();
    refund_by_hand(&api.gate.app, &call, &payment, amount, &reason).await.map_err(refused)?;
    explain::answer(&api, &payment, before).await
}

fn refused(refusal: RefundRefusal) -> Refusal {
    let (status, code, title) = match &refusal {
        RefundRefusal::App(_) => match refusal {
            RefundRefusal::App(error) => return error.into(),
            _ => return AppError::Conflict.into(),
        },
        RefundRefusal::UnknownPayment => (StatusCode::NOT_FOUND, "unknown_payment", "Unknown payment"),
        RefundRefusal::TooMuch(_) => (StatusCode::CONFLICT, "refund_too_large", "Too much"),
        RefundRefusal::KeyReused => (StatusCode::CONFLICT, "idempotency_key_reused", "Key used before"),
    };
    unchanged(status, code, title, refusal)
}
