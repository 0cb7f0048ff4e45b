//! Lists of fraud flags.

use guerdon_domain::{
    fraud::FraudFlag,
    ids::{FraudFlagId, MemberId},
    time::Timestamp,
};

use crate::{context::App, error::AppError};

/// Returns the flags of a member after the flag with the id `after`. The order is not by time.
pub async fn flags_of(
    app: &App,
    subject: &MemberId,
    after: Option<&FraudFlagId>,
    limit: i32,
) -> Result<Vec<FraudFlag>, AppError> {
    Ok(app.store.flags().of(subject, after, limit).await?)
}

/// Returns the `open` or `resolved` flags, newest first, before the flag that was raised at that time.
pub async fn flags_in(
    app: &App,
    state: &str,
    before: Option<(Timestamp, &FraudFlagId)>,
    limit: i32,
) -> Result<Vec<FraudFlag>, AppError> {
    Ok(app.store.flags().in_state(state, before, limit).await?)
}
