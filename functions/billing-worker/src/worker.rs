//! State of the function.

use std::sync::Arc;

use guerdon_app::{bill_credit::CustomerBalance, context::App, payments::PaymentIntentLookup};

/// State that every message is handled with.
pub struct Worker {
    /// The use cases' context.
    pub app: App,
    /// Stripe's customer balance.
    pub stripe: Arc<dyn CustomerBalance>,
    /// Stripe's payment intents.
    pub intents: Arc<dyn PaymentIntentLookup>,
}
