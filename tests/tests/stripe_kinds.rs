//! Tests of what Stripe may send that few think of: each is booked, parked, or refused by its name.
#![allow(clippy::unwrap_used, reason = "a test stops where it must")]

use guerdon_tests::{
    World,
    stripe::{checkout, event, invoice_paid},
    telegram::{ALICE, BOB},
};
use serde_json::{Value, json};

/// A paid invoice of $39.00 and the tie to its payment intent.
fn paid() -> [Value; 2] {
    let tie = json!({
        "id": "inpay_1", "object": "invoice_payment", "invoice": "in_1", "currency": "usd", "amount_paid": 3900,
        "created": 1_795_253_400, "status": "paid",
        "payment": { "type": "payment_intent", "payment_intent": "pi_1" },
    });
    [invoice_paid("in_1", "cus_bob", 3900, 3900), event("evt_inpay_1", "invoice_payment.paid", &tie)]
}

/// An event about a dispute of the payment, with `fields` in place of the usual ones.
fn dispute(kind: &str, status: &str, fields: &Value) -> Value {
    let mut object = json!({
        "id": "dp_1", "object": "dispute", "amount": 3900, "currency": "usd", "charge": "ch_1",
        "payment_intent": "pi_1", "status": status,
    });
    object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    event(&format!("evt_{kind}_{status}"), &format!("charge.dispute.{kind}"), &object)
}

