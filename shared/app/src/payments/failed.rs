//! Failed payment attempts that a provider reports.

use guerdon_domain::ids::Rail;
use guerdon_store::{payments::FailedPayment, table::metered};

use crate::{context::App, error::AppError};

/// Records the failed attempt of the provider's `event` once, for the payment success statistics.
pub async fn record_failed_payment(app: &App, rail: Rail, event: &str) -> Result<(), AppError> {
    metered("record_failed_payment", async {
        let failed = FailedPayment { rail, event: event.to_owned(), at: app.now() };
        app.store.payments().insert_failed(&failed).await?;
        Ok(())
    })
    .await
}
