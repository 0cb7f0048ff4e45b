//! Tests of the events that a deployment takes: those of its mode and accounts, in every size and currency.
#![allow(clippy::unwrap_used, reason = "a test stops where it must")]

use guerdon_tests::{
    World,
    stripe::{SIGNING_SECRET, event, invoice_paid, wall_now},
    telegram::{ALICE, BOB},
};
use serde_json::{Value, json};

/// Sends an event and returns whether it was taken for handling.
async fn handled(world: &World, event: &Value) -> bool {
    let answer = world.stripe_signed(&event.to_string(), SIGNING_SECRET, wall_now()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    world.drain().await;
    answer.body["handled"] == true
}

fn changed(mut event: Value, fields: &Value) -> Value {
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn only_events_of_the_own_mode_and_accounts_are_booked() {
    let world = World::referred().await;
    let paid = |id: &str| invoice_paid(id, "cus_bob", 3900, 3900);
    assert!(!handled(&world, &changed(paid("in_live"), &json!({ "livemode": true }))).await);
    assert!(!handled(&world, &changed(paid("in_other"), &json!({ "account": "acct_other" }))).await);
    assert_eq!(world.bill_credit(ALICE).await, 0);
    assert!(handled(&world, &paid("in_own")).await);
    assert_eq!(world.bill_credit(ALICE).await, 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_deployment_books_its_connected_account_and_no_sandbox() {
    let world = World::with(|config| {
        config.stripe_origin.live = true;
        config.stripe_origin.accounts = vec!["acct_shop".to_owned()];
    })
    .await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    let mut paid = invoice_paid("in_1", "cus_bob", 3900, 3900);
    paid["data"]["object"]["metadata"] = json!({ "telegram_id": BOB.id.to_string() });
    assert!(!handled(&world, &paid).await, "an event of a sandbox");
    let live = changed(paid, &json!({ "livemode": true, "account": "acct_shop" }));
    assert!(handled(&world, &live).await);
    assert_eq!(world.bill_credit(ALICE).await, 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_larger_than_a_message_of_the_queue_is_booked() {
    let world = World::referred().await;
    let mut paid = invoice_paid("in_1", "cus_bob", 3900, 3900);
    paid["data"]["object"]["description"] = json!("d".repeat(293_000));
    assert!(handled(&world, &paid).await);
    assert_eq!(world.bill_credit(ALICE).await, 1000);
    // The sibling: the large part is metadata of a line, of which only the member is read.
    let mut next = invoice_paid("in_2", "cus_carol", 3900, 3900);
    let note = json!({ "note": "n".repeat(300_000), "telegram_id": BOB.id.to_string() });
    next["data"]["object"]["lines"]["data"][0]["metadata"] = note;
    assert!(handled(&world, &next).await);
    assert_eq!(world.operator_get("payments/stripe:in_2").await["paid"], json!(39.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_event_of_another_deployment_is_acknowledged() {
    let world = World::referred().await;
    let mut unreadable = invoice_paid("in_1", "cus_bob", 3900, 3900);
    unreadable["data"]["object"]["currency"] = json!("us");
    for foreign in [json!({ "livemode": true }), json!({ "account": "acct_other" })] {
        assert!(!handled(&world, &changed(unreadable.clone(), &foreign)).await, "{foreign}");
    }
    assert_eq!(world.get("/local/queues").await.body["payments"], json!({ "live": 0, "dead": 0 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_thin_event_is_acknowledged() {
    let world = World::new().await;
    let thin = json!({
        "id": "evt_thin", "object": "v2.core.event", "type": "v1.billing.meter.no_meter_found",
        "created": "2026-11-21T09:30:00Z", "livemode": false,
    });
    assert!(!handled(&world, &thin).await);
    let unsigned = world.stripe_signed(&thin.to_string(), "whsec_another", wall_now()).await;
    assert_eq!((unsigned.status, unsigned.code()), (400, "signature_wrong"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_billed_as_a_customer_is_parked_and_linked() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    let account = json!({ "customer": null, "customer_account": "acct_bob" });
    let of_account = |mut event: Value| {
        event["data"]["object"].as_object_mut().unwrap().extend(account.as_object().unwrap().clone());
        event
    };
    world.tell(&[of_account(invoice_paid("in_1", "", 3900, 3900))]).await;
    assert_eq!(world.parked().await.len(), 1);
    let subscription =
        json!({ "id": "sub_1", "status": "active", "metadata": { "telegram_id": BOB.id.to_string() } });
    world.tell(&[of_account(event("evt_sub", "customer.subscription.created", &subscription))]).await;
    assert_eq!((world.parked().await.len(), world.bill_credit(ALICE).await), (0, 1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_currency_of_the_business_counts() {
    let world = World::referred().await;
    let session = json!({
        "id": "cs_eur", "object": "checkout.session", "mode": "payment", "payment_status": "paid",
        "currency": "eur", "amount_total": 4334, "total_details": { "amount_tax": 600 },
        "currency_conversion": { "amount_subtotal": 4680, "amount_total": 4680, "fx_rate": "0.92607",
            "source_currency": "usd" },
        "client_reference_id": BOB.id.to_string(), "payment_intent": "pi_eur",
    });
    world.tell(&[event("evt_eur", "checkout.session.completed", &session)]).await;
    let booked = world.operator_get("payments/stripe:cs_eur").await;
    assert_eq!((&booked["paid"], &booked["tax"]), (&json!(46.8), &json!(6.48)), "{booked}");
    assert_eq!(world.bill_credit(ALICE).await, 1000);
    // The sibling: its refund is in the payer's currency. Half of the euros are half of the dollars.
    let refund = json!({
        "id": "re_eur", "object": "refund", "amount": 2167, "currency": "eur", "payment_intent": "pi_eur",
        "charge": null, "status": "succeeded",
    });
    world.tell(&[event("evt_re_eur", "refund.created", &refund)]).await;
    assert_eq!((world.bill_credit(ALICE).await, world.parked().await.len()), (500, 0));
}
