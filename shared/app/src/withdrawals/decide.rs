//! An operator agrees, or turns a request down.

use guerdon_domain::{
    ids::WithdrawalId,
    operators::Stamp,
    withdrawals::{Withdrawal, WithdrawalState},
};
use guerdon_store::table::metered;

use super::error::{WithdrawalError, check_member, check_text};
use crate::{attempt::Attempts, context::App, error::refusal};

#[derive(Clone, Copy)]
enum Refused {
    Moved,
    Owes,
    WalletChanged,
}

/// Agrees to a request, unless the member owes something or a fraud flag is in force by now. Agreed to again by the same operator, it
/// changes nothing.
///
/// # Errors
/// [`WithdrawalError`]; nothing was changed.
pub async fn approve_withdrawal(
    app: &App,
    id: &WithdrawalId,
    operator: &str,
) -> Result<Withdrawal, WithdrawalError> {
    metered("approve_withdrawal", async {
        let before = load(app, id).await?;
        match (before.state, &before.approved) {
            (WithdrawalState::Requested, _) => {}
            (WithdrawalState::Approved | WithdrawalState::Paying | WithdrawalState::Paid, Some(stamp))
                if stamp.by == operator =>
            {
                return Ok(before);
            }
            (state, _) => return Err(WithdrawalError::WrongState(state)),
        }
        check_member(
            &app.store.members().find(&before.member).await?.ok_or(WithdrawalError::UnknownMember)?,
        )?;
        let wallet =
            app.store.wallets().find(&before.member, before.wallet, before.amount.currency()).await?;
        let approved = Some(Stamp { by: operator.to_owned(), at: app.now() });
        let after = Withdrawal { state: WithdrawalState::Approved, approved, ..before.clone() };
        let writes = [
            app.store.withdrawals().replace(&before, &after, Refused::Moved)?,
            app.store.withdrawals().owes_nothing(&wallet, Refused::Owes)?,
        ];
        match refusal(app.store.commit(&writes).await)? {
            None => Ok(after),
            Some(Refused::Owes | Refused::WalletChanged) => Err(WithdrawalError::Owes(wallet.owed())),
            Some(Refused::Moved) => {
                let now = load(app, id).await?;
                let ours = now.approved.as_ref().is_some_and(|stamp| stamp.by == operator);
                if ours { Ok(now) } else { Err(WithdrawalError::WrongState(now.state)) }
            }
        }
    })
    .await
}

/// Turns a request down with a reason; the money is available again. Possible until somebody has claimed
/// it for paying.
///
/// # Errors
/// [`WithdrawalError`]; nothing was changed.
pub async fn reject_withdrawal(
    app: &App,
    id: &WithdrawalId,
    operator: &str,
    reason: &str,
) -> Result<Withdrawal, WithdrawalError> {
    check_text(reason, "the reason")?;
    metered("reject_withdrawal", async {
        let mut attempts = Attempts::default();
        loop {
            let before = load(app, id).await?;
            match before.state {
                WithdrawalState::Requested | WithdrawalState::Approved => {}
                WithdrawalState::Rejected if before.closed.as_ref().is_some_and(|s| s.by == operator) => {
                    return Ok(before);
                }
                state => return Err(WithdrawalError::WrongState(state)),
            }
            let closed = Some(Stamp { by: operator.to_owned(), at: app.now() });
            let reason = Some(reason.trim().to_owned());
            let after = Withdrawal { state: WithdrawalState::Rejected, closed, reason, ..before.clone() };
            if give_back(app, &before, &after).await? {
                return Ok(after);
            }
            attempts.again(app).await?;
        }
    })
    .await
}

/// Ends a withdrawal whose money stays: held becomes available again, less what is owed. False when the
/// withdrawal or the wallet has moved meanwhile.
pub(super) async fn give_back(
    app: &App,
    before: &Withdrawal,
    after: &Withdrawal,
) -> Result<bool, WithdrawalError> {
    let wallet = app.store.wallets().find(&before.member, before.wallet, before.amount.currency()).await?;
    if wallet.open_withdrawal.as_ref() != Some(&before.id) {
        // Ended in the moment between the two reads: its state says how.
        return Ok(false);
    }
    let (wallet, entry) = wallet.return_withdrawal(before.amount, before.id.clone(), app.now())?;
    let mut writes = app.store.wallets().post(&wallet, &entry, Refused::WalletChanged)?;
    writes.push(app.store.withdrawals().replace(before, after, Refused::Moved)?);
    Ok(refusal(app.store.commit(&writes).await)?.is_none())
}

pub(super) async fn load(app: &App, id: &WithdrawalId) -> Result<Withdrawal, WithdrawalError> {
    app.store.withdrawals().find(id).await?.ok_or(WithdrawalError::Unknown)
}
