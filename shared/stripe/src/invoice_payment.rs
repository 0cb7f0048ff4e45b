//! Invoice payments in `invoice_payment.paid` events. Since `basil` a charge or a payment intent no longer
//! names its invoice, nor an event's invoice its payment intent: this object is the link, and a refund or a
//! dispute can only be traced to its invoice through it
//! (<https://docs.stripe.com/changelog/basil/2025-03-31/add-support-for-multiple-partial-payments-on-invoices>;
//! the event was added by <https://docs.stripe.com/changelog/basil/2025-05-28/partial-payments>).

use guerdon_domain::{
    ids::{ExternalPaymentId, InvoiceId},
    money::Money,
    time::Timestamp,
};

use crate::wire::{BadField, Node};

/// A payment towards an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoicePayment {
    /// `inpay_...`
    pub id: String,
    /// The invoice that it pays.
    pub invoice: InvoiceId,
    /// The amount that it settled.
    pub amount_paid: Money,
    /// The `pi_...`, if it was made with one.
    pub payment_intent: Option<ExternalPaymentId>,
    /// The `ch_...`, if it was made without a payment intent, or the intent is expanded.
    pub charge: Option<ExternalPaymentId>,
    /// The instant of settlement, or else of its creation.
    pub paid_at: Timestamp,
}

impl InvoicePayment {
    pub(crate) fn read(node: &Node<'_>) -> Result<Self, BadField> {
        let currency = node.need_currency()?;
        Ok(Self {
            id: node.own_id()?,
            invoice: node.id(&["invoice"])?.ok_or_else(|| node.bad("invoice"))?,
            amount_paid: node.need_money("amount_paid", currency)?,
            payment_intent: node.id(&["payment.payment_intent"])?,
            charge: node.id(&["payment.charge", "payment.payment_intent.latest_charge"])?,
            paid_at: node
                .time("status_transitions.paid_at")?
                .map_or_else(|| node.need_time("created"), Ok)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ties_a_payment_intent_to_its_invoice() {
        let value = json!({"id": "inpay_A1", "invoice": {"id": "in_A1"}, "amount_paid": 3900, "currency": "usd",
            "created": 10, "payment": {"type": "payment_intent", "payment_intent": "pi_A1"},
            "status_transitions": {"paid_at": 11}});
        let payment = InvoicePayment::read(&Node::root(&value)).unwrap();
        assert_eq!(payment.invoice.as_str(), "in_A1");
        assert_eq!(payment.payment_intent.as_ref().map(ExternalPaymentId::as_str), Some("pi_A1"));
        assert_eq!((payment.charge, payment.paid_at), (None, Timestamp::from_seconds(11)));
    }
}
