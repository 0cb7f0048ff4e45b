//! Approval or rejection of a withdrawal request by an operator.

use guerdon_domain::{
    ids::{PrincipalId, WithdrawalId},
    operators::Stamp,
    withdrawals::{Step, Withdrawal, WithdrawalState},
};
use guerdon_store::table::{Guarded, metered};

use super::error::{WithdrawalError, check_member, check_text};
use crate::{
    attempt::Attempts,
    context::App,
    error::{guarded, refusal},
};

/// The reason why an approval was not committed.
#[derive(Clone, Copy)]
enum Refused {
    Moved,
    Owes,
}

/// Approves a request, unless the member owes something or a fraud flag is in force. A repeated call of the
/// same operator changes nothing.
///
/// # Errors
/// [`WithdrawalError`]; nothing was changed.
pub async fn approve_withdrawal(
    app: &App,
    id: &WithdrawalId,
    operator: &PrincipalId,
) -> Result<Withdrawal, WithdrawalError> {
    metered("approve_withdrawal", async {
        let before = load(app, id).await?;
        if before.step != Step::Requested {
            return approved_before(before, operator);
        }
        check_member(
            &app.store.members().find(&before.member).await?.ok_or(WithdrawalError::UnknownMember)?,
        )?;
        let wallet =
            app.store.wallets().find(&before.member, before.wallet, before.amount.currency()).await?;
        let after = before.clone().approve(Stamp { by: operator.clone(), at: app.now() })?;
        let writes = [
            app.store.withdrawals().replace(&before, &after, Refused::Moved)?,
            app.store.withdrawals().owes_nothing(&wallet, Refused::Owes)?,
        ];
        match refusal(app.store.commit(&writes).await)? {
            None => Ok(after),
            Some(Refused::Owes) => Err(WithdrawalError::Owes(wallet.owed())),
            Some(Refused::Moved) => approved_before(load(app, id).await?, operator),
        }
    })
    .await
}

/// Returns the withdrawal, if this operator approved it and it was not rejected since.
fn approved_before(withdrawal: Withdrawal, operator: &PrincipalId) -> Result<Withdrawal, WithdrawalError> {
    let (state, approved) = (withdrawal.state(), withdrawal.step.approved());
    let stands = matches!(state, WithdrawalState::Approved | WithdrawalState::Paying | WithdrawalState::Paid);
    if stands && approved.is_some_and(|stamp| stamp.by == *operator) {
        Ok(withdrawal)
    } else {
        Err(WithdrawalError::WrongState(state))
    }
}

/// Rejects a request with a reason; the money is available again. Possible until the withdrawal is claimed
/// for payment.
///
/// # Errors
/// [`WithdrawalError`]; nothing was changed.
pub async fn reject_withdrawal(
    app: &App,
    id: &WithdrawalId,
    operator: &PrincipalId,
    reason: &str,
) -> Result<Withdrawal, WithdrawalError> {
    check_text(reason, "the reason")?;
    metered("reject_withdrawal", async {
        let mut attempts = Attempts::default();
        loop {
            let before = load(app, id).await?;
            if matches!(&before.step, Step::Rejected { closed, .. } if closed.by == *operator) {
                return Ok(before);
            }
            let closed = Stamp { by: operator.clone(), at: app.now() };
            let after = before.clone().reject(closed, reason.trim().to_owned())?;
            if give_back(app, &before, &after).await? == Guarded::Written {
                return Ok(after);
            }
            attempts.again(app).await?;
        }
    })
    .await
}

/// Ends a withdrawal whose money was not paid: the held amount becomes available again, less the owed amount.
/// [`Guarded::Moved`] if another writer changed the withdrawal or the wallet.
pub(super) async fn give_back(
    app: &App,
    before: &Withdrawal,
    after: &Withdrawal,
) -> Result<Guarded, WithdrawalError> {
    let wallet = app.store.wallets().find(&before.member, before.wallet, before.amount.currency()).await?;
    if wallet.open_withdrawal.as_ref() != Some(&before.id) {
        // The withdrawal ended between the two reads. Its state shows how.
        return Ok(Guarded::Moved);
    }
    let (wallet, entry) = wallet.return_withdrawal(before.amount, before.id.clone(), app.now())?;
    let mut writes = app.store.wallets().post(&wallet, &entry, ())?;
    writes.push(app.store.withdrawals().replace(before, after, ())?);
    Ok(guarded(refusal(app.store.commit(&writes).await)?))
}

pub(super) async fn load(app: &App, id: &WithdrawalId) -> Result<Withdrawal, WithdrawalError> {
    app.store.withdrawals().find(id).await?.ok_or(WithdrawalError::Unknown)
}
