//! Counters of API calls, per caller and minute.

use guerdon_domain::time::Timestamp;

use crate::{context::App, error::AppError};

/// Counts a call of this principal. Returns the number of calls in this minute, including this one.
pub async fn count_call(app: &App, principal: &str, now: Timestamp) -> Result<u64, AppError> {
    Ok(app.store.requests().count_call(principal, now).await?)
}