fn refund(id: &str, minor: i64, currency: &str, intent: Option<&str>) -> Value {
    let object = json!({
        "id": id, "object": "refund", "amount": minor, "currency": currency, "payment_intent": intent,
        "charge": null, "status": "succeeded",
    });
    event(&format!("evt_{id}"), "refund.created", &object)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_dispute_stays_lost_when_a_part_is_reinstated() {
    let world = World::referred().await;
    world.tell(&paid()).await;
    world.tell(&[refund("re_1", 1000, "usd", Some("pi_1"))]).await;
    assert_eq!(world.bill_credit(ALICE).await, 744, "of ten dollars, for $29.00 of $39.00");
    world
        .tell(&[
            dispute("created", "needs_response", &json!({})),
            dispute("closed", "lost", &json!({})),
            dispute("funds_reinstated", "lost", &json!({})),
        ])
        .await;
    assert_eq!(world.bill_credit(ALICE).await, 0);
    assert_eq!(world.operator_get("payments/stripe:in_1").await["undone"], json!(39.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reinstatement_without_a_decision_gives_back() {
    let world = World::referred().await;
    world.tell(&paid()).await;
    world.tell(&[dispute("funds_withdrawn", "under_review", &json!({}))]).await;
    assert_eq!(world.bill_credit(ALICE).await, 0);
    world.tell(&[dispute("funds_reinstated", "under_review", &json!({}))]).await;
    assert_eq!(world.bill_credit(ALICE).await, 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_that_credits_the_customer_earns_nothing() {
    let world = World::referred().await;
    let mut invoice = invoice_paid("in_1", "cus_bob", 0, 0);
    let object = &mut invoice["data"]["object"];
    (object["total"], object["subtotal"], object["tax"]) = (json!(-2400), json!(-2000), json!(-400));
    world.tell(&[invoice]).await;
    let why = world.operator_get("payments/stripe:in_1").await;
    assert_eq!(why["trace"][0]["code"], "zero_amount", "{why}");
    assert_eq!(world.bill_credit(ALICE).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_method_settles_when_its_event_says() {
    let world = World::referred().await;
    let session = json!({
        "id": "cs_late", "object": "checkout.session", "mode": "payment", "payment_status": "paid",
        "currency": "usd", "amount_total": 3900, "created": 1_794_648_600, "customer": null,
        "client_reference_id": BOB.id.to_string(), "payment_intent": "pi_late",
    });
    world.tell(&[event("evt_late", "checkout.session.async_payment_succeeded", &session)]).await;
    let why = world.operator_get("payments/stripe:cs_late").await;
    assert_eq!(why["paid_at"], "2026-11-21T09:31:40Z", "not when it was opened, a week before: {why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_without_a_time_of_its_own_is_no_dead_letter() {
    let world = World::referred().await;
    let session = json!({
        "id": "cs_old", "object": "checkout.session", "mode": "payment", "payment_status": "paid",
        "currency": "usd", "amount_total": 3900, "client_reference_id": BOB.id.to_string(),
    });
    world.tell(&[event("evt_old", "checkout.session.completed", &session)]).await;
    assert_eq!(world.bill_credit(ALICE).await, 1000);
    // The sibling: an invoice that has no times at all.
    let mut invoice = invoice_paid("in_1", "cus_bob", 3900, 3900);
    let object = invoice["data"]["object"].as_object_mut().unwrap();
    object.retain(|name, _| name != "created" && name != "status_transitions");
    world.tell(&[invoice]).await;
    assert_eq!(world.operator_get("payments/stripe:in_1").await["paid_at"], "2026-11-21T09:31:40Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn reversals_that_fit_no_payment_are_decided() {
    let world = World::referred().await;
    world.tell(&paid()).await;
    // The cash balance of a customer is refunded without a charge: nothing of it is booked here.
    world.tell(&[refund("re_cash", 500, "usd", None)]).await;
    assert_eq!((world.bill_credit(ALICE).await, world.parked().await.len()), (1000, 0));
    // How much of $39.00 are 10 euros? An operator decides.
    world.tell(&[refund("re_eur", 1000, "eur", Some("pi_1"))]).await;
    assert_eq!((world.bill_credit(ALICE).await, world.parked().await.len()), (1000, 1));
    assert_eq!(world.parked().await[0]["awaited"], "reversal_in_another_currency");
    // A dispute takes the whole payment, whatever the cardholder's currency.
    world
        .tell(&[dispute("funds_withdrawn", "needs_response", &json!({ "currency": "eur", "amount": 3612 }))])
        .await;
    assert_eq!(world.bill_credit(ALICE).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_without_an_id_is_its_charges_only_one() {
    let world = World::referred().await;
    world.tell(&paid()).await;
    world.tell(&[dispute("funds_withdrawn", "needs_response", &json!({ "id": null }))]).await;
    assert_eq!(world.bill_credit(ALICE).await, 0);
    world.tell(&[dispute("closed", "won", &json!({ "id": null }))]).await;
    assert_eq!(world.bill_credit(ALICE).await, 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_note_to_the_balance_takes_nothing_back() {
    let world = World::referred().await;
    world.tell(&paid()).await;
    let note = |id: &str, fields: &Value| {
        let mut object = json!({
            "id": id, "object": "credit_note", "invoice": "in_1", "customer": "cus_bob", "currency": "usd",
            "amount": 1950, "pre_payment_amount": 0, "post_payment_amount": 1950, "refunds": [], "status": "issued",
        });
        object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        event(&format!("evt_{id}"), "credit_note.created", &object)
    };
    world.tell(&[note("cn_1", &json!({ "customer_balance_transaction": "cbtxn_1" }))]).await;
    assert_eq!(world.bill_credit(ALICE).await, 1000, "the money stays, and pays the next invoice");
    // The sibling: money that was paid back outside of Stripe is gone.
    let outside = json!({ "customer_balance_transaction": "cbtxn_2", "out_of_band_amount": 1950 });
    world.tell(&[note("cn_2", &outside)]).await;
    assert_eq!(world.bill_credit(ALICE).await, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_before_the_referral_earns_nothing_however_late_it_is_told() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    world.advance(3600).await;
    world.joins(BOB, &code).await;
    world.stripe(&checkout(BOB, "cus_bob")).await;
    // It settled an hour before Bob joined; the event comes afterwards.
    world.tell(&[invoice_paid("in_old", "cus_bob", 3900, 3900)]).await;
    let why = world.operator_get("payments/stripe:in_old").await;
    assert_eq!(why["trace"][0]["code"], "before_referral", "{why}");
    world.advance(7200).await;
    let mut next = invoice_paid("in_new", "cus_bob", 3900, 3900);
    next["data"]["object"]["status_transitions"]["paid_at"] = json!(1_795_253_400 + 7200);
    world.tell(&[next]).await;
    assert_eq!(world.bill_credit(ALICE).await, 1000, "the first payment as a referee converts");
}
