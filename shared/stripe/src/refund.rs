//! Refunds in `refund.created`, `refund.updated` and `refund.failed` events. There is one object per refund,
//! so its id is the natural key of a clawback.

use guerdon_domain::{
    ids::{ExternalPaymentId, InvoiceId},
    money::Money,
};

use crate::wire::{BadField, Node};

/// The status of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundStatus {
    /// The money is on its way.
    Pending,
    /// The customer has to do something.
    RequiresAction,
    /// The money left.
    Succeeded,
    /// The money was returned to us: the clawback is undone.
    Failed,
    /// Cancelled before the money left: the clawback is undone.
    Canceled,
    /// A status this version does not know.
    Unknown,
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// `re_...`
    pub id: String,
    /// This refund's amount, not the charge's total.
    pub amount: Money,
    /// The refunded `ch_...`.
    pub charge: Option<ExternalPaymentId>,
    /// The refunded `pi_...`.
    pub payment_intent: Option<ExternalPaymentId>,
    /// The `in_...`, only when the charge or the intent is expanded and names it.
    pub invoice: Option<InvoiceId>,
    /// The status.
    pub status: RefundStatus,
    /// `duplicate`, `fraudulent`, `requested_by_customer`, ...
    pub reason: Option<String>,
}

impl Refund {
    pub(crate) fn read(node: &Node<'_>) -> Result<Self, BadField> {
        let currency = node.need_currency()?;
        Ok(Self {
            id: node.own_id()?,
            amount: node.need_money("amount", currency)?,
            charge: node.id(&["charge"])?,
            payment_intent: node.id(&["payment_intent", "charge.payment_intent"])?,
            invoice: node.id(&["charge.invoice", "payment_intent.invoice"])?,
            status: RefundStatus::read(node)?,
            reason: node.text("reason")?.map(str::to_owned),
        })
    }
}

impl RefundStatus {
    fn read(node: &Node<'_>) -> Result<Self, BadField> {
        Ok(match node.text("status")? {
            Some("pending") => Self::Pending,
            Some("requires_action") => Self::RequiresAction,
            Some("succeeded") => Self::Succeeded,
            Some("failed") => Self::Failed,
            Some("canceled") => Self::Canceled,
            _ => Self::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn finds_its_payment_plain_or_expanded() {
        let check = |charge: Value, intent: Value, expected: [Option<&str>; 3]| {
            let value = json!({"id": "re_A1", "amount": 500, "currency": "usd", "created": 1,
                "status": "succeeded", "charge": charge, "payment_intent": intent});
            let refund = Refund::read(&Node::root(&value)).unwrap();
            let found = [
                refund.charge.as_ref().map(ExternalPaymentId::as_str),
                refund.payment_intent.as_ref().map(ExternalPaymentId::as_str),
                refund.invoice.as_ref().map(InvoiceId::as_str),
            ];
            assert_eq!(found, expected, "{value}");
        };
        check(json!("ch_A1"), json!("pi_A1"), [Some("ch_A1"), Some("pi_A1"), None]);
        let charge = json!({"id": "ch_A1", "payment_intent": "pi_A1", "invoice": "in_A1"});
        check(charge, json!(null), [Some("ch_A1"), Some("pi_A1"), Some("in_A1")]);
        check(json!(null), json!({"id": "pi_A1", "invoice": "in_A1"}), [None, Some("pi_A1"), Some("in_A1")]);
    }
}
