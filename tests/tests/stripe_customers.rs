//! Tests of members with several Stripe customers: credit goes where bills come, and comes back from where none do.
#![allow(clippy::unwrap_used, reason = "a test stops where it must")]

use guerdon_tests::{
    World,
    stripe::{event, invoice_paid},
    telegram::{ALICE, BOB},
};
use serde_json::{Value, json};

/// An event about a subscription.
fn subscription(kind: &str, id: &str, customer: &str, status: &str) -> Value {
    let object = json!({ "id": id, "object": "subscription", "customer": customer, "status": status });
    event(&format!("evt_{kind}_{id}"), &format!("customer.subscription.{kind}"), &object)
}

/// A one-off checkout of Alice as another customer.
fn one_off(customer: &str) -> Value {
    let object = json!({
        "id": format!("cs_{customer}"), "object": "checkout.session", "mode": "payment", "payment_status": "paid",
        "currency": "usd", "amount_total": 1900, "customer": customer,
        "client_reference_id": ALICE.id.to_string(), "payment_intent": format!("pi_{customer}"),
    });
    event(&format!("evt_{customer}"), "checkout.session.completed", &object)
}

fn customer(kind: &str, id: &str, metadata: &Value) -> Value {
    let object = json!({ "id": id, "object": "customer", "metadata": metadata });
    event(&format!("evt_{kind}_{id}"), &format!("customer.{kind}"), &object)
}

fn of_alice() -> Value {
    json!({ "telegram_id": ALICE.id.to_string() })
}

/// Alice subscribes as `cus_sub`.
async fn subscriber() -> World {
    let world = World::referred().await;
    let named = customer("created", "cus_sub", &of_alice());
    world.tell(&[named, subscription("created", "sub_alice", "cus_sub", "active")]).await;
    world
}

/// Bob's payment earns Alice $10. Returns the customers that got credit.
async fn posted_to(world: &World, invoice: &str) -> Vec<(String, i64)> {
    world.tell(&[invoice_paid(invoice, "cus_bob", 3900, 3900)]).await;
    posts(world).await
}

/// The customers whose balance got credit, with the cents.
async fn posts(world: &World) -> Vec<(String, i64)> {
    let post = |post: &Value| {
        let customer = post["path"].as_str()?.split('/').nth(3)?.to_owned();
        Some((customer, -post["params"]["amount"].as_str()?.parse::<i64>().ok()?))
    };
    world.stripe_posts().await.iter().filter_map(post).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_off_through_another_link_does_not_take_the_credit() {
    let world = subscriber().await;
    world.tell(&[one_off("cus_once"), customer("updated", "cus_old", &of_alice())]).await;
    assert_eq!(posted_to(&world, "in_1").await, [("cus_sub".to_owned(), 1000)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_customers_credit_is_posted_to_the_next() {
    let world = subscriber().await;
    world.tell(&[one_off("cus_once")]).await;
    posted_to(&world, "in_1").await;
    let ended = subscription("deleted", "sub_alice", "cus_sub", "canceled");
    world.tell(&[ended, customer("deleted", "cus_sub", &of_alice())]).await;
    let [sub, once] = ["cus_sub", "cus_once"].map(|customer| (customer.to_owned(), 1000));
    assert_eq!(posts(&world).await, [sub, once]);
    let credit = world.admin(&format!("user/{}", ALICE.id)).await;
    assert_eq!((&credit["posted_to_stripe"], &credit["stripe_customer"]), (&json!(10.0), &json!("cus_once")));
    // A late event of the deleted one does not bring it back.
    world.tell(&[customer("updated", "cus_sub", &of_alice())]).await;
    assert_eq!(world.admin(&format!("user/{}", ALICE.id)).await["stripe_customer"], "cus_once");
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_of_the_only_customer_is_available_when_it_is_deleted() {
    let world = subscriber().await;
    posted_to(&world, "in_1").await;
    world.tell(&[customer("deleted", "cus_sub", &json!({}))]).await;
    let credit = world.admin(&format!("user/{}", ALICE.id)).await;
    assert_eq!((&credit["posted_to_stripe"], &credit["stripe_customer"]), (&json!(0.0), &Value::Null));
    assert_eq!(world.bill_credit(ALICE).await, 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_moves_a_customer_that_metadata_gave_to_the_wrong_member() {
    let world = World::referred().await;
    // The checkout of Alice's plan named Bob.
    let wrong = json!({ "telegram_id": BOB.id.to_string() });
    world.tell(&[customer("created", "cus_sub", &wrong)]).await;
    world.tell(&[subscription("created", "sub_alice", "cus_sub", "active")]).await;
    let path = format!("users/{}/customers", ALICE.id);
    let asked =
        json!({ "customer": "cus_sub", "reason": "case 12: the link of the shop named the wrong member" });
    let linked = world.operator_post(&path, "link-1", &asked).await;
    assert_eq!((linked.status, &linked.body["customer"]), (200, &json!("cus_sub")), "{linked:?}");
    let again = world.operator_post(&path, "link-2", &asked).await;
    assert_eq!((again.status, again.code()), (409, "already_linked"));
    let rows = world.operator_get(&path).await;
    assert_eq!(
        (rows["items"].as_array().unwrap().len(), &rows["items"][0]["gets_credit"]),
        (1, &json!(true))
    );
    assert!(world.audit().await.iter().any(|(action, _)| action == "customer.link"));
    assert_eq!(posted_to(&world, "in_1").await, [("cus_sub".to_owned(), 1000)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_id_of_a_customer_is_linked() {
    let world = World::referred().await;
    let path = format!("users/{}/customers", ALICE.id);
    for odd in
        ["", "sub_123", "in_5", "cus_", "cus_1/../x", "cus_1?x=1", "../../v1/accounts", "cus_%2e", "cus 1"]
    {
        let asked = json!({ "customer": odd, "reason": "a typing error" });
        let refused = world.operator_post(&path, "link-1", &asked).await;
        assert_eq!((refused.status, refused.code()), (400, "bad_customer"), "{odd}");
    }
    assert_eq!(world.operator_get(&path).await["items"], json!([]));
    assert!(world.audit().await.is_empty());
}
