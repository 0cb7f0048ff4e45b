//! Charges in `charge.refunded` events.

use guerdon_domain::{
    ids::{CustomerId, ExternalPaymentId, InvoiceId},
    money::Money,
};

use crate::wire::{BadField, Node};

/// The status of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargeStatus {
    /// The money was received.
    Succeeded,
    /// The money is on its way.
    Pending,
    /// The money was not received.
    Failed,
    /// A status this version does not know.
    Unknown,
}

/// A charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// `ch_...`
    pub id: ExternalPaymentId,
    /// The customer; none for guests.
    pub customer: Option<CustomerId>,
    /// The `pi_...` it belongs to.
    pub payment_intent: Option<ExternalPaymentId>,
    /// The `in_...` it paid. Absent since `basil`: see [`InvoicePayment`](crate::invoice_payment::InvoicePayment).
    pub invoice: Option<InvoiceId>,
    /// The charged amount.
    pub amount: Money,
    /// The total refunded so far, not only by this event.
    pub amount_refunded: Money,
    /// True when it was refunded in full.
    pub refunded: bool,
    /// True when the cardholder has disputed it.
    pub disputed: bool,
    /// The status.
    pub status: ChargeStatus,
}

impl Charge {
    pub(crate) fn read(node: &Node<'_>) -> Result<Self, BadField> {
        let currency = node.need_currency()?;
        Ok(Self {
            id: node.own_id()?,
            customer: node.customer()?,
            payment_intent: node.id(&["payment_intent"])?,
            invoice: node.id(&["invoice", "payment_intent.invoice"])?,
            amount: node.need_money("amount", currency)?,
            amount_refunded: node.need_money("amount_refunded", currency)?,
            refunded: node.flag("refunded")?,
            disputed: node.flag("disputed")?,
            status: ChargeStatus::read(node)?,
        })
    }
}

impl ChargeStatus {
    fn read(node: &Node<'_>) -> Result<Self, BadField> {
        Ok(match node.text("status")? {
            Some("succeeded") => Self::Succeeded,
            Some("pending") => Self::Pending,
            Some("failed") => Self::Failed,
            _ => Self::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refund_total_is_never_guessed() {
        let mut value = json!({"id": "ch_A1", "amount": 3900, "amount_refunded": 1900, "currency": "usd",
            "refunded": false, "created": 1, "status": "succeeded", "invoice": "in_A1"});
        let charge = Charge::read(&Node::root(&value)).unwrap();
        assert_eq!((charge.amount.minor(), charge.amount_refunded.minor()), (3900, 1900));
        assert_eq!(charge.invoice.as_ref().map(InvoiceId::as_str), Some("in_A1"));
        value["amount_refunded"] = json!(null);
        assert_eq!(Charge::read(&Node::root(&value)).unwrap_err().path, "amount_refunded");
    }
}
