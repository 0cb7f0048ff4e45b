//! Export of approved withdrawals to a file for the bank.

use guerdon_domain::{
    ids::{BatchId, PrincipalId},
    withdrawals::{PayoutMethod, Withdrawal, WithdrawalState},
};
use guerdon_store::table::metered;

use super::{
    error::{WithdrawalError, check_text},
    pay::claim,
};
use crate::context::App;

/// A line of the bank file.
#[derive(Clone, PartialEq, Eq)]
pub struct BatchLine {
    /// The withdrawal; its id is the transfer's reference.
    pub withdrawal: Withdrawal,
    /// The destination of the money, in plain text.
    pub destination: String,
}

/// Maximum number of withdrawals in one file.
const MOST_LINES: usize = 500;

/// Claims approved withdrawals of one method for the bank batch `batch`, and returns all lines of that batch
/// that have not ended. A repeated call returns the same file, and no withdrawal is in two files. With four
/// eyes, withdrawals that the exporter approved are left for other operators.
pub async fn export_batch(
    app: &App,
    batch: &BatchId,
    method: PayoutMethod,
    operator: &PrincipalId,
) -> Result<Vec<BatchLine>, WithdrawalError> {
    check_text(batch.as_str(), "the batch's name")?;
    metered("export_batch", async {
        let mut lines = exported(app, batch, method).await?;
        // Withdrawals that are approved later belong to a batch with another name.
        if lines.is_empty() {
            for withdrawal in in_state(app, WithdrawalState::Approved).await? {
                if withdrawal.destination.method != method || lines.len() == MOST_LINES {
                    continue;
                }
                match claim(app, &withdrawal.id, operator, Some(batch)).await {
                    Ok(claimed) => lines.push(claimed),
                    Err(WithdrawalError::WrongState(_) | WithdrawalError::SameOperator) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        lines.into_iter().map(|withdrawal| line(app, withdrawal)).collect()
    })
    .await
}

fn line(app: &App, withdrawal: Withdrawal) -> Result<BatchLine, WithdrawalError> {
    let destination = withdrawal.destination.open(&app.pseudonyms, &withdrawal.id)?;
    Ok(BatchLine { destination: destination.expose().to_owned(), withdrawal })
}

async fn exported(
    app: &App,
    batch: &BatchId,
    method: PayoutMethod,
) -> Result<Vec<Withdrawal>, WithdrawalError> {
    let paying = in_state(app, WithdrawalState::Paying).await?;
    let ours = |w: &Withdrawal| {
        w.step.claim().and_then(|claim| claim.batch.as_ref()) == Some(batch) && w.destination.method == method
    };
    Ok(paying.into_iter().filter(ours).collect())
}

/// Returns all withdrawals in a state, page by page.
async fn in_state(app: &App, state: WithdrawalState) -> Result<Vec<Withdrawal>, WithdrawalError> {
    const PAGE: i32 = 100;
    let mut all: Vec<Withdrawal> = Vec::new();
    loop {
        let page = app.store.withdrawals().in_state(state, all.last(), PAGE).await?;
        let done = page.len() < PAGE as usize;
        all.extend(page);
        if done {
            // A withdrawal that just changed its state may still be listed.
            all.retain(|withdrawal| withdrawal.state() == state);
            return Ok(all);
        }
    }
}
