//! Tests of Stripe's events about returned money, in every order.
#![allow(clippy::unwrap_used, reason = "a test stops where it must")]

use guerdon_app::verification::verify_ledger;
use guerdon_domain::{money::Currency, wallets::WalletKind};
use guerdon_tests::{
    World,
    stripe::{checkout, event, invoice_paid},
    telegram::{ALICE, Person},
};
use serde_json::{Value, json};

fn at(seconds: i64, mut event: Value) -> Value {
    event["created"] = json!(1_795_253_400 + seconds);
    event
}

fn refund(id: &str, intent: &str, minor: i64, status: &str, kind: &str) -> Value {
    let object = json!({
        "id": id, "object": "refund", "amount": minor, "currency": "usd", "created": 1_795_253_500,
        "charge": format!("ch_{intent}"), "payment_intent": intent, "status": status,
    });
    event(&format!("evt_{kind}_{id}_{status}"), kind, &object)
}

fn dispute(intent: &str, status: &str, kind: &str) -> Value {
    let object = json!({
        "id": format!("dp_{intent}"), "object": "dispute", "amount": 3900, "currency": "usd",
        "created": 1_795_253_500, "charge": format!("ch_{intent}"), "payment_intent": intent, "status": status,
    });
    event(&format!("evt_{kind}_{intent}"), kind, &object)
}

/// The event that ties a payment intent to its invoice since API version `basil`.
fn tie(invoice: &str, intent: &str) -> Value {
    let object = json!({
        "id": format!("inpay_{invoice}"), "object": "invoice_payment", "invoice": invoice, "currency": "usd",
        "amount_paid": 3900, "created": 1_795_253_400, "status": "paid",
        "payment": { "type": "payment_intent", "payment_intent": intent },
    });
    event(&format!("evt_inpay_{invoice}"), "invoice_payment.paid", &object)
}

async fn credit(world: &World) -> (i64, i64, i64) {
    let (store, alice) = (world.stack().app().store(), world.member(ALICE));
    let wallet = store.wallets().find(&alice, WalletKind::BillCredit, Currency::USD).await.unwrap();
    (wallet.buckets.available, wallet.buckets.held, wallet.buckets.owed)
}

/// Makes a referee of Alice's who has not paid yet.
async fn referee(world: &World, n: i64) -> Person {
    const NAMES: [&str; 6] = ["Ria", "Sam", "Tom", "Uma", "Vic", "Wim"];
    let person = Person { id: 7_000 + n, name: NAMES[n as usize % 6] };
    let code = world.code_of(ALICE).await;
    world.joins(person, &code).await;
    person
}

/// Sends every event twice, and waits until the stack is idle after each.
async fn tell(world: &World, events: &[Value]) {
    for event in events {
        world.stripe(event).await;
        world.stripe(event).await;
        world.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_refund_takes_half_the_commission_whatever_comes_first() {
    let world = World::new().await;
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (n, order) in orders.into_iter().enumerate() {
        let person = referee(&world, n as i64).await;
        let (customer, invoice, intent) = (format!("cus_{n}"), format!("in_{n}"), format!("pi_{n}"));
        let said = [
            invoice_paid(&invoice, &customer, 3900, 3900),
            tie(&invoice, &intent),
            at(60, refund(&format!("re_{n}"), &intent, 1950, "succeeded", "refund.created")),
        ];
        let events: Vec<_> = order.into_iter().map(|which| said[which].clone()).collect();
        tell(&world, &[checkout(person, &customer)]).await;
        tell(&world, &events).await;
        assert_eq!(credit(&world).await, (500 * (n as i64 + 1), 0, 0), "order {order:?}");
    }
    assert!(
        world.stack().app().store().parked().list(None, 10).await.unwrap().is_empty(),
        "nothing waits any more"
    );
    let told = world.texts(ALICE.id).await.join("\n");
    assert!(told.contains("refunded"), "{told}");
}

/// The report of a charge that was refunded whole.
fn refunded_charge() -> Value {
    let object = json!({
        "id": "ch_pi_0", "object": "charge", "amount": 3900, "amount_refunded": 3900, "currency": "usd",
        "created": 1_795_253_400, "customer": "cus_0", "payment_intent": "pi_0", "refunded": true,
        "disputed": false, "status": "succeeded",
    });
    event("evt_charge", "charge.refunded", &object)
}

fn credit_note(status: &str, kind: &str) -> Value {
    let object = json!({
        "id": "cn_1", "object": "credit_note", "invoice": "in_0", "customer": "cus_0", "currency": "usd",
        "amount": 3900, "pre_payment_amount": 0, "post_payment_amount": 3900, "refunds": [],
        "status": status, "created": 1_795_253_600,
    });
    event(&format!("evt_{kind}"), kind, &object)
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_disputes_and_credit_notes_move_the_credit_as_stripe_says() {
    let world = World::new().await;
    let bob = referee(&world, 0).await;
    tell(&world, &[checkout(bob, "cus_0"), invoice_paid("in_0", "cus_0", 3900, 3900), tie("in_0", "pi_0")])
        .await;
    for (event, available) in [
        (at(10, refund("re_1", "pi_0", 1300, "pending", "refund.created")), 667),
        (at(11, refund("re_1", "pi_0", 1300, "failed", "refund.failed")), 1000),
        // Refunds are reported one by one here, so the charge's total adds nothing.
        (at(12, refunded_charge()), 1000),
        (at(20, dispute("pi_0", "needs_response", "charge.dispute.created")), 1000),
        (at(21, dispute("pi_0", "needs_response", "charge.dispute.funds_withdrawn")), 0),
        (at(90, dispute("pi_0", "won", "charge.dispute.closed")), 1000),
        (at(91, dispute("pi_0", "won", "charge.dispute.funds_reinstated")), 1000),
        (at(100, credit_note("issued", "credit_note.created")), 0),
        (at(101, credit_note("void", "credit_note.voided")), 1000),
    ] {
        tell(&world, std::slice::from_ref(&event)).await;
        assert_eq!(credit(&world).await, (available, 0, 0), "{}", event["type"]);
    }
    let why = world.operator_get("payments/stripe:in_0").await;
    assert_eq!(why["trace"][0]["amount"], json!(10.0), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_on_the_bill_already_is_owed_and_netted_from_the_next_reward() {
    let world = World::new().await;
    let first = referee(&world, 0).await;
    tell(&world, &[checkout(ALICE, "cus_alice"), checkout(first, "cus_0")]).await;
    tell(&world, &[invoice_paid("in_0", "cus_0", 3900, 3900), tie("in_0", "pi_0")]).await;
    assert_eq!(credit(&world).await, (0, 1000, 0), "posted to the Stripe balance");
    tell(&world, &[at(60, refund("re_1", "pi_0", 3900, "succeeded", "refund.created"))]).await;
    assert_eq!(credit(&world).await, (0, 1000, 1000));
    assert!(world.says(ALICE, "/credits").await.contains("10.00"));
    let second = referee(&world, 1).await;
    tell(&world, &[checkout(second, "cus_1"), invoice_paid("in_1", "cus_1", 3900, 3900)]).await;
    assert_eq!(credit(&world).await, (0, 1000, 0));
    let verified = verify_ledger(world.stack().app(), None, 1000).await.unwrap();
    assert_eq!((verified.difference, verified.next), (None, None));
    assert!(verified.wallets > 0 && verified.payments == 2);
}
