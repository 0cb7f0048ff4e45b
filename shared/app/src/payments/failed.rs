//! A provider says that somebody tried to pay and could not.

use guerdon_domain::ids::Rail;
use guerdon_store::{payments::FailedPayment, table::metered};

use crate::{context::App, error::AppError};

/// Remembers the failed attempt that `event` of the provider told, once, for the figures of payment success.
///
/// # Errors
/// [`AppError`].
pub async fn record_failed_payment(app: &App, rail: Rail, event: &str) -> Result<(), AppError> {
    metered("record_failed_payment", async {
        let failed = FailedPayment { rail, event: event.to_owned(), at: app.now() };
        app.store.payments().insert_failed(&failed).await?;
        Ok(())
    })
    .await
}
