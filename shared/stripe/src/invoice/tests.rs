use guerdon_domain::{
    ids::{ExternalPaymentId, TelegramId},
    money::{Currency, Money},
};
use serde_json::{Value, json};

use super::{BillingReason, Invoice, InvoiceStatus};
use crate::wire::{BadField, Node};

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn try_read(fields: Value) -> Result<Invoice, BadField> {
    let mut value = json!({"id": "in_A1", "customer": "cus_A1", "status": "paid", "currency": "usd",
        "total": 3900, "amount_due": 3900, "amount_paid": 3900, "created": 100});
    value.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    Invoice::read(&Node::root(&value))
}

fn read(fields: Value) -> Invoice {
    try_read(fields).unwrap()
}

#[test]
fn finds_the_subscription_in_every_version() {
    let check = |fields: Value, expected: Option<&str>| {
        assert_eq!(read(fields.clone()).subscription.as_deref(), expected, "{fields}");
    };
    check(json!({}), None);
    check(json!({"subscription": "sub_A1"}), Some("sub_A1"));
    check(json!({"subscription": {"id": "sub_A1", "object": "subscription"}}), Some("sub_A1"));
    check(json!({"parent": {"subscription_details": {"subscription": "sub_A1"}}}), Some("sub_A1"));
    check(json!({"parent": {"type": "quote_details", "subscription_details": null}}), None);
}

#[test]
fn finds_what_settled_it_in_every_version() {
    let check = |fields: Value, expected: [Option<&str>; 2]| {
        let invoice = read(fields.clone());
        let found = [&invoice.payment_intent, &invoice.charge];
        assert_eq!(found.map(|id| id.as_ref().map(ExternalPaymentId::as_str)), expected, "{fields}");
    };
    check(json!({}), [None, None]);
    check(json!({"payment_intent": "pi_A1", "charge": "ch_A1"}), [Some("pi_A1"), Some("ch_A1")]);
    let intent = json!({"id": "pi_A1", "latest_charge": "ch_A1"});
    check(json!({"payment_intent": intent, "charge": null}), [Some("pi_A1"), Some("ch_A1")]);
    let payment =
        |status: &str, intent: Value| json!({"status": status, "payment": {"payment_intent": intent}});
    check(
        json!({"payments": {"data": [payment("canceled", json!("pi_A0")), payment("paid", intent.clone())]}}),
        [Some("pi_A1"), Some("ch_A1")],
    );
    check(json!({"payments": {"data": [payment("open", json!("pi_A1"))]}}), [Some("pi_A1"), None]);
    let charge = json!({"status": "paid", "payment": {"type": "charge", "charge": "ch_A1"}});
    check(json!({"payments": {"data": [charge]}}), [None, Some("ch_A1")]);
}

#[test]
fn sums_the_tax_of_every_version() {
    let check = |fields: Value, expected: i64| {
        assert_eq!(read(fields.clone()).tax, usd(expected), "{fields}");
    };
    check(json!({}), 0);
    check(json!({"tax": 320}), 320);
    check(json!({"tax": null, "total_tax_amounts": [{"amount": 300}, {"amount": 20}]}), 320);
    check(json!({"total_taxes": [{"amount": 300, "tax_behavior": "inclusive"}, {"amount": 20}]}), 320);
    check(json!({"total_taxes": [], "total_excluding_tax": 3900}), 0);
    check(json!({"total_excluding_tax": 3580}), 320);
    check(json!({"tax": null, "total_excluding_tax": null}), 0);
}

#[test]
fn counts_the_credit_an_invoice_consumed() {
    let check = |status: &str, starting: i64, ending: Value, expected: i64| {
        let fields = json!({"status": status, "starting_balance": starting, "ending_balance": ending});
        assert_eq!(read(fields.clone()).credit_applied(), usd(expected), "{fields}");
    };
    check("paid", 0, json!(0), 0);
    check("paid", -1000, json!(0), 1000);
    check("paid", -5000, json!(-1100), 3900);
    check("open", -1000, json!(0), 1000);
    // A voided invoice still states the credit that it had used: that amount is returned.
    check("void", -1000, json!(0), 1000);
    check("draft", -1000, json!(null), 0);
    check("draft", -1000, json!(0), 0);
    check("open", -1000, json!(null), 0);
    // A debit that was collected, and a negative invoice that gave credit: nothing consumed.
    check("paid", 500, json!(0), 0);
    check("paid", -500, json!(-800), 0);
    // Too small to charge: 20 cents become a debit. Only the credit counts.
    check("paid", -500, json!(20), 500);
    check("paid", 0, json!(20), 0);
    check("paid", i64::MIN, json!(0), i64::MAX);
}

