//! One run of the verification.

use guerdon_app::{context::App, error::AppError, observe::METRICS, verification::verify_next};
use serde_json::{Value, json};

/// Longest time of a run, in seconds; the next run continues where it stopped.
const SECONDS: i64 = 240;

/// Verifies the next part of the ledger and reports what it read.
///
/// # Errors
/// [`AppError::Corrupt`] with the first difference: it raises the alarm every hour until the difference is fixed.
pub async fn handle(app: &App) -> Result<Value, AppError> {
    let run = verify_next(app, SECONDS).await?;
    tracing::info!(target: METRICS, ledger_drift = i64::from(run.difference.is_some()));
    if let Some(difference) = run.difference {
        tracing::error!(
            id = difference.id(),
            subject = difference.subject,
            problem = difference.problem,
            "the ledger is not sound"
        );
        return Err(AppError::Corrupt(format!("{}: {difference}", difference.id()).into()));
    }
    tracing::info!(
        wallets = run.wallets,
        payments = run.payments,
        commissions = run.commissions,
        acknowledged = run.acknowledged,
        finished = run.next.is_none(),
        "no difference in the part of the ledger that was read"
    );
    Ok(json!({
        "wallets": run.wallets,
        "payments": run.payments,
        "commissions": run.commissions,
        "acknowledged": run.acknowledged,
        "finished": run.next.is_none(),
    }))
}
