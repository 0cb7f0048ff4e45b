//! Payment of withdrawals: claim, pay, and record with proof.

use async_trait::async_trait;
use guerdon_domain::{
    ids::{BatchId, PrincipalId, WithdrawalId},
    operators::Stamp,
    time::Timestamp,
    withdrawals::{Destination, Step, Withdrawal, WithdrawalState},
};
use guerdon_store::table::{Guarded, metered};

use super::{
    decide::give_back,
    decide::load,
    error::{WithdrawalError, check_text},
};
use crate::{
    attempt::Attempts,
    context::App,
    error::{AppError, guarded, refusal},
};

/// A payout provider. Every call is keyed by the id of the withdrawal.
#[async_trait]
pub trait Payouts: Send + Sync {
    /// Pays a withdrawal, and returns the provider's reference.
    async fn pay(&self, withdrawal: &Withdrawal, to: &Destination) -> Result<String, PayoutError>;

    /// Looks up the payment of a withdrawal. Returns its reference, or `None` if it was certainly not paid.
    async fn find(&self, withdrawal: &Withdrawal) -> Result<Option<String>, PayoutError>;
}

/// The failure of a payout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayoutError {
    /// The provider refused finally: nothing was paid and nothing will be paid.
    #[error("the payout was refused: {0}")]
    Refused(String),
    /// It is unknown whether the withdrawal was paid.
    #[error("the payout's outcome is unknown: {0}")]
    Unknown(String),
}

/// The result of a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaidOut {
    /// The withdrawal was paid, with proof.
    Paid(Withdrawal),
    /// The payout was refused finally. The money is available again.
    Failed(Withdrawal),
    /// The outcome is unknown. It must be looked up before any other step.
    Unknown(Withdrawal),
}

/// The outcome that a payer reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The money was sent; the text is the reference of the bank or provider.
    Paid(String),
    /// The money was not and will not be sent; the text is the reason.
    Failed(String),
    /// The outcome is not known yet.
    Unknown,
}

/// Claims an approved withdrawal for payment. Only the claimer can pay it, and no other operator can claim it. A
/// repeated claim by the same payer changes nothing.
///
/// # Errors
/// [`WithdrawalError`]; nothing was changed.
pub async fn claim_withdrawal(
    app: &App,
    id: &WithdrawalId,
    payer: &PrincipalId,
) -> Result<Withdrawal, WithdrawalError> {
    metered("claim_withdrawal", claim(app, id, payer, None)).await
}

pub(super) async fn claim(
    app: &App,
    id: &WithdrawalId,
    payer: &PrincipalId,
    batch: Option<&BatchId>,
) -> Result<Withdrawal, WithdrawalError> {
    let before = load(app, id).await?;
    let Step::Approved { approved } = &before.step else { return claimed_before(before, payer, batch) };
    let four_eyes = app.preset.withdrawals.as_ref().is_some_and(|rules| rules.four_eyes);
    if four_eyes && approved.by == *payer {
        return Err(WithdrawalError::SameOperator);
    }
    let claimed = Stamp { by: payer.clone(), at: app.now() };
    let after = before.clone().claim(claimed, batch.cloned())?;
    if app.store.withdrawals().step(&before, &after).await? == Guarded::Written {
        return Ok(after);
    }
    claimed_before(load(app, id).await?, payer, batch)
}

/// Checks an existing claim. A claim is for one way of payment: a withdrawal in a bank file must not be paid
/// by the provider too, and must not be in another file.
fn claimed_before(
    withdrawal: Withdrawal,
    payer: &PrincipalId,
    batch: Option<&BatchId>,
) -> Result<Withdrawal, WithdrawalError> {
    match &withdrawal.step {
        Step::Paying(claim) if claim.claimed.by == *payer && claim.batch.as_ref() == batch => Ok(withdrawal),
        step => Err(WithdrawalError::WrongState(step.state())),
    }
}

/// Records the outcome of the payout of a claimed withdrawal. The same outcome again changes nothing; a
/// different outcome after the end is refused.
///
/// # Errors
/// [`WithdrawalError`]; nothing was changed.
pub async fn finish_withdrawal(
    app: &App,
    id: &WithdrawalId,
    operator: &PrincipalId,
    outcome: &Outcome,
) -> Result<Withdrawal, WithdrawalError> {
    match outcome {
        Outcome::Paid(proof) => check_text(proof, "the proof")?,
        Outcome::Failed(reason) => check_text(reason, "the reason")?,
        Outcome::Unknown => {}
    }
    metered("finish_withdrawal", async {
        let mut attempts = Attempts::default();
        loop {
            let before = load(app, id).await?;
            if let Some(ended) = ended_alike(&before, outcome)? {
                return Ok(ended);
            }
            let closed = Stamp { by: operator.clone(), at: app.now() };
            let paying = before.clone();
            let after = match outcome {
                Outcome::Paid(proof) => paying.pay(closed, proof.trim().to_owned()),
                Outcome::Failed(reason) => paying.fail(closed, reason.trim().to_owned()),
                Outcome::Unknown => paying.lose_sight(app.now()),
            }?;
            let done = match outcome {
                Outcome::Paid(_) => pay(app, &before, &after).await?,
                Outcome::Failed(_) => give_back(app, &before, &after).await?,
                Outcome::Unknown => app.store.withdrawals().step(&before, &after).await?,
            };
            if done == Guarded::Written {
                return Ok(after);
            }
            attempts.again(app).await?;
        }
    })
    .await
}