/// A line as versions before `basil` render it.
fn old_line(amount: i64, kind: &str, proration: bool) -> Value {
    json!({"amount": amount, "currency": "usd", "type": kind, "proration": proration,
        "subscription": "sub_A1"})
}

/// A line as versions since `basil` render it.
fn new_line(amount: i64, kind: &str, proration: bool) -> Value {
    let parent = json!({"type": kind, (kind): {"proration": proration, "subscription": "sub_A1"}});
    json!({"amount": amount, "currency": "usd", "parent": parent})
}

#[test]
fn takes_the_tier_from_the_largest_subscription_line() {
    let check = |lines: &[Value], expected: i64| {
        assert_eq!(read(json!({"lines": {"data": lines}})).tier_amount(), usd(expected), "{lines:?}");
    };
    check(&[], 3900);
    check(&[old_line(1900, "subscription", false), old_line(2000, "invoiceitem", false)], 1900);
    check(&[old_line(1900, "subscription", false), old_line(9900, "subscription", true)], 1900);
    check(&[old_line(-1900, "invoiceitem", true), old_line(3900, "invoiceitem", true)], 3900);
    let subscription =
        |amount: i64, proration: bool| new_line(amount, "subscription_item_details", proration);
    let item = |amount: i64| new_line(amount, "invoice_item_details", false);
    check(&[subscription(1900, false), subscription(3900, false)], 3900);
    check(&[subscription(1900, false), subscription(9900, true)], 1900);
    check(&[item(9900)], 3900);
    // A trial's line has the price zero, whatever else was bought.
    check(&[subscription(0, false), item(500)], 0);
}

/// A line of each version and kind: whether it is a proration, and whether it is of a subscription.
fn lines_of_every_version() -> [(Value, bool, bool); 4] {
    let period = json!({"start": 10, "end": 20});
    let old_subscription = json!({"amount": 3900, "type": "subscription", "proration": false,
        "period": period, "price": {"id": "price_A1", "product": "prod_A1"}, "plan": {"id": "plan_A1"}});
    let old_item = json!({"amount": -10, "type": "invoiceitem", "proration": true, "period": period,
        "price": null, "plan": {"id": "price_A1", "product": {"id": "prod_A1"}}});
    let pricing = json!({"type": "price_details",
        "price_details": {"price": "price_A1", "product": "prod_A1"}});
    let subscription = json!({"amount": 3900, "period": period, "pricing": pricing,
        "parent": {"invoice_item_details": null, "type": "subscription_item_details",
            "subscription_item_details": {"proration": false}}});
    let item = json!({"amount": 3900, "period": period, "pricing": pricing,
        "parent": {"subscription_item_details": null, "type": "invoice_item_details",
            "invoice_item_details": {"proration": true}}});
    [
        (old_subscription, false, true),
        (old_item, true, false),
        (subscription, false, true),
        (item, true, false),
    ]
}

#[test]
fn reads_a_line_of_every_version() {
    for (line, proration, is_subscription) in lines_of_every_version() {
        let invoice = read(json!({"lines": {"object": "list", "data": [line]}}));
        let [line] = invoice.lines.as_slice() else { panic!("one line") };
        assert_eq!((line.proration, line.is_subscription), (proration, is_subscription));
        assert_eq!((line.price.as_deref(), line.product.as_deref()), (Some("price_A1"), Some("prod_A1")));
        let period = (line.period_start.map(|at| at.seconds()), line.period_end.map(|at| at.seconds()));
        assert_eq!(period, (Some(10), Some(20)));
    }
}

