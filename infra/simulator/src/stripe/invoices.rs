//! The JSON shape of an invoice, at each stage of its life.

use serde_json::{Value, json};

use super::{
    objects::{merge, price_id, product_id},
    state::{Customer, Invoice, Stage, settle},
};

/// The figures that differ from stage to stage.
struct Figures {
    status: &'static str,
    starting_balance: i64,
    ending_balance: Option<i64>,
    due: i64,
    paid: i64,
    attempted: bool,
    auto_advance: bool,
    finalized_at: Option<i64>,
    paid_at: Option<i64>,
    voided_at: Option<i64>,
}

impl Figures {
    fn of(invoice: &Invoice, customer: &Customer) -> Self {
        let Some(finalized) = invoice.finalized() else { return Self::draft(invoice, customer) };
        let mut figures = Self {
            status: "open",
            starting_balance: finalized.starting_balance_minor,
            ending_balance: Some(finalized.ending_balance_minor),
            due: finalized.due_minor,
            paid: 0,
            attempted: false,
            auto_advance: true,
            finalized_at: Some(finalized.at),
            paid_at: None,
            voided_at: None,
        };
        match &invoice.stage {
            Stage::Draft | Stage::Open { .. } => {}
            Stage::Paid { paid_at, .. } => {
                (figures.status, figures.paid, figures.paid_at) =
                    ("paid", finalized.due_minor, Some(*paid_at));
                (figures.attempted, figures.auto_advance) = (true, false);
            }
            Stage::Void { voided_at, .. } => {
                (figures.status, figures.voided_at, figures.auto_advance) = ("void", Some(*voided_at), false);
            }
        }
        figures
    }

    /// A draft shows what it would do with the balance of this moment, and fixes nothing.
    fn draft(invoice: &Invoice, customer: &Customer) -> Self {
        let balance = customer.balance_in(&invoice.plan.currency);
        let due = settle(balance, invoice.total_minor()).map_or(invoice.total_minor(), |(due, _)| due);
        Self {
            status: "draft",
            starting_balance: balance,
            ending_balance: None,
            due,
            paid: 0,
            attempted: false,
            auto_advance: true,
            finalized_at: None,
            paid_at: None,
            voided_at: None,
        }
    }
}

pub(crate) fn invoice(invoice: &Invoice, customer: &Customer) -> Value {
    let figures = Figures::of(invoice, customer);
    let is_draft = figures.finalized_at.is_none();
    let finalizes_at = is_draft.then(|| invoice.created.saturating_add(3_600));
    let mut object = json!({
        "id": invoice.id, "object": "invoice", "account_country": "US", "account_name": "Simulated business",
        "account_tax_ids": null, "amount_due": figures.due, "amount_overpaid": 0, "amount_paid": figures.paid,
        "amount_remaining": figures.due.saturating_sub(figures.paid), "amount_shipping": 0,
        "application": null, "attempt_count": i32::from(figures.attempted), "attempted": figures.attempted,
        "auto_advance": figures.auto_advance,
        "automatic_tax": {
            "disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null,
        },
        "automatically_finalizes_at": finalizes_at, "billing_reason": invoice.reason,
        "collection_method": "charge_automatically", "created": invoice.created,
        "currency": invoice.plan.currency, "custom_fields": null, "customer": invoice.customer,
        "customer_account": null, "customer_address": null, "customer_email": customer.email,
        "customer_name": customer.name, "customer_phone": null, "customer_shipping": null,
        "customer_tax_exempt": "none", "customer_tax_ids": [], "default_payment_method": null,
        "default_source": null, "default_tax_rates": [], "description": null, "discounts": [],
        "due_date": null, "effective_at": figures.finalized_at, "ending_balance": figures.ending_balance,
        "footer": null, "from_invoice": null, "hosted_invoice_url": null, "invoice_pdf": null,
    });
    let rest = json!({
        "issuer": {"type": "self"}, "last_finalization_error": null, "latest_revision": null,
        "lines": {
            "object": "list", "data": [line(invoice)], "has_more": false, "total_count": 1,
            "url": format!("/v1/invoices/{}/lines", invoice.id),
        },
        "livemode": false, "metadata": {}, "next_payment_attempt": finalizes_at,
        "number": (!is_draft).then_some(&invoice.number), "on_behalf_of": null,
        "parent": {
            "quote_details": null,
            "subscription_details": {"metadata": {}, "subscription": invoice.subscription},
            "type": "subscription_details",
        },
        "payment_settings": {
            "default_mandate": null, "payment_method_options": null, "payment_method_types": null,
        },
    });
    merge(&mut object, rest);
    merge(&mut object, totals(invoice, &figures));
    object
}

fn totals(invoice: &Invoice, figures: &Figures) -> Value {
    // Of an invoice, not of its line: for a renewal it is the period that has just ended.
    let (start, end) = match invoice.reason {
        super::state::BillingReason::SubscriptionCreate => (invoice.created, invoice.created),
        super::state::BillingReason::SubscriptionCycle => {
            (invoice.period.start.saturating_sub(super::state::PERIOD_SECONDS), invoice.period.start)
        }
    };
    let total = invoice.total_minor();
    json!({
        "period_end": end, "period_start": start, "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0, "receipt_number": null, "rendering": null,
        "shipping_cost": null, "shipping_details": null, "starting_balance": figures.starting_balance,
        "statement_descriptor": null, "status": figures.status,
        "status_transitions": {
            "finalized_at": figures.finalized_at, "marked_uncollectible_at": null,
            "paid_at": figures.paid_at, "voided_at": figures.voided_at,
        },
        "subtotal": total, "subtotal_excluding_tax": total, "test_clock": null, "total": total,
        "total_discount_amounts": [], "total_excluding_tax": total, "total_pretax_credit_amounts": [],
        "total_taxes": [], "webhooks_delivered_at": invoice.delivered_at,
    })
}

fn line(invoice: &Invoice) -> Value {
    let total = invoice.total_minor();
    json!({
        "id": invoice.line, "object": "line_item", "amount": total, "currency": invoice.plan.currency,
        "description": format!("1 × {}", invoice.plan.name), "discount_amounts": [], "discountable": true,
        "discounts": [], "invoice": invoice.id, "livemode": false, "metadata": {},
        "parent": {
            "invoice_item_details": null,
            "subscription_item_details": {
                "invoice_item": null, "proration": false, "proration_details": {"credited_items": null},
                "subscription": invoice.subscription, "subscription_item": invoice.item,
            },
            "type": "subscription_item_details",
        },
        "period": {"end": invoice.period.end, "start": invoice.period.start}, "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price_id(&invoice.plan), "product": product_id(&invoice.plan)},
            "type": "price_details", "unit_amount_decimal": total.to_string(),
        },
        "quantity": 1, "quantity_decimal": "1", "subscription": invoice.subscription, "subtotal": total,
        "taxes": [],
    })
}
