//! Calls of the APIs, counted for each caller and minute.

use guerdon_domain::time::Timestamp;

use crate::{context::App, error::AppError};

/// Counts a call of this principal; how many there were in this minute, with this one.
///
/// # Errors
/// [`AppError`].
pub async fn count_call(app: &App, principal: &str, now: Timestamp) -> Result<u64, AppError> {
    Ok(app.store.requests().count_call(principal, now).await?)
}