/// Returns the withdrawal if it already ended with this outcome.
fn ended_alike(withdrawal: &Withdrawal, outcome: &Outcome) -> Result<Option<Withdrawal>, WithdrawalError> {
    let known = match (&withdrawal.step, outcome) {
        (Step::Paying(claim), Outcome::Unknown) => claim.unknown_since.is_some(),
        (Step::Paying(_), _) => return Ok(None),
        (Step::Paid { proof, .. }, Outcome::Paid(now)) => proof == now.trim(),
        (Step::Failed { reason, .. }, Outcome::Failed(now)) => reason == now.trim(),
        _ => false,
    };
    match &withdrawal.step {
        _ if known => Ok(Some(withdrawal.clone())),
        Step::Paying(_) => Ok(None),
        step => Err(WithdrawalError::WrongState(step.state())),
    }
}

/// Commits the payment: one transaction of the wallet, its entry and the withdrawal.
async fn pay(app: &App, before: &Withdrawal, after: &Withdrawal) -> Result<Guarded, WithdrawalError> {
    let wallet = app.store.wallets().find(&before.member, before.wallet, before.amount.currency()).await?;
    if wallet.open_withdrawal.as_ref() != Some(&before.id) {
        return Ok(Guarded::Moved);
    }
    let (wallet, entry) = wallet.pay_withdrawal(before.amount, before.id.clone(), app.now())?;
    let mut writes = app.store.wallets().post(&wallet, &entry, ())?;
    writes.push(app.store.withdrawals().replace(before, after, ())?);
    Ok(guarded(refusal(app.store.commit(&writes).await)?))
}

/// Pays an approved withdrawal through a provider: claims it, calls the provider, and records the outcome. A
/// call after a crash looks up the outcome of the claim before it pays.
pub async fn pay_out(
    app: &App,
    provider: &dyn Payouts,
    id: &WithdrawalId,
    payer: &PrincipalId,
) -> Result<PaidOut, WithdrawalError> {
    metered("pay_out", async {
        let before = load(app, id).await?;
        let fresh = before.state() == WithdrawalState::Approved;
        let claimed = claim(app, id, payer, None).await?;
        if !fresh && let Some(known) = look_up(app, provider, &claimed, payer).await? {
            return Ok(known);
        }
        let to = claimed.destination.open(&app.pseudonyms, id)?;
        let outcome = match provider.pay(&claimed, &to).await {
            Ok(proof) => Outcome::Paid(proof),
            Err(PayoutError::Refused(why)) => Outcome::Failed(why),
            Err(PayoutError::Unknown(_)) => Outcome::Unknown,
        };
        record(app, id, payer, &outcome).await
    })
    .await
}

async fn record(
    app: &App,
    id: &WithdrawalId,
    payer: &PrincipalId,
    outcome: &Outcome,
) -> Result<PaidOut, WithdrawalError> {
    let withdrawal = finish_withdrawal(app, id, payer, outcome).await?;
    Ok(match withdrawal.state() {
        WithdrawalState::Paid => PaidOut::Paid(withdrawal),
        WithdrawalState::Failed => PaidOut::Failed(withdrawal),
        _ => PaidOut::Unknown(withdrawal),
    })
}

/// Asks the provider about a claim that did not end; returns `None` if it was certainly not paid.
async fn look_up(
    app: &App,
    provider: &dyn Payouts,
    claimed: &Withdrawal,
    payer: &PrincipalId,
) -> Result<Option<PaidOut>, WithdrawalError> {
    let outcome = match provider.find(claimed).await {
        Ok(Some(proof)) => Outcome::Paid(proof),
        Ok(None) => return Ok(None),
        Err(PayoutError::Refused(why)) => Outcome::Failed(why),
        Err(PayoutError::Unknown(_)) => Outcome::Unknown,
    };
    record(app, &claimed.id, payer, &outcome).await.map(Some)
}

/// Returns withdrawals that were claimed before `since` and did not end. An operator must look them up.
pub async fn look_up_stuck(app: &App, since: Timestamp, limit: i32) -> Result<Vec<Withdrawal>, AppError> {
    metered("stuck_withdrawals", async { Ok(app.store.withdrawals().stuck(since, limit).await?) }).await
}
