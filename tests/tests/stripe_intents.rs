//! Tests of payment intents: one that a business made itself is booked, one of an invoice or a checkout is not, whatever
//! comes first.
#![allow(clippy::unwrap_used, reason = "a test stops where it must")]

use guerdon_app::payments::tie_reference;
use guerdon_domain::ids::{ExternalPaymentId, PaymentKey, Rail};
use guerdon_store::payments::PaymentReference;
use guerdon_tests::{
    World,
    stripe::{event, invoice_paid},
    telegram::{ALICE, BOB},
};
use serde_json::{Value, json};

fn intent(id: &str, fields: &Value) -> Value {
    let mut object = json!({
        "id": id, "object": "payment_intent", "amount": 3900, "amount_received": 3900, "currency": "usd",
        "customer": null, "latest_charge": format!("ch_{id}"), "status": "succeeded",
        "metadata": { "telegram_id": BOB.id.to_string() },
    });
    object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    event(&format!("evt_{id}"), "payment_intent.succeeded", &object)
}

fn tie(invoice: &str, intent: &str) -> Value {
    let object = json!({
        "id": format!("inpay_{invoice}"), "object": "invoice_payment", "invoice": invoice, "currency": "usd",
        "amount_paid": 3900, "created": 1_795_253_400, "status": "paid",
        "payment": { "type": "payment_intent", "payment_intent": intent },
    });
    event(&format!("evt_inpay_{invoice}"), "invoice_payment.paid", &object)
}

fn session(intent: &str) -> Value {
    let object = json!({
        "id": "cs_1", "object": "checkout.session", "mode": "payment", "payment_status": "paid", "currency": "usd",
        "amount_total": 3900, "client_reference_id": BOB.id.to_string(), "payment_intent": intent,
    });
    event("evt_cs_1", "checkout.session.completed", &object)
}

