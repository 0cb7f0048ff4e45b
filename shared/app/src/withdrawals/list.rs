//! Withdrawals, found and listed.

use guerdon_domain::{
    ids::{MemberId, WithdrawalId},
    withdrawals::{Withdrawal, WithdrawalState},
};

use crate::{context::App, error::AppError};

/// The withdrawal of this id, if there is one.
///
/// # Errors
/// [`AppError`].
pub async fn find_withdrawal(app: &App, id: &WithdrawalId) -> Result<Option<Withdrawal>, AppError> {
    Ok(app.store.withdrawals().find(id).await?)
}

/// A member's withdrawals, newest first, before the one with this number.
///
/// # Errors
/// [`AppError`].
pub async fn withdrawals_of(
    app: &App,
    member: &MemberId,
    before: Option<u64>,
    limit: i32,
) -> Result<Vec<Withdrawal>, AppError> {
    Ok(app.store.withdrawals().of(member, before, limit).await?)
}

/// Withdrawals in a state that is not final, the longest waiting first, after this one. What has just moved on may still
/// be among them.
///
/// # Errors
/// [`AppError`].
pub async fn withdrawals_in(
    app: &App,
    state: WithdrawalState,
    after: Option<&Withdrawal>,
    limit: i32,
) -> Result<Vec<Withdrawal>, AppError> {
    Ok(app.store.withdrawals().in_state(state, after, limit).await?)
}
