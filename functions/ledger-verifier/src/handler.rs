//! One run of the verification.

use guerdon_app::{context::App, error::AppError, observe::METRICS, verification::verify_next};
use serde_json::{Value, json};

/// Seconds that a run takes at the most; the next goes on where it stopped.
const SECONDS: i64 = 240;

/// Verifies the next part of the ledger and reports what it looked at.
///
/// # Errors
/// [`AppError::Corrupt`] with the first difference: it makes the alarm ring, every hour until it is mended.
pub async fn handle(app: &App) -> Result<Value, AppError> {
    let run = verify_next(app, SECONDS).await?;
    tracing::info!(target: METRICS, ledger_drift = i64::from(run.difference.is_some()));
    if let Some(difference) = run.difference {
        tracing::error!(
            subject = difference.subject,
            problem = difference.problem,
            "the ledger is not sound"
        );
        return Err(AppError::Corrupt(difference.to_string()));
    }
    tracing::info!(
        wallets = run.wallets,
        payments = run.payments,
        commissions = run.commissions,
        finished = run.next.is_none(),
        "the ledger is sound as far as it was read"
    );
    Ok(json!({
        "wallets": run.wallets,
        "payments": run.payments,
        "commissions": run.commissions,
        "finished": run.next.is_none(),
    }))
}