async fn is_booked(world: &World, payment: &str) -> bool {
    world.get(&format!("/api/admin/payments/stripe:{payment}")).await.status != 404
        && world.operator_refuses(&format!("payments/stripe:{payment}")).await.0 == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_that_a_business_made_itself_is_booked_once() {
    let world = World::referred().await;
    world.tell(&[intent("pi_own", &json!({}))]).await;
    assert_eq!((world.bill_credit(ALICE).await, world.parked().await.len()), (1000, 0));
    let booked = world.operator_get("payments/stripe:pi_own").await;
    assert_eq!(booked["paid"], json!(39.0), "{booked}");
    // The sibling: `user_id`, which older scripts write, and what was received of a larger amount.
    let older =
        json!({ "metadata": { "user_id": BOB.id.to_string() }, "amount": 9900, "amount_received": 1900 });
    world.tell(&[intent("pi_older", &older)]).await;
    assert_eq!(world.operator_get("payments/stripe:pi_older").await["paid"], json!(19.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refund_of_an_intent_undoes_it() {
    let world = World::referred().await;
    let refund = json!({
        "id": "re_1", "object": "refund", "amount": 3900, "currency": "usd", "payment_intent": "pi_own",
        "charge": "ch_pi_own", "status": "succeeded",
    });
    world.tell(&[event("evt_re_1", "refund.created", &refund), intent("pi_own", &json!({}))]).await;
    assert_eq!((world.bill_credit(ALICE).await, world.parked().await.len()), (0, 0));
    assert_eq!(world.operator_get("payments/stripe:pi_own").await["undone"], json!(39.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_intent_of_an_invoice_is_the_invoice_whatever_comes_first() {
    let events = [
        tie("in_1", "pi_1"),
        intent("pi_1", &json!({ "customer": "cus_bob" })),
        invoice_paid("in_1", "cus_bob", 3900, 3900),
    ];
    for order in [[0, 1, 2], [2, 0, 1], [0, 2, 1]] {
        let world = World::referred().await;
        world.tell(&order.map(|n: usize| events[n].clone())).await;
        assert_eq!(world.bill_credit(ALICE).await, 1000, "{order:?}");
        let undone = world.operator_get("payments/stripe:in_1").await["undone"].clone();
        assert_eq!((undone, world.parked().await.len()), (json!(0.0), 0), "{order:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_that_comes_before_its_invoice_waits_for_it() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    // The simulator tells the intent first, as Stripe does, and answers the look-up.
    world.sim("stripe/subscribe", &json!({ "user_id": BOB.id, "plan": "fang" })).await;
    world.drain().await;
    let events = world.sim_events().await;
    assert!(events.iter().any(|event| event.contains("payment_intent.succeeded")));
    assert_eq!((world.bill_credit(ALICE).await, world.parked().await.len()), (1000, 0));
    assert_eq!(
        world.operator_get(&format!("users/{}/payments", BOB.id)).await["items"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_intent_of_a_checkout_and_of_an_old_invoice_is_no_payment() {
    let world = World::referred().await;
    world.tell(&[session("pi_cs"), intent("pi_cs", &json!({}))]).await;
    let old = json!({ "invoice": "in_old", "customer": "cus_bob" });
    world.tell(&[intent("pi_old", &old)]).await;
    assert_eq!((world.bill_credit(ALICE).await, world.parked().await.len()), (1000, 0));
    assert!(!is_booked(&world, "pi_cs").await && !is_booked(&world, "pi_old").await);
}

fn of_intent(kind: &str, fields: &Value) -> Value {
    let mut object =
        json!({ "id": "re_1", "object": "refund", "amount": 3900, "currency": "usd", "status": "succeeded" });
    object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    event(&format!("evt_{kind}"), kind, &object)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_that_turns_out_to_have_paid_an_invoice_counts_with_it() {
    let paid = invoice_paid("in_1", "cus_bob", 3900, 3900);
    // Staff attaches the payment to an invoice afterwards, and either event may come first.
    for order in [[tie("in_1", "pi_1"), paid.clone()], [paid, tie("in_1", "pi_1")]] {
        let world = World::referred().await;
        world.tell(&[intent("pi_1", &json!({}))]).await;
        assert_eq!(world.bill_credit(ALICE).await, 1000);
        world.tell(&order).await;
        assert_eq!(world.operator_get("payments/stripe:pi_1").await["undone"], json!(39.0));
        assert_eq!(world.operator_get("payments/stripe:in_1").await["undone"], json!(0.0));
        assert_eq!((world.bill_credit(ALICE).await, world.parked().await.len()), (1000, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn until_its_invoice_is_told_the_intent_counts() {
    let world = World::referred().await;
    world.tell(&[intent("pi_1", &json!({})), tie("in_1", "pi_1")]).await;
    assert_eq!((world.bill_credit(ALICE).await, world.parked().await.len()), (1000, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refunded_or_disputed_of_the_intent_is_so_of_its_invoice() {
    let refund = of_intent("refund.created", &json!({ "payment_intent": "pi_1" }));
    // Only the charge is named, which was tied to the intent.
    let lost = of_intent(
        "charge.dispute.closed",
        &json!({ "id": "dp_1", "object": "dispute", "status": "lost", "charge": "ch_pi_1" }),
    );
    let later = [tie("in_1", "pi_1"), invoice_paid("in_1", "cus_bob", 3900, 3900)];
    for undone in [refund, lost] {
        for before in [true, false] {
            let world = World::referred().await;
            world.tell(&[intent("pi_1", &json!({}))]).await;
            let (first, last) =
                if before { (vec![undone.clone()], vec![]) } else { (vec![], vec![undone.clone()]) };
            world.tell(&[&first[..], &later[..], &last[..]].concat()).await;
            assert_eq!(world.operator_get("payments/stripe:in_1").await["undone"], json!(39.0), "{before}");
            assert_eq!((world.bill_credit(ALICE).await, world.parked().await.len()), (0, 0), "{before}");
        }
    }
}

/// The look-up at Stripe tied the intent to itself, and its own event is late.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_waits_for_an_intent_follows_it_to_its_invoice() {
    let own = PaymentKey { rail: Rail::Stripe, id: ExternalPaymentId::parse("pi_1").unwrap() };
    let refund = of_intent("refund.created", &json!({ "payment_intent": "pi_1" }));
    let taken = [invoice_paid("in_1", "cus_bob", 3900, 3900), tie("in_1", "pi_1")];
    for late in [vec![], vec![intent("pi_1", &json!({}))]] {
        let world = World::referred().await;
        let itself = PaymentReference { reference: own.clone(), payment: own.clone() };
        tie_reference(world.stack().app(), &itself).await.unwrap();
        world.tell(std::slice::from_ref(&refund)).await;
        assert_eq!(world.parked().await.len(), 1);
        world.tell(&[&taken[..], &late[..]].concat()).await;
        assert_eq!(world.operator_get("payments/stripe:in_1").await["undone"], json!(39.0));
        assert_eq!((world.bill_credit(ALICE).await, world.parked().await.len()), (0, 0));
    }
}
