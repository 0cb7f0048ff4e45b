//! One run of the expiry.

use guerdon_app::{context::App, error::AppError, jobs::logged_run, referrals::expire};
use serde_json::{Value, json};

/// Expires what is due and reports what it did.
///
/// # Errors
/// [`AppError`]; the schedule tries again.
pub async fn handle(app: &App) -> Result<Value, AppError> {
    logged_run(app, "code-expiry", run(app)).await
}

async fn run(app: &App) -> Result<Value, AppError> {
    let expired = expire(app).await?;
    tracing::info!(
        codes = expired.codes,
        referrals = expired.referrals,
        rewards = expired.rewards,
        "expired"
    );
    Ok(json!({ "codes": expired.codes, "referrals": expired.referrals, "rewards": expired.rewards }))
}
