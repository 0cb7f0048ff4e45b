//! Counters of API calls, per caller and minute.

use guerdon_domain::time::Timestamp;

use crate::{context::App, error::AppError};

/// Counts a call of this principal, who may make `most` in a minute. Returns the number of calls in this minute,
/// including this one, and `most + 1` for every call over the limit. Those write nothing: the process remembers who has
/// no calls left, so a caller who goes on costs neither the table nor the stream anything.
pub async fn count_call(app: &App, principal: &str, most: u64, now: Timestamp) -> Result<u64, AppError> {
    if !app.memory.refused.has(principal, now)
        && let Some(calls) = app.store.requests().count_call(principal, most, now).await?
    {
        return Ok(calls);
    }
    app.memory.refused.count(principal, now);
    Ok(most.saturating_add(1))
}
