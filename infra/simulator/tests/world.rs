//! The page, the checkout, and what outlives the process.
// clippy.toml's allowance for tests does not reach helpers and async bodies.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use guerdon_simulator::{config::SimError, sim::Sim};
use serde_json::json;
use support::Stack;

#[tokio::test]
async fn the_world_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("made/on/demand/sim.json");
    let stack = Stack::with_state(Some(file.clone())).await;
    stack.act("users", json!({"first_name": "Dora", "username": "dora"})).await;
    stack.act("telegram/send", json!({"user_id": 1004, "text": "/start"})).await;
    stack.bot("sendMessage", json!({"chat_id": 1004, "text": "hello"})).await;
    stack.act("stripe/subscribe", json!({"user_id": 1004, "plan": "basic"})).await;
    let path = "/v1/customers/cus_sim_1/balance_transactions";
    stack.stripe(path, "k", "amount=-1000&currency=usd").await;
    let first_update = stack.last_update()["update_id"].as_i64().unwrap();

    // The end of a burst is on disk half a second later.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let later = Stack::with_state(Some(file)).await;
    assert_eq!(later.sim.outbox(1004), stack.sim.outbox(1004));
    assert_eq!(later.sim.stripe_calls(), stack.sim.stripe_calls());
    assert_eq!(later.sim.last_events(None), stack.sim.last_events(None));
    let replay = later.stripe(path, "k", "amount=-1000&currency=usd").await;
    assert_eq!(replay.headers()["idempotent-replayed"], "true");
    later.act("telegram/send", json!({"user_id": 1004, "text": "again"})).await;
    assert_eq!(later.last_update()["update_id"].as_i64(), Some(first_update + 1));
    assert_eq!(later.last_update()["message"]["message_id"], 3);
    let next = later.act("stripe/next-invoice", json!({"user_id": 1004})).await;
    assert_eq!(next["invoice"], "in_sim_2");
}

#[tokio::test]
async fn the_page_and_the_checkout_are_served() {
    let stack = Stack::start().await;
    let page = stack.page("/sim").await;
    assert!(page.contains("Guerdon &lt;local&gt;") && page.contains("\\u003clocal>"));
    assert!(!page.contains("{{") && !page.contains("/*STYLE*/") && !page.contains("/*SCRIPT*/"));
    let checkout = stack.page("/sim/pay?plan=basic&client_reference_id=1002").await;
    assert!(checkout.contains("Pay $39.00"));
    assert!(
        stack.page("/sim/pay?plan=basic&client_reference_id=%3Cx%3E").await.contains("That did not work")
    );
    let form =
        stack.http().post(format!("{}/sim/pay", stack.url)).body("plan=basic&client_reference_id=1002");
    let paid = form.send().await.unwrap().text().await.unwrap();
    assert!(paid.contains("Paid, go back to the chat"));
    assert_eq!(stack.event_object("checkout.session.completed")["client_reference_id"], "1002");
    let state = stack.get("/sim/api/state?user=1002").await;
    assert_eq!(state["money"]["subscriptions"][0]["status"], "active");
    let known = state["revision"].as_u64().unwrap();
    assert_eq!(stack.get(&format!("/sim/api/state?user=1002&revision={known}")).await["unchanged"], true);
}

#[tokio::test]
async fn bad_bodies_get_a_sentence() {
    let stack = Stack::start().await;
    for (path, body) in [
        ("telegram/send", json!({"user_id": "x"})),
        ("telegram/send", json!([])),
        ("telegram/tap", json!({"user_id": 1001, "message_id": 1})),
        ("telegram/send", json!({"user_id": 99, "text": "nobody"})),
        ("stripe/deliver", json!({})),
        ("stripe/deliver", json!({"id": "evt_none"})),
        ("stripe/finalize", json!({"user_id": 1001})),
        ("users", json!({"first_name": " "})),
        ("users", json!({"first_name": "Twin", "id": 1001})),
    ] {
        let (status, answer) = stack.try_act(path, body.clone()).await;
        assert!((400..500).contains(&status), "{path} {body}: {status}");
        assert!(answer["error"].is_string(), "{path} {body}: {answer}");
    }
}

#[test]
fn configuration_is_checked() {
    let clock = Arc::new(std::sync::atomic::AtomicI64::new(0));
    let config = |url: &str| support::config(url, None, Arc::clone(&clock));
    for url in ["http://127.0.0.1:8080/", "http://localhost:1", "http://[::1]:8080"] {
        assert!(Sim::try_new(config(url)).is_ok(), "{url}");
    }
    for url in ["http://example.com", "https://127.0.0.1", "nonsense", "http://10.0.0.1:8080"] {
        assert!(matches!(Sim::try_new(config(url)), Err(SimError::NotLoopback { .. })), "{url}");
    }
    let mut empty = config("http://127.0.0.1:1");
    empty.stripe_api_key.clear();
    assert!(matches!(Sim::try_new(empty), Err(SimError::Config { field: "stripe_api_key" })));
}
