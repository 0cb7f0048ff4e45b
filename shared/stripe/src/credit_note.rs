//! Credit notes in `credit_note.created` and `credit_note.voided` events
//! (<https://docs.stripe.com/invoicing/integration/programmatic-credit-notes>).

use guerdon_domain::{
    ids::{CustomerId, InvoiceId},
    money::Money,
};

use crate::wire::{BadField, Node};

/// The status of a credit note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditNoteStatus {
    /// In force.
    Issued,
    /// Voided.
    Void,
    /// A status this version does not know.
    Unknown,
}

/// A credit note: a correction of a finalized invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditNote {
    /// `cn_...`
    pub id: String,
    /// The invoice it corrects.
    pub invoice: Option<InvoiceId>,
    /// The customer.
    pub customer: Option<CustomerId>,
    /// The whole correction, tax included.
    pub amount: Money,
    /// The part that lowered the amount due: no money had been received for it. Older versions give only the
    /// kind of the whole note.
    pub pre_payment_amount: Money,
    /// The part that went onto the customer's balance at Stripe. The money stays with the business, and pays a later
    /// invoice.
    pub credited: Money,
    /// The refunds that pay out the rest. They have events of their own, so they must not be clawed back
    /// twice.
    pub refunds: Vec<String>,
    /// The status.
    pub status: CreditNoteStatus,
    /// `duplicate`, `fraudulent`, `order_change`, `product_unsatisfactory`
    pub reason: Option<String>,
}

impl CreditNote {
    pub(crate) fn read(node: &Node<'_>) -> Result<Self, BadField> {
        let currency = node.need_currency()?;
        let amount = node.need_money("amount", currency)?;
        let pre_payment = match (node.int("pre_payment_amount")?, node.text("type")?) {
            (Some(minor), _) => minor,
            (None, Some("pre_payment")) => amount.minor(),
            (None, _) => 0,
        };
        Ok(Self {
            id: node.own_id()?,
            invoice: node.id(&["invoice"])?,
            customer: node.customer()?,
            amount,
            pre_payment_amount: Money::new(pre_payment, currency),
            credited: Money::new(credited(node, amount.minor().saturating_sub(pre_payment))?, currency),
            refunds: refunds(node)?,
            status: CreditNoteStatus::read(node)?,
            reason: node.text("reason")?.map(str::to_owned),
        })
    }
}

impl CreditNoteStatus {
    fn read(node: &Node<'_>) -> Result<Self, BadField> {
        Ok(match node.text("status")? {
            Some("issued") => Self::Issued,
            Some("void") => Self::Void,
            _ => Self::Unknown,
        })
    }
}

/// Reads how much of what was paid went onto the customer's balance. A note that did so names the balance's transaction;
/// of the rest it gives the amounts (<https://docs.stripe.com/api/credit_notes/object>).
fn credited(node: &Node<'_>, paid: i64) -> Result<i64, BadField> {
    if node.id::<String>(&["customer_balance_transaction"])?.is_none() {
        return Ok(0);
    }
    let listed = node.items("refunds")?;
    let refunded = listed.iter().map(|refund| Ok(refund.int("amount_refunded")?.unwrap_or_default()));
    let refunded = refunded.collect::<Result<Vec<i64>, BadField>>()?.into_iter().fold(0, i64::saturating_add);
    let elsewhere = node.int("out_of_band_amount")?.unwrap_or_default();
    Ok(paid.saturating_sub(refunded).saturating_sub(elsewhere).max(0))
}

/// Reads `refund` until `acacia`, `refunds[].refund` since `basil`.
fn refunds(node: &Node<'_>) -> Result<Vec<String>, BadField> {
    let listed = node.items("refunds")?;
    let listed = listed.iter().map(|item| item.id(&["refund"])).collect::<Result<Vec<_>, _>>()?;
    let mut ids: Vec<String> = listed.into_iter().flatten().collect();
    if let Some(single) = node.id::<String>(&["refund"])?
        && !ids.contains(&single)
    {
        ids.push(single);
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn tells_what_was_never_paid_and_what_is_refunded() {
        let check = |fields: Value, pre_payment: i64, refunds: &[&str]| {
            let mut value = json!({"id": "cn_A1", "amount": 500, "currency": "usd", "created": 1,
                "status": "issued", "invoice": "in_A1", "customer": "cus_A1"});
            value.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            let note = CreditNote::read(&Node::root(&value)).unwrap();
            assert_eq!((note.pre_payment_amount.minor(), note.refunds), (pre_payment, to_owned(refunds)));
        };
        check(json!({"type": "pre_payment", "refund": null}), 500, &[]);
        check(json!({"type": "post_payment", "refund": "re_A1"}), 0, &["re_A1"]);
        check(json!({"type": "mixed", "pre_payment_amount": 200, "post_payment_amount": 300}), 200, &[]);
        let refunds = json!([{"refund": "re_A1", "amount_refunded": 100}, {"refund": {"id": "re_A2"}}]);
        check(json!({"type": "post_payment", "refunds": refunds}), 0, &["re_A1", "re_A2"]);
    }

    #[test]
    fn what_goes_onto_the_balance_stays_with_the_business() {
        let check = |fields: Value, credited: i64| {
            let mut value = json!({"id": "cn_A1", "amount": 500, "currency": "usd", "status": "issued",
                "invoice": "in_A1", "customer": "cus_A1"});
            value.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            assert_eq!(CreditNote::read(&Node::root(&value)).unwrap().credited.minor(), credited, "{fields}");
        };
        let balance = "cbtxn_A1";
        check(json!({"post_payment_amount": 500}), 0);
        check(json!({"customer_balance_transaction": balance}), 500);
        check(json!({"customer_balance_transaction": {"id": balance}, "pre_payment_amount": 200}), 300);
        check(json!({"customer_balance_transaction": balance, "out_of_band_amount": 150}), 350);
        let refunds = json!([{"refund": "re_A1", "amount_refunded": 100}]);
        check(json!({"customer_balance_transaction": balance, "refunds": refunds}), 400);
    }

    fn to_owned(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }
}
