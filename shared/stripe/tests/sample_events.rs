//! Our own sample events (`events/stripe`): each is read as its own type, with the ids that other tests and
//! the simulator rely on.
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions, but not in their helpers")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use guerdon_domain::ids::{CustomerId, ExternalPaymentId, TelegramId};
use guerdon_stripe::{
    event::{EventObject, StripeEvent},
    invoice::{BillingReason, Invoice, InvoiceStatus},
};

/// The file's name without `.json`; the kind of object; the customer it names; the member it hints at. The
/// part before `--` is the event's type.
const SAMPLES: [(&str, &str, Option<&str>, Option<i64>); 41] = [
    ("charge.dispute.closed--lost", "Dispute", None, None),
    ("charge.dispute.closed--won", "Dispute", None, None),
    ("charge.dispute.created", "Dispute", None, None),
    ("charge.dispute.created--inquiry", "Dispute", None, None),
    ("charge.dispute.funds_reinstated", "Dispute", None, None),
    ("charge.dispute.funds_withdrawn", "Dispute", None, None),
    ("charge.refunded", "Charge", Some("cus_B1"), None),
    ("charge.refunded--partial--2023-10-16", "Charge", Some("cus_B1"), None),
    ("checkout.session.async_payment_failed", "Checkout", None, Some(700_000_005)),
    ("checkout.session.async_payment_succeeded", "Checkout", None, Some(700_000_005)),
    ("checkout.session.completed--payment", "Checkout", Some("cus_B1"), Some(700_000_002)),
    ("checkout.session.completed--subscription", "Checkout", Some("cus_B1"), Some(700_000_002)),
    ("checkout.session.completed--subscription--2023-10-16", "Checkout", Some("cus_B1"), Some(700_000_002)),
    ("checkout.session.completed--unpaid-blik", "Checkout", None, Some(700_000_005)),
    ("credit_note.created", "CreditNote", Some("cus_B1"), None),
    ("credit_note.created--2023-10-16", "CreditNote", Some("cus_B1"), None),
    ("credit_note.voided", "CreditNote", Some("cus_B1"), None),
    ("customer.created", "Customer", Some("cus_B1"), Some(700_000_002)),
    ("customer.deleted", "Customer", Some("cus_B1"), Some(700_000_002)),
    ("customer.subscription.created", "Subscription", Some("cus_B1"), Some(700_000_002)),
    ("customer.subscription.deleted", "Subscription", Some("cus_B1"), Some(700_000_002)),
    ("customer.subscription.updated", "Subscription", Some("cus_A1"), Some(700_000_001)),
    (
        "customer.subscription.updated--cancel-at-end--2023-10-16",
        "Subscription",
        Some("cus_A1"),
        Some(700_000_001),
    ),
    ("customer.updated", "Customer", Some("cus_A1"), Some(700_000_001)),
    ("invoice.created--renewal-draft", "Invoice", Some("cus_A1"), Some(700_000_001)),
    ("invoice.created--renewal-draft--2023-10-16", "Invoice", Some("cus_A1"), Some(700_000_001)),
    ("invoice.marked_uncollectible", "Invoice", Some("cus_A1"), Some(700_000_001)),
    ("invoice.paid--first-19", "Invoice", Some("cus_D1"), Some(700_000_004)),
    ("invoice.paid--first-39", "Invoice", Some("cus_B1"), Some(700_000_002)),
    ("invoice.paid--first-39--2023-10-16", "Invoice", Some("cus_B1"), Some(700_000_002)),
    ("invoice.paid--renewal-with-credit", "Invoice", Some("cus_A1"), Some(700_000_001)),
    ("invoice.paid--trial-zero", "Invoice", Some("cus_C1"), Some(700_000_003)),
    ("invoice.paid--upgrade-proration", "Invoice", Some("cus_D1"), Some(700_000_004)),
    ("invoice.payment_failed", "Invoice", Some("cus_A1"), Some(700_000_001)),
    ("invoice.voided", "Invoice", Some("cus_A1"), Some(700_000_001)),
    ("invoice_payment.paid", "InvoicePayment", None, None),
    ("payment_intent.succeeded", "PaymentIntent", Some("cus_B1"), Some(700_000_002)),
    ("product.created--unhandled", "Unhandled", None, None),
    ("refund.created", "Refund", None, None),
    ("refund.failed", "Refund", None, None),
    ("refund.updated", "Refund", None, None),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/stripe")
}