#[test]
fn finds_the_member_in_any_metadata() {
    let check = |fields: Value, expected: Option<i64>| {
        assert_eq!(read(fields.clone()).member_hint().map(TelegramId::get), expected, "{fields}");
    };
    let hint = |id: &str| json!({"telegram_id": id});
    check(json!({}), None);
    check(json!({"metadata": hint("1")}), Some(1));
    check(json!({"metadata": {}, "parent": {"subscription_details": {"metadata": hint("2")}}}), Some(2));
    check(json!({"metadata": null, "subscription_details": {"metadata": hint("3")}}), Some(3));
    check(
        json!({"lines": {"data": [{"amount": 1, "metadata": {}}, {"amount": 1, "metadata": hint("4")}]}}),
        Some(4),
    );
    check(json!({"metadata": hint("1"), "subscription_details": {"metadata": hint("3")}}), Some(1));
    // The merged view: `telegram_id` in any object counts before `user_id`.
    check(
        json!({"metadata": {"user_id": "9"}, "lines": {"data": [{"amount": 1, "metadata": hint("4")}]}}),
        Some(4),
    );
    check(json!({"metadata": {"user_id": "9"}}), Some(9));
}

#[test]
fn reads_states_and_reasons() {
    let check = |status: Value, expected: InvoiceStatus| {
        assert_eq!(read(json!({"status": status})).status, expected);
    };
    check(json!("draft"), InvoiceStatus::Draft);
    check(json!("open"), InvoiceStatus::Open);
    check(json!("paid"), InvoiceStatus::Paid);
    check(json!("void"), InvoiceStatus::Void);
    check(json!("uncollectible"), InvoiceStatus::Uncollectible);
    check(json!("deferred"), InvoiceStatus::Unknown);
    check(json!(null), InvoiceStatus::Unknown);
    assert_eq!(read(json!({"status": null, "paid": true})).status, InvoiceStatus::Paid);

    let check = |reason: Value, expected: BillingReason| {
        assert_eq!(read(json!({"billing_reason": reason})).billing_reason, expected);
    };
    check(json!("subscription_create"), BillingReason::SubscriptionCreate);
    check(json!("subscription_cycle"), BillingReason::SubscriptionCycle);
    check(json!("subscription_update"), BillingReason::SubscriptionUpdate);
    check(json!("manual"), BillingReason::Manual);
    check(json!("quote_accept"), BillingReason::Other);
    check(json!(null), BillingReason::Other);
}

#[test]
fn only_the_settlement_itself_is_a_time_of_payment() {
    let check = |fields: Value, paid: Option<i64>| {
        assert_eq!(read(fields.clone()).paid_at.map(|at| at.seconds()), paid, "{fields}");
    };
    check(json!({"status_transitions": {"finalized_at": 110, "paid_at": 120}}), Some(120));
    // A bank debit settles days after the invoice was finalized: the event tells when.
    check(json!({"status_transitions": {"finalized_at": 110, "paid_at": null}}), None);
    check(json!({"finalized_at": 110, "created": 100}), None);
    check(json!({"created": null, "date": null}), None);
}

#[test]
fn nothing_paid_has_no_tax() {
    let tax = |fields: Value| read(fields).tax_paid().minor();
    assert_eq!(tax(json!({"total": -2400, "tax": -400, "amount_paid": 0})), 0);
    assert_eq!(tax(json!({"total": 0, "tax": 0, "amount_paid": 0})), 0);
    assert_eq!(tax(json!({"total": 3900, "tax": 390, "amount_paid": 0})), 0);
    assert_eq!(tax(json!({"total": 3900, "tax": 390, "amount_paid": 3900})), 390);
}

#[test]
fn money_is_never_guessed() {
    let check = |fields: Value, path: &str| {
        assert_eq!(try_read(fields.clone()).unwrap_err().path, path, "{fields}");
    };
    check(json!({"amount_paid": null}), "amount_paid");
    check(json!({"amount_due": "39.00"}), "amount_due");
    check(json!({"total": 39.5}), "total");
    check(json!({"currency": null}), "currency");
    check(json!({"currency": "dollars"}), "currency");
    check(json!({"lines": {"data": [{"amount": null}]}}), "lines.data[0].amount");
    check(json!({"total_taxes": [{"amount": "x"}]}), "total_taxes[0].amount");
    check(json!({"total_taxes": [{"amount": i64::MAX}, {"amount": 1}]}), "total_taxes[1].amount");
}
