//! Payments that an operator saw at the bank.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use guerdon_api::{idempotency::Write, output::Refusal};
use guerdon_app::{
    once::MemberCall,
    payments::{BankPayment, Recorded},
};
use guerdon_domain::{
    ids::{ExternalPaymentId, PlanId},
    money::Currency,
    payments::Purpose,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::explain;
use crate::{
    input::{self, bad_request, missing, text},
    state::Api,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BankPaymentBody<'a> {
    #[serde(borrow)]
    #[schema(value_type = String)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow)]
    #[schema(value_type = String)]
    amount: Option<&'a RawValue>,
    currency: Option<String>,
    reference: Option<String>,
    purpose: Option<String>,
    product: Option<String>,
    reason: Option<String>,
}

/// Records a payment that was seen at the bank. Its reference is its natural key.
#[utoipa::path(
    post,
    path = "/api/admin/payments",
    tag = "payments",
    request_body = BankPaymentBody,
    responses((status = 200, description = "Done", body = explain::PaymentView))
)]
pub(crate) async fn record(State(api): State<Arc<Api>>, write: Write) -> Result<Response, Refusal> {
    let body: BankPaymentBody<'_> =
        input::json(&write.body, "user_id, amount, currency, reference, purpose, product and reason")?;
    let user_id = input::user_id(text(body.user_id.ok_or_else(|| missing("user_id"))?))?;
    let amount = text(body.amount.ok_or_else(|| missing("amount"))?);
    let currency = currency_of(body.currency.as_deref())?;
    let (purpose, product) = bought(body.purpose.as_deref(), body.product)?;
    let payment = BankPayment {
        reference: reference(body.reference.as_deref().unwrap_or_default())?,
        paid: input::amount(amount, currency)?,
        purpose,
        product: product.map(PlanId::from),
    };
    let reason = input::reason(body.reason)?;
    let call = MemberCall { call: write.call(&api.gate)?, user_id, reason };
    let recorded = guerdon_app::payments::record_bank_payment(&api.gate.app, &call, &payment).await?;
    let before = matches!(recorded, Recorded::AlreadyApplied(_));
    explain::answer(&api, &recorded.record().payment, before).await
}

fn currency_of(text: Option<&str>) -> Result<Currency, Refusal> {
    let currency = input::currency(text.ok_or_else(|| missing("currency"))?)?;
    if guerdon_app::payments::is_transferred(currency) {
        Ok(currency)
    } else {
        Err(bad_request("bad_currency", "currency must be one that a bank transfers."))
    }
}

fn bought(purpose: Option<&str>, product: Option<String>) -> Result<(Purpose, Option<String>), Refusal> {
    match (purpose, product) {
        (Some("purchase"), product) => Ok((Purpose::Purchase, product)),
        (Some("deposit"), None) => Ok((Purpose::Deposit, None)),
        (Some("deposit"), Some(_)) => Err(bad_request("bad_product", "A deposit buys no product.")),
        _ => Err(bad_request("bad_purpose", "purpose must be purchase or deposit.")),
    }
}

/// The longest reference.
const MOST: usize = 100;

fn reference(text: &str) -> Result<ExternalPaymentId, Refusal> {
    let detail = "reference must be 1 to 100 visible characters without '#', as on the bank statement, with a letter or a digit.";
    let bad = || bad_request("bad_reference", detail);
    if text.len() > MOST {
        return Err(bad());
    }
    // Statements print references in groups.
    let text: String = text.split_whitespace().collect();
    let reference = ExternalPaymentId::parse(text).map_err(|_| bad())?;
    reference.canonical().map_err(|_| bad())?;
    Ok(reference)
}
