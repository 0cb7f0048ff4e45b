//! One run of the expiry.

use guerdon_app::{context::App, error::AppError, referrals::expire};
use serde_json::{Value, json};

/// Expires what is due and reports what it did.
///
/// # Errors
/// [`AppError`]; the schedule tries again.
pub async fn handle(app: &App) -> Result<Value, AppError> {
    let expired = expire(app).await?;
    tracing::info!(
        codes = expired.codes,
        referrals = expired.referrals,
        rewards = expired.rewards,
        "expired"
    );
    Ok(json!({ "codes": expired.codes, "referrals": expired.referrals, "rewards": expired.rewards }))
}
