//! A withdrawal as operators see it: its destination is masked.

use guerdon_api::output::{Amount, Refusal, id_text};
use guerdon_app::{
    error::AppError,
    members::find_member,
    withdrawals::{WithdrawalError, find_withdrawal},
};
use guerdon_domain::{
    ids::{TelegramId, WithdrawalId},
    operators::Stamp,
    withdrawals::{PayoutMethod, Withdrawal},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{input::bad_request, state::Api};

#[derive(Serialize, ToSchema)]
pub(crate) struct WithdrawalView {
    id: String,
    user_id: Option<String>,
    wallet: &'static str,
    amount: Amount,
    currency: String,
    method: &'static str,
    destination: String,
    state: &'static str,
    requested_at: String,
    approved: Option<StampView>,
    claimed: Option<StampView>,
    batch: Option<String>,
    /// The time at which the outcome of the payment became unknown.
    unknown_since: Option<String>,
    closed: Option<StampView>,
    proof: Option<String>,
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct StampView {
    by: String,
    at: String,
}

fn stamp(stamp: Option<&Stamp>) -> Option<StampView> {
    stamp.map(|stamp| StampView { by: stamp.by.to_string(), at: stamp.at.to_string() })
}

pub(crate) fn view(withdrawal: Withdrawal, user_id: Option<TelegramId>) -> WithdrawalView {
    let claim = withdrawal.step.claim();
    WithdrawalView {
        id: withdrawal.id.to_string(),
        user_id: id_text(user_id),
        wallet: withdrawal.wallet.as_str(),
        amount: Amount(withdrawal.amount),
        currency: withdrawal.amount.currency().to_string(),
        method: withdrawal.destination.method.as_str(),
        destination: withdrawal.destination.masked.clone(),
        state: withdrawal.state().as_str(),
        requested_at: withdrawal.requested_at.to_string(),
        approved: stamp(withdrawal.step.approved()),
        claimed: stamp(claim.map(|claim| &claim.claimed)),
        batch: claim.and_then(|claim| claim.batch.clone()).map(String::from),
        unknown_since: claim.and_then(|claim| claim.unknown_since).map(|at| at.to_string()),
        closed: stamp(withdrawal.step.closed()),
        proof: withdrawal.step.proof().map(str::to_owned),
        reason: withdrawal.step.reason().map(str::to_owned),
    }
}

/// One withdrawal with its owner's id.
pub(crate) async fn view_of(api: &Api, withdrawal: Withdrawal) -> Result<WithdrawalView, AppError> {
    let owner = find_member(&api.gate.app, &withdrawal.member).await?;
    Ok(view(withdrawal, owner.map(|owner| owner.telegram_id)))
}

pub(crate) fn id(text: &str) -> Result<WithdrawalId, Refusal> {
    WithdrawalId::parse(text).map_err(|_| WithdrawalError::Unknown.into())
}

/// The withdrawal, or 404.
pub(crate) async fn load(api: &Api, id: &WithdrawalId) -> Result<Withdrawal, Refusal> {
    let found = find_withdrawal(&api.gate.app, id).await?;
    found.ok_or_else(|| WithdrawalError::Unknown.into())
}

/// A payout method by its word.
pub(crate) fn method(text: Option<&str>) -> Result<PayoutMethod, Refusal> {
    text.and_then(PayoutMethod::parse)
        .ok_or_else(|| bad_request("bad_method", "method must be one of upi, iban and bank_in."))
}