fn sample(name: &str) -> StripeEvent {
    let body = std::fs::read(folder().join(format!("{name}.json"))).unwrap();
    StripeEvent::parse(&body).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn invoice(name: &str) -> Invoice {
    let EventObject::Invoice(invoice) = sample(name).object else { panic!("{name} is no invoice") };
    invoice
}

fn object_name(object: &EventObject) -> &'static str {
    match object {
        EventObject::Checkout(_) => "Checkout",
        EventObject::Invoice(_) => "Invoice",
        EventObject::InvoicePayment(_) => "InvoicePayment",
        EventObject::PaymentIntent(_) => "PaymentIntent",
        EventObject::Customer(_) => "Customer",
        EventObject::Subscription(_) => "Subscription",
        EventObject::Charge(_) => "Charge",
        EventObject::Refund(_) => "Refund",
        EventObject::Dispute(_) => "Dispute",
        EventObject::CreditNote(_) => "CreditNote",
        EventObject::Unhandled => "Unhandled",
    }
}

#[test]
fn the_table_lists_every_file() {
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let listed: BTreeSet<String> = SAMPLES.iter().map(|(name, ..)| format!("{name}.json")).collect();
    assert_eq!(files, listed);
}

#[test]
fn every_sample_is_read_as_what_it_is() {
    for (name, object, customer, member) in SAMPLES {
        let event = sample(name);
        assert_eq!(event.kind, name.split("--").next().unwrap(), "{name}");
        assert_eq!(object_name(&event.object), object, "{name}");
        assert_eq!(event.customer().map(CustomerId::as_str), customer, "{name}");
        assert_eq!(event.member_hint().map(TelegramId::get), member, "{name}");
    }
}

#[test]
fn a_slim_event_is_read_as_the_whole_one() {
    for file in std::fs::read_dir(folder()).unwrap() {
        let body = std::fs::read(file.unwrap().path()).unwrap();
        let slim = guerdon_stripe::slim::slim(&body);
        assert_eq!(StripeEvent::read(&slim), StripeEvent::parse(&body));
        assert!(slim.to_string().len() < body.len() / 2, "{slim}");
    }
}

#[test]
fn nothing_personal_is_kept() {
    for (name, ..) in SAMPLES {
        let shown = format!("{:?}", sample(name));
        for personal in ["somebody@example.com", "Some Body", "Prosta", "Warszawa", "4242"] {
            assert!(!shown.contains(personal), "{name} keeps {personal}");
        }
    }
}

#[test]
fn old_and_new_shapes_of_an_invoice_say_the_same() {
    for name in ["invoice.paid--first-39", "invoice.created--renewal-draft"] {
        let new = invoice(name);
        let mut old = invoice(&format!("{name}--2023-10-16"));
        // Only the old form names the payment that settled it.
        (old.payment_intent, old.charge) = (None, None);
        assert_eq!(old, new, "{name}");
    }
    let old = invoice("invoice.paid--first-39--2023-10-16");
    assert_eq!(old.payment_intent.as_ref().map(ExternalPaymentId::as_str), Some("pi_B1"));
    let EventObject::InvoicePayment(link) = sample("invoice_payment.paid").object else { panic!("a link") };
    assert_eq!((link.invoice, link.payment_intent), (old.id, old.payment_intent));
}

#[test]
fn invoices_tell_money_tier_and_credit() {
    let check = |name: &str, status: InvoiceStatus, reason: BillingReason, amounts: [i64; 3]| {
        let invoice = invoice(name);
        assert_eq!((invoice.status, invoice.billing_reason), (status, reason), "{name}");
        let found = [invoice.amount_paid, invoice.tier_amount(), invoice.credit_applied()].map(|m| m.minor());
        assert_eq!(found, amounts, "{name}: paid, tier, credit");
    };
    use BillingReason::{SubscriptionCreate, SubscriptionCycle, SubscriptionUpdate};
    check("invoice.created--renewal-draft", InvoiceStatus::Draft, SubscriptionCycle, [0, 3900, 0]);
    check("invoice.paid--first-39", InvoiceStatus::Paid, SubscriptionCreate, [3900, 3900, 0]);
    check("invoice.paid--first-19", InvoiceStatus::Paid, SubscriptionCreate, [1900, 1900, 0]);
    check("invoice.paid--trial-zero", InvoiceStatus::Paid, SubscriptionCreate, [0, 0, 0]);
    check("invoice.paid--renewal-with-credit", InvoiceStatus::Paid, SubscriptionCycle, [2900, 3900, 1000]);
    check("invoice.paid--upgrade-proration", InvoiceStatus::Paid, SubscriptionUpdate, [2000, 2000, 0]);
    check("invoice.payment_failed", InvoiceStatus::Open, SubscriptionCycle, [0, 3900, 1000]);
    check("invoice.voided", InvoiceStatus::Void, SubscriptionCycle, [0, 3900, 1000]);
    check("invoice.marked_uncollectible", InvoiceStatus::Uncollectible, SubscriptionCycle, [0, 3900, 1000]);
}
