//! Asking for a withdrawal.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use guerdon_api::{
    gate::Gate,
    idempotency::{Kept, Write, once},
    input::{self, bad_request, missing, text},
    output::{Amount, Refusal},
};
use guerdon_app::withdrawals::request_withdrawal_as;
use guerdon_domain::withdrawals::{PayoutMethod, Withdrawal};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::input::{UserRef, load, whose};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWithdrawal<'a> {
    user_id: UserRef,
    /// In major units.
    #[serde(borrow)]
    #[schema(value_type = f64)]
    amount: Option<&'a RawValue>,
    /// `upi`, `iban` or `bank_in`; `upi` when there is a `upi_id`.
    method: Option<String>,
    /// The payout destination; stored sealed, shown masked.
    destination: Option<String>,
    /// The destination, if it is a UPI id.
    upi_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct AskedWithdrawal {
    id: String,
    user_id: String,
    amount: Amount,
    currency: String,
    method: &'static str,
    /// Masked.
    destination: String,
    /// `requested` at first.
    status: &'static str,
    requested_at: String,
}

/// Asks for a withdrawal. A member has one under way at a time, so asking again without a key is refused.
#[utoipa::path(
    post,
    path = "/withdrawals/create",
    tag = "withdrawals",
    request_body = NewWithdrawal,
    responses((status = 200, description = "The withdrawal", body = AskedWithdrawal))
)]
pub(crate) async fn create(State(gate): State<Arc<Gate>>, write: Write) -> Result<Response, Refusal> {
    once(&gate, &write, async {
        let new: NewWithdrawal<'_> =
            input::json(&write.body, "user_id, amount, and upi_id or method and destination")?;
        let member = whose(&gate, &write.principal, &new.user_id)?;
        let raw = text(new.amount.ok_or_else(|| missing("amount"))?);
        let amount = input::amount(raw, gate.app.preset.currency)?;
        let (method, destination) = destination(&new)?;
        let member = load(&gate, &member).await?;
        let key = key(&gate, &write)?;
        let asked = request_withdrawal_as(&gate.app, &member, amount, (method, destination), &key).await?;
        let view = view(asked.withdrawal().clone(), member.telegram_id.to_string());
        Kept::new(StatusCode::OK, &view)
    })
    .await
}

fn destination<'a>(new: &'a NewWithdrawal<'_>) -> Result<(PayoutMethod, &'a str), Refusal> {
    match (&new.method, &new.destination, &new.upi_id) {
        (None, None, Some(upi)) => Ok((PayoutMethod::Upi, upi)),
        (Some(method), Some(destination), None) => {
            let method = PayoutMethod::parse(method)
                .ok_or_else(|| bad_request("bad_method", "method must be one of upi, iban and bank_in."))?;
            Ok((method, destination))
        }
        _ => Err(bad_request("bad_body", "Send upi_id, or method and destination.")),
    }
}

/// Returns the key that makes the request unique: the caller's key, or a random one.
fn key(gate: &Gate, write: &Write) -> Result<String, Refusal> {
    if let Some(key) = write.key()? {
        return Ok(format!("{}:{key}", write.principal.name));
    }
    let nonce = gate.app.entropy.nonce().map_err(guerdon_app::error::AppError::from)?;
    Ok(format!("{}:unkeyed-{}", write.principal.name, hex::encode(nonce)))
}

fn view(withdrawal: Withdrawal, user_id: String) -> AskedWithdrawal {
    AskedWithdrawal {
        id: withdrawal.id.to_string(),
        user_id,
        currency: withdrawal.amount.currency().to_string(),
        amount: Amount(withdrawal.amount),
        method: withdrawal.destination.method.as_str(),
        destination: withdrawal.destination.masked.clone(),
        status: withdrawal.state().as_str(),
        requested_at: withdrawal.requested_at.to_string(),
    }
}
