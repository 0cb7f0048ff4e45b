//! One run of the sweep.

use guerdon_app::{commissions::sweep_releases, context::App, error::AppError};
use serde_json::{Value, json};

/// Releases what is due and reports what it did.
///
/// # Errors
/// [`AppError`] when the due queue cannot be read; the schedule tries again.
pub async fn handle(app: &App) -> Result<Value, AppError> {
    let swept = sweep_releases(app).await?;
    tracing::info!(members = swept.members, released = swept.released, left = swept.left, "swept");
    Ok(json!({ "members": swept.members, "released": swept.released, "left": swept.left }))
}
