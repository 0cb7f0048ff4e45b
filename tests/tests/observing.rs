//! Tests that one id connects a webhook, the items that were written, and the message about them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_tests::{
    World,
    lines::Lines,
    telegram::{ALICE, BOB},
};
use serde_json::{Value, json};

/// The id of the last event of a type that the simulated Stripe sent.
async fn last_event(world: &World, kind: &str) -> String {
    let bodies = world.sim_events().await;
    let mut events = bodies.iter().map(|body| serde_json::from_str::<Value>(body).unwrap());
    let event = events.rfind(|event| event["type"] == kind).unwrap();
    event["id"].as_str().unwrap().to_owned()
}

// One thread and one test in this file: see `Lines::of_this_thread`.
#[tokio::test]
async fn one_id_leads_from_the_webhook_to_the_ledger_and_to_the_message() {
    let (lines, guard) = Lines::of_this_thread();
    let world = World::new().await;
    for person in [ALICE, BOB] {
        world.post("/sim/api/users", &json!({ "id": person.id, "first_name": person.name })).await;
    }
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    world.sim("stripe/subscribe", &json!({ "user_id": BOB.id, "plan": "fang" })).await;
    world.drain().await;
    drop(guard);

    let event = last_event(&world, "invoice.paid").await;
    let payments = world.operator_get(&format!("users/{}/payments", BOB.id)).await;
    assert_eq!(payments["items"][0]["correlation_id"], json!(event), "{payments}");
    let path = format!("users/{}/statement?wallet=bill_credit", ALICE.id);
    let statement = world.operator_get(&path).await;
    assert_eq!(statement["items"][0]["kind"], "commissions_released");
    assert_eq!(statement["items"][0]["correlation_id"], json!(event), "{statement}");
    let said = lines.under(&event);
    for expected in ["queued", "payment earned a commission", "message sent"] {
        assert!(said.iter().any(|line| line == expected), "{expected}: {said:?}");
    }
}
