//! The account at Stripe: customers' balances and payment intents, as implementations of the use cases' ports.

use std::sync::Arc;

use async_trait::async_trait;
use guerdon_app::{
    bill_credit::{BalanceError, CustomerBalance},
    error::AppError,
    payments::PaymentIntentLookup,
};
use guerdon_domain::{
    ids::{CustomerId, ExternalPaymentId, PostingId},
    money::Money,
    time::Timestamp,
};
use guerdon_runtime::secrets::{Built, Secret, Secrets};
use guerdon_stripe::{call_error::StripeCallError, client::StripeClient};

/// Name of the metadata by which a posting is found again.
const METADATA: &str = "guerdon_posting";

/// Client of the account. It reads the key at the first call, and is built again when the key changes.
pub struct StripeAccount {
    secrets: Secrets,
    base_url: Option<String>,
    client: Built<StripeClient>,
}

impl StripeAccount {
    /// Makes a client of Stripe, or of the stand-in at `base_url`.
    pub fn new(secrets: Secrets, base_url: Option<String>) -> Self {
        Self { secrets, base_url, client: Built::default() }
    }

    async fn client(&self) -> Result<Arc<StripeClient>, BalanceError> {
        let unknown = |error: &dyn std::fmt::Display| BalanceError::Unknown(error.to_string());
        let key = self.secrets.get(Secret::StripeApiKey).await.map_err(|error| unknown(&error))?;
        let build = |key: &str| StripeClient::try_new(key, self.base_url.as_deref());
        self.client.of(key, build).map_err(|error| unknown(&error))
    }
}

#[async_trait]
impl CustomerBalance for StripeAccount {
    async fn add_credit(
        &self,
        customer: &CustomerId,
        amount: Money,
        posting: &PostingId,
    ) -> Result<String, BalanceError> {
        // At Stripe a negative amount is credit.
        let credit = amount.checked_neg().map_err(|error| BalanceError::Unknown(error.to_string()))?;
        let key = format!("refcredit:{posting}");
        let metadata = [(METADATA, posting.as_str())];
        let client = self.client().await?;
        let posted =
            client.post_balance_transaction(customer, credit, &key, &metadata, "Referral credit").await;
        posted.map_err(failure)
    }

    async fn find_credit(
        &self,
        customer: &CustomerId,
        posting: &PostingId,
        since: Timestamp,
    ) -> Result<Option<String>, BalanceError> {
        let client = self.client().await?;
        client
            .find_balance_transaction(customer, METADATA, posting.as_str(), Some(since))
            .await
            .map_err(failure)
    }
}

#[async_trait]
impl PaymentIntentLookup for StripeAccount {
    async fn has_owner(&self, intent: &ExternalPaymentId) -> Result<bool, AppError> {
        let unavailable = |error: String| AppError::Unavailable(error.into());
        let client = self.client().await.map_err(|error| unavailable(error.to_string()))?;
        let found = client.find_owner_of_intent(intent).await;
        Ok(found.map_err(|error| unavailable(error.to_string()))?.is_some())
    }
}

fn failure(error: StripeCallError) -> BalanceError {
    match error {
        StripeCallError::Refused { code, .. } => BalanceError::Refused(code),
        other => BalanceError::Unknown(other.to_string()),
    }
}
