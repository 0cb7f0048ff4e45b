//! Look-ups of what a payment intent belongs to.

use guerdon_domain::ids::ExternalPaymentId;
use serde::Deserialize;

use crate::{call_error::StripeCallError, client::StripeClient};

/// The only thing that we read of the objects that are found.
#[derive(Deserialize)]
struct Found {
    id: String,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Found>,
}

impl StripeClient {
    /// Finds what a payment intent pays for: the id of an invoice payment or a checkout session. An intent that a
    /// business made itself belongs to none
    /// (<https://docs.stripe.com/api/invoice-payment/list>, <https://docs.stripe.com/api/checkout/sessions/list>).
    ///
    /// # Errors
    /// [`StripeCallError`].
    pub async fn find_owner_of_intent(
        &self,
        intent: &ExternalPaymentId,
    ) -> Result<Option<String>, StripeCallError> {
        let id = intent.as_str();
        let of_invoice = [("payment[type]", "payment_intent"), ("payment[payment_intent]", id)];
        for (path, query) in [
            ("v1/invoice_payments", &of_invoice[..]),
            ("v1/checkout/sessions", &[("payment_intent", id)][..]),
        ] {
            let request = self.get(path)?.query(&[("limit", "1")]).query(query);
            let list: List = self.send(request).await?;
            if let Some(found) = list.data.into_iter().next() {
                return Ok(Some(found.id));
            }
        }
        Ok(None)
    }
}
