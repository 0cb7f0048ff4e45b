//! Reads of withdrawals: one by id, and lists.

use guerdon_domain::{
    ids::{MemberId, WithdrawalId},
    withdrawals::{Withdrawal, WithdrawalState},
};

use crate::{context::App, error::AppError};

/// Returns the withdrawal with this id, if there is one.
pub async fn find_withdrawal(app: &App, id: &WithdrawalId) -> Result<Option<Withdrawal>, AppError> {
    Ok(app.store.withdrawals().find(id).await?)
}

/// Returns the withdrawals of a member, newest first, before the one with this number.
pub async fn withdrawals_of(
    app: &App,
    member: &MemberId,
    before: Option<u64>,
    limit: i32,
) -> Result<Vec<Withdrawal>, AppError> {
    Ok(app.store.withdrawals().of(member, before, limit).await?)
}

/// Returns withdrawals in a state that is not final, the longest waiting first, after the given one. A
/// withdrawal that just changed its state may still be listed.
pub async fn withdrawals_in(
    app: &App,
    state: WithdrawalState,
    after: Option<&Withdrawal>,
    limit: i32,
) -> Result<Vec<Withdrawal>, AppError> {
    Ok(app.store.withdrawals().in_state(state, after, limit).await?)
}
