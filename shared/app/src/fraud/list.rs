//! Flags, listed.

use guerdon_domain::{
    fraud::FraudFlag,
    ids::{FraudFlagId, MemberId},
    time::Timestamp,
};

use crate::{context::App, error::AppError};

/// A member's flags, in no order of time, after the one of the id `after`.
///
/// # Errors
/// [`AppError`].
pub async fn flags_of(
    app: &App,
    subject: &MemberId,
    after: Option<&FraudFlagId>,
    limit: i32,
) -> Result<Vec<FraudFlag>, AppError> {
    Ok(app.store.flags().of(subject, after, limit).await?)
}

/// Flags that are `open` or `resolved`, the latest first, before the one that was raised at that time.
///
/// # Errors
/// [`AppError`].
pub async fn flags_in(
    app: &App,
    state: &str,
    before: Option<(Timestamp, &FraudFlagId)>,
    limit: i32,
) -> Result<Vec<FraudFlag>, AppError> {
    Ok(app.store.flags().in_state(state, before, limit).await?)
}
