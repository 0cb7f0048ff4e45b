//! Payment intents in `payment_intent.succeeded` events. The intent of an invoice or of a checkout session is another
//! name of that payment; one that a business made itself is the payment.

use guerdon_domain::{
    ids::{CustomerId, ExternalPaymentId, InvoiceId, TelegramId},
    money::Money,
};

use crate::wire::{BadField, Node};

/// A payment intent that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentIntent {
    /// `pi_...`
    pub id: ExternalPaymentId,
    /// The customer; none for guests.
    pub customer: Option<CustomerId>,
    /// The `in_...` that it paid. Absent since `basil`: see [`InvoicePayment`](crate::invoice_payment::InvoicePayment).
    pub invoice: Option<InvoiceId>,
    /// The amount that was received.
    pub received: Money,
    /// The `ch_...`
    pub charge: Option<ExternalPaymentId>,
    member_hint: Option<TelegramId>,
}

impl PaymentIntent {
    pub(crate) fn read(node: &Node<'_>) -> Result<Self, BadField> {
        let currency = node.need_currency()?;
        Ok(Self {
            id: node.own_id()?,
            customer: node.customer()?,
            invoice: node.id(&["invoice"])?,
            received: node.need_money("amount_received", currency)?,
            charge: node.id(&["latest_charge"])?,
            member_hint: node.member_hint(&["metadata"]),
        })
    }

    /// The member named by the metadata.
    pub const fn member_hint(&self) -> Option<TelegramId> {
        self.member_hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_received_counts_and_not_what_was_asked_for() {
        let mut value = json!({"id": "pi_A1", "amount": 3900, "amount_received": 3800, "currency": "usd",
            "customer": "cus_A1", "latest_charge": "ch_A1", "metadata": {"user_id": "700000001"}});
        let intent = PaymentIntent::read(&Node::root(&value)).unwrap();
        assert_eq!((intent.received.minor(), intent.invoice.is_none()), (3800, true));
        assert_eq!(intent.member_hint().map(TelegramId::get), Some(700_000_001));
        value["amount_received"] = json!(null);
        assert_eq!(PaymentIntent::read(&Node::root(&value)).unwrap_err().path, "amount_received");
    }
}
