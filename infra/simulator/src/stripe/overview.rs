//! A customer as the page and scripts see it.

use serde_json::{Value, json};

use super::{
    invoices, objects,
    state::{Invoice, Stripe},
};

/// A customer with everything that belongs to it, newest first.
pub(crate) fn customer(stripe: &Stripe, id: &str) -> Option<Value> {
    let customer = stripe.customers.get(id)?;
    let own = |invoice: &&Invoice| invoice.customer == id;
    let lines = stripe.transactions.iter().rev().filter(|line| line.customer == id);
    let subscriptions = stripe.subscriptions.iter().rev().filter(|subscription| subscription.customer == id);
    let shown = |invoice: &Invoice| {
        let mut shown = invoices::invoice(invoice, customer);
        // Not Stripe's fields: the page would have to ask for the payment and add refunds up.
        shown["sim_plan"] = json!(invoice.plan.name);
        shown["sim_refunded"] = json!(invoice.payment().map_or(0, |payment| payment.refunded_minor));
        shown["sim_charged"] = json!(invoice.payment().map_or(0, |payment| payment.amount_minor));
        shown
    };
    Some(json!({
        "customer": objects::customer(customer),
        "subscriptions": subscriptions.map(objects::subscription).collect::<Vec<_>>(),
        "invoices": stripe.invoices.iter().rev().filter(own).map(shown).collect::<Vec<_>>(),
        "balance_transactions": lines.map(objects::transaction).collect::<Vec<_>>(),
    }))
}
