//! Tests of the main journey: a friend joins and pays, and the referrer's next bill is ten dollars lower.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_tests::{
    World,
    stripe::{SIGNING_SECRET, wall_now},
    telegram::{ALICE, BOB, Person, message},
};
use serde_json::{Value, json};

/// The names under which the simulator knows the two.
async fn acquaint(world: &World) {
    for person in [ALICE, BOB] {
        world.post("/sim/api/users", &json!({ "id": person.id, "first_name": person.name })).await;
    }
}

/// Runs an action of the simulator for Alice, and waits until the stack is idle.
async fn for_alice(world: &World, action: &str) {
    world.sim(&format!("stripe/{action}"), &json!({ "user_id": ALICE.id })).await;
    world.drain().await;
}

async fn subscribes(world: &World, person: Person) {
    world.sim("stripe/subscribe", &json!({ "user_id": person.id, "plan": "fang" })).await;
    world.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_friend_pays_and_the_next_bill_is_ten_dollars_less() {
    let world = World::new().await;
    acquaint(&world).await;
    let code = world.code_of(ALICE).await;
    assert!(world.joins(BOB, &code).await.contains("Alice invited you"));

    subscribes(&world, BOB).await;
    let alice = world.admin(&format!("user/{}", ALICE.id)).await;
    assert_eq!((&alice["credit_balance"], &alice["converted"]), (&json!(10.0), &json!(1)));
    assert!(world.stripe_posts().await.is_empty(), "Alice is no customer yet: her credit waits");

    subscribes(&world, ALICE).await;
    for_alice(&world, "next-invoice").await;
    for_alice(&world, "finalize").await;
    ten_dollars_are_posted_once(&world).await;
    let alice = world.admin(&format!("user/{}", ALICE.id)).await;
    assert_eq!((&alice["credit_balance"], &alice["applied"]), (&json!(0.0), &json!(10.0)));
    let invoice = last_invoice(&world).await;
    assert_eq!((&invoice["starting_balance"], &invoice["amount_paid"]), (&json!(-1000), &json!(2900)));
    let texts = world.texts(ALICE.id).await.join("\n");
    for expected in ["<b>Bob</b> joined", "You earned $10.00!", "was taken off your bill"] {
        assert!(texts.contains(expected), "{expected}: {texts}");
    }
}

async fn ten_dollars_are_posted_once(world: &World) {
    let posts = world.stripe_posts().await;
    assert_eq!(posts.len(), 1, "{posts:?}");
    assert_eq!(posts[0]["params"]["amount"], "-1000");
    assert!(posts[0]["idempotency_key"].as_str().is_some_and(|key| key.starts_with("refcredit:")));
}

async fn last_invoice(world: &World) -> Value {
    let bodies = world.sim_events().await;
    let mut events = bodies.iter().filter_map(|body| serde_json::from_str::<Value>(body).ok());
    let paid = events.rfind(|event| event["type"] == "invoice.paid").expect("a paid invoice");
    paid["data"]["object"].clone()
}

/// Makes the journey in stages. A stage depends on the one before: the code must exist before the link is
/// opened, and the credit must be at Stripe before Stripe can use it for a bill. Within a stage everything may
/// arrive in any order, any number of times.
async fn journey(world: &World, storm: bool) -> String {
    acquaint(world).await;
    world.sim("stripe/hold", &json!({ "hold": true })).await;
    write(world, storm, message(world.update_id(), ALICE, "/recruit")).await;
    let code = world.code_of(ALICE).await;
    write(world, storm, message(world.update_id(), BOB, &format!("/start ref_{code}"))).await;
    let mut delivered = 0;
    let stages: [&[(&str, Value)]; 3] = [
        &[
            ("stripe/subscribe", json!({ "user_id": BOB.id, "plan": "fang" })),
            ("stripe/subscribe", json!({ "user_id": ALICE.id, "plan": "fang" })),
        ],
        &[("stripe/next-invoice", json!({ "user_id": ALICE.id }))],
        &[("stripe/finalize", json!({ "user_id": ALICE.id }))],
    ];
    for stage in stages {
        for (action, body) in stage {
            world.sim(action, body).await;
        }
        let events = world.sim_events().await;
        deliver(world, storm, &events[delivered..]).await;
        delivered = events.len();
        world.drain().await;
    }
    world.ledger(&[ALICE, BOB], &["in_sim_1", "in_sim_2", "in_sim_3"]).await
}

async fn write(world: &World, storm: bool, update: Value) {
    for _ in 0..if storm { 3 } else { 1 } {
        assert_eq!(world.update(&update).await.status, 200);
    }
    world.drain().await;
}

async fn deliver(world: &World, storm: bool, events: &[String]) {
    let mut order: Vec<_> = events.iter().collect();
    if storm {
        order.reverse();
        order = [order.clone(), order.clone(), order].concat();
    }
    for body in order {
        let answer = world.stripe_signed(body, SIGNING_SECRET, wall_now()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_times_and_in_reverse_the_ledger_is_the_same_to_the_byte() {
    let (calm, stormy) = (World::new().await, World::new().await);
    let (calm_ledger, stormy_ledger) = (journey(&calm, false).await, journey(&stormy, true).await);
    assert_eq!(calm_ledger, stormy_ledger);
    assert!(calm_ledger.contains("credit_applied"), "the journey has come to its end: {calm_ledger}");
    for world in [&calm, &stormy] {
        assert_eq!(world.stripe_posts().await.len(), 1);
        assert_eq!(world.admin("stats").await, calm.admin("stats").await);
        let earned = world.texts(ALICE.id).await.iter().filter(|text| text.contains("You earned")).count();
        assert_eq!(earned, 1, "told once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voided_bill_gives_the_credit_back_for_the_next_one() {
    let world = World::new().await;
    acquaint(&world).await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    for person in [BOB, ALICE] {
        subscribes(&world, person).await;
    }
    for_alice(&world, "next-invoice").await;
    world.sim("stripe/finalize", &json!({ "user_id": ALICE.id, "pay": false })).await;
    world.drain().await;
    for_alice(&world, "void").await;
    let alice = world.admin(&format!("user/{}", ALICE.id)).await;
    assert_eq!((&alice["credit_balance"], &alice["applied"]), (&json!(10.0), &json!(0.0)));
    world.sim("stripe/next-invoice", &json!({ "user_id": ALICE.id })).await;
    for_alice(&world, "finalize").await;
    let alice = world.admin(&format!("user/{}", ALICE.id)).await;
    assert_eq!((&alice["credit_balance"], &alice["applied"]), (&json!(0.0), &json!(10.0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn stripe_failing_before_and_after_the_effect_posts_the_credit_once() {
    for after_commit in [false, true] {
        let world = World::new().await;
        acquaint(&world).await;
        let code = world.code_of(ALICE).await;
        world.joins(BOB, &code).await;
        world.sim("stripe/subscribe", &json!({ "user_id": ALICE.id, "plan": "fang" })).await;
        world.drain().await;
        let failure = json!({ "next": 2, "status": 500, "after_commit": after_commit });
        world.post("/sim/api/stripe/fail", &failure).await;
        world.sim("stripe/subscribe", &json!({ "user_id": BOB.id, "plan": "fang" })).await;
        world.drain().await;
        let alice = world.admin(&format!("user/{}", ALICE.id)).await;
        let customer = alice["stripe_customer"].as_str().expect("a customer");
        let state = world.get(&format!("/sim/api/stripe/customers/{customer}")).await.body;
        let credits: Vec<_> =
            find_all(&state, "amount").into_iter().filter(|amount| *amount == -1000).collect();
        assert_eq!(credits.len(), 1, "after_commit {after_commit}: {state}");
        assert_eq!(alice["posted_to_stripe"], json!(10.0));
        assert_eq!(world.get("/local/queues").await.body["credits"]["dead"], 0);
    }
}

fn find_all(value: &Value, name: &str) -> Vec<i64> {
    match value {
        Value::Object(fields) => {
            let own = fields.get(name).and_then(Value::as_i64);
            own.into_iter().chain(fields.values().flat_map(|v| find_all(v, name))).collect()
        }
        Value::Array(items) => items.iter().flat_map(|v| find_all(v, name)).collect(),
        _ => Vec::new(),
    }
}
