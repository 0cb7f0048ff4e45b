//! The stand-in Stripe: its API, its events, its invoices.
// clippy.toml's allowance for tests does not reach helpers and async bodies.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::atomic::Ordering;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use support::{Received, Stack, WEBHOOK_SECRET};

const BALANCE: &str = "/v1/customers/cus_sim_1/balance_transactions";

/// Checks a signature as the documentation says, independently of the code that made it.
fn assert_signed(event: &Received) {
    let header = event.header("stripe-signature");
    let (time, signature) = header.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).unwrap();
    mac.update(format!("{time}.{}", event.body).as_bytes());
    mac.verify_slice(&hex::decode(signature).unwrap()).unwrap();
}

/// The events that a first subscription sends, in order.
const OF_A_SUBSCRIPTION: [&str; 9] = [
    "checkout.session.completed",
    "customer.created",
    "customer.subscription.created",
    "invoice.created",
    "invoice.finalized",
    "payment_intent.succeeded",
    "invoice_payment.paid",
    "invoice.paid",
    "invoice.payment_succeeded",
];

#[tokio::test]
async fn a_subscription_sends_signed_events() {
    let stack = Stack::start().await;
    stack.act("stripe/subscribe", json!({"user_id": 1002, "plan": "basic"})).await;
    assert_eq!(stack.event_types(), OF_A_SUBSCRIPTION);
    stack.notes.events.lock().unwrap().iter().for_each(assert_signed);
    let session = stack.event_object("checkout.session.completed");
    let who = (&session["client_reference_id"], &session["customer"]);
    assert_eq!(who, (&json!("1002"), &json!("cus_sim_1")));
    let invoice = stack.event_object("invoice.paid");
    assert_eq!((&invoice["amount_paid"], &invoice["status"]), (&json!(3_900), &json!("paid")));
    assert_eq!(invoice["billing_reason"], "subscription_create");
    assert_eq!(invoice["parent"]["subscription_details"]["subscription"], session["subscription"]);
    assert_eq!(stack.try_act("stripe/subscribe", json!({"user_id": 1002, "plan": "basic"})).await.0, 409);
    assert_eq!(stack.try_act("stripe/subscribe", json!({"user_id": 1003, "plan": "none"})).await.0, 404);
    let kept = stack.get("/sim/api/stripe/events?customer=cus_sim_1").await;
    assert_eq!(kept.as_array().unwrap().len(), 9);
    assert_eq!((&kept[0]["status"], &kept[0]["http_status"]), (&json!("delivered"), &json!(200)));
    assert_eq!(kept[0]["body"].as_str().unwrap(), stack.notes.events.lock().unwrap()[0].body);
}

/// A form that gives ten dollars of credit.
const TEN_DOLLARS: &str = "amount=-1000&currency=usd&metadata[commission]=c1&description=Referral+credit";

#[tokio::test]
async fn idempotency_keys_replay_and_conflict() {
    let stack = Stack::start().await;
    let first = stack.stripe(BALANCE, "refcredit:c1", TEN_DOLLARS).await;
    assert!(first.headers().get("idempotent-replayed").is_none());
    let first: Value = first.json().await.unwrap();
    assert_eq!((&first["amount"], &first["ending_balance"]), (&json!(-1_000), &json!(-1_000)));
    assert_eq!(first["type"], "adjustment");
    let replay = stack.stripe(BALANCE, "refcredit:c1", TEN_DOLLARS).await;
    assert_eq!(replay.headers()["idempotent-replayed"], "true");
    assert_eq!(replay.json::<Value>().await.unwrap(), first);
    let other = stack.stripe(BALANCE, "refcredit:c1", "amount=-999&currency=usd").await;
    assert_eq!(other.status(), 400);
    assert_eq!(other.json::<Value>().await.unwrap()["error"]["type"], "idempotency_error");
    let (_, customer) = stack.stripe_get("/v1/customers/cus_sim_1").await;
    let credit = &customer["invoice_credit_balance"]["usd"];
    assert_eq!((&customer["balance"], credit), (&json!(-1_000), &json!(1_000)));
}

#[tokio::test]
async fn each_call_is_on_record_with_its_key_and_parameters() {
    let stack = Stack::start().await;
    stack.stripe(BALANCE, "refcredit:c1", TEN_DOLLARS).await;
    stack.stripe(BALANCE, "refcredit:c1", TEN_DOLLARS).await;
    stack.stripe(BALANCE, "refcredit:c1", "amount=-999&currency=usd").await;
    stack.stripe_get("/v1/customers/cus_sim_1").await;
    let calls = stack.sim.stripe_calls();
    let first = json!({
        "method": "POST", "path": BALANCE, "idempotency_key": "refcredit:c1",
        "params": {
            "amount": "-1000", "currency": "usd", "metadata": {"commission": "c1"},
            "description": "Referral credit",
        },
    });
    assert_eq!(calls[0], first);
    assert_eq!(calls.len(), 4);
    assert_eq!(calls[3]["idempotency_key"], Value::Null);
}

#[tokio::test]
async fn bad_calls_are_refused_as_stripe_does() {
    let stack = Stack::start().await;
    let refused = [
        (BALANCE, "currency=usd", 400, "parameter_missing"),
        (BALANCE, "amount=ten&currency=usd", 400, "parameter_invalid_integer"),
        (
            "/v1/customers/cus_missing_1/balance_transactions",
            "amount=-1&currency=usd",
            404,
            "resource_missing",
        ),
    ];
    for (path, form, status, code) in refused {
        let response = stack.stripe(path, "k", form).await;
        assert_eq!(response.status(), status, "{form}");
        assert_eq!(response.json::<Value>().await.unwrap()["error"]["code"], code, "{form}");
    }
    // Nothing was stored under the key by the failures.
    assert_eq!(stack.stripe(BALANCE, "k", "amount=-1&currency=usd").await.status(), 200);
    let url = format!("{}/sim/stripe/v1/customers/cus_1", stack.url);
    assert_eq!(stack.http().get(url).bearer_auth("sk_other").send().await.unwrap().status(), 401);
    assert_eq!(stack.stripe_get("/v1/unicorns").await.0, 404);
}

#[tokio::test]
async fn balance_lines_are_listed_newest_first() {
    let stack = Stack::start().await;
    for number in 1..=3 {
        stack.stripe(BALANCE, &format!("k{number}"), &format!("amount=-{number}&currency=usd")).await;
    }
    let (_, page) = stack.stripe_get(&format!("{BALANCE}?limit=2")).await;
    assert_eq!((&page["has_more"], &page["data"][0]["amount"]), (&json!(true), &json!(-3)));
    let after = page["data"][1]["id"].as_str().unwrap();
    let (_, rest) = stack.stripe_get(&format!("{BALANCE}?limit=2&starting_after={after}")).await;
    assert_eq!((&rest["has_more"], &rest["data"][0]["amount"]), (&json!(false), &json!(-1)));
    assert_eq!(stack.stripe_get(&format!("{BALANCE}?limit=0")).await.0, 400);
}

/// A balance of ten dollars that an invoice used, got back from a void, and used again, the newest line first.
fn used_twice() -> Value {
    json!([
        ["applied_to_invoice", 1_000],
        ["unapplied_from_invoice", -1_000],
        ["applied_to_invoice", 1_000],
        ["adjustment", -1_000],
    ])
}

#[tokio::test]
async fn credit_is_applied_at_finalization_and_returned_by_a_void() {
    let stack = Stack::start().await;
    let alice = json!({"user_id": 1001});
    stack.act("stripe/subscribe", json!({"user_id": 1001, "plan": "basic"})).await;
    stack.advance(30 * 86_400);
    stack.act("stripe/next-invoice", alice.clone()).await;
    let draft = stack.event_object("invoice.created");
    assert_eq!((&draft["status"], &draft["billing_reason"]), (&json!("draft"), &json!("subscription_cycle")));
    assert_eq!(stack.try_act("stripe/next-invoice", alice.clone()).await.0, 409);
    stack.stripe(BALANCE, "k", "amount=-1000&currency=usd").await;
    stack.act("stripe/void", alice.clone()).await;
    let voided = stack.event_object("invoice.voided");
    assert_eq!((&voided["starting_balance"], &voided["ending_balance"]), (&json!(-1_000), &json!(0)));
    assert_eq!(stack.stripe_get("/v1/customers/cus_sim_1").await.1["balance"], -1_000);

    stack.act("stripe/next-invoice", alice.clone()).await;
    stack.act("stripe/finalize", alice).await;
    let paid = stack.event_object("invoice.paid");
    assert_eq!((&paid["total"], &paid["amount_due"]), (&json!(3_900), &json!(2_900)));
    assert_eq!((&paid["amount_paid"], &paid["amount_remaining"]), (&json!(2_900), &json!(0)));
    let (_, lines) = stack.stripe_get(BALANCE).await;
    let listed = lines["data"].as_array().unwrap().iter().map(|line| json!([line["type"], line["amount"]]));
    assert_eq!(listed.collect::<Value>(), used_twice());
    assert_eq!(lines["data"][0]["ending_balance"], 0);
}

#[tokio::test]
async fn refunds_are_cumulative_and_end() {
    let stack = Stack::start().await;
    stack.act("stripe/subscribe", json!({"user_id": 1001, "plan": "basic"})).await;
    stack.act("stripe/refund", json!({"user_id": 1001, "amount_minor": 900})).await;
    stack.act("stripe/refund", json!({"user_id": 1001})).await;
    let charge = stack.event_object("charge.refunded");
    assert_eq!((&charge["amount_refunded"], &charge["refunded"]), (&json!(3_900), &json!(true)));
    assert_eq!(stack.event_object("refund.created")["amount"], 3_000);
    let previous =
        stack.notes.events.lock().unwrap().last().unwrap().json()["data"]["previous_attributes"].clone();
    assert_eq!(previous["amount_refunded"], 900);
    assert_eq!(stack.try_act("stripe/refund", json!({"user_id": 1001})).await.0, 409);
    // From the payment intent of a refund back to its invoice.
    let intent = charge["payment_intent"].as_str().unwrap();
    let query = format!("/v1/invoice_payments?payment[type]=payment_intent&payment[payment_intent]={intent}");
    assert_eq!(stack.stripe_get(&query).await.1["data"][0]["invoice"], "in_sim_1");
    stack.act("stripe/cancel", json!({"user_id": 1001})).await;
    assert_eq!(stack.event_object("customer.subscription.deleted")["status"], "canceled");
}

#[tokio::test]
async fn events_are_held_retried_and_sent_again() {
    let stack = Stack::start().await;
    stack.act("stripe/hold", json!({"hold": true})).await;
    stack.act("stripe/subscribe", json!({"user_id": 1001, "plan": "basic"})).await;
    assert!(stack.event_types().is_empty());
    let held = stack.get("/sim/api/stripe/events").await;
    assert_eq!(held[0]["status"], "held");
    assert!(held[0]["signature_header"].as_str().unwrap().starts_with("t="));
    stack.advance(3_600);
    stack.notes.refuse_events.store(2, Ordering::Relaxed);
    stack.act("stripe/deliver", json!({"held": true})).await;
    assert_eq!(stack.event_types().len(), 9);
    let id = held[8]["id"].clone();
    stack.act("stripe/deliver", json!({"id": id})).await;
    assert_eq!(stack.get("/sim/api/stripe/events").await[0]["attempts"], 3);
    let events = stack.notes.events.lock().unwrap();
    assert_eq!(events[8].body, events[9].body);
    // Signed anew, by real time: the test clock has no say in how old a signature is.
    let signed_at = |header: &str| header[2..].split(',').next().unwrap().parse::<i64>().unwrap();
    let first = signed_at(held[0]["signature_header"].as_str().unwrap());
    let again = signed_at(events[9].header("stripe-signature"));
    assert!((first..first + 600).contains(&again), "{first} {again}");
}

#[tokio::test]
async fn failures_happen_before_or_after_the_effect() {
    let stack = Stack::start().await;
    let form = "amount=-5&currency=usd";
    stack.act("stripe/fail", json!({"next": 1, "status": 500})).await;
    assert_eq!(stack.stripe(BALANCE, "a", form).await.status(), 500);
    assert_eq!(stack.stripe_get("/v1/customers/cus_sim_1").await.1["balance"], 0);
    stack.act("stripe/fail", json!({"next": 1, "status": 503, "after_commit": true})).await;
    assert_eq!(stack.stripe(BALANCE, "a", form).await.status(), 503);
    let retry = stack.stripe(BALANCE, "a", form).await;
    assert_eq!(retry.headers()["idempotent-replayed"], "true");
    assert_eq!(stack.stripe_get("/v1/customers/cus_sim_1").await.1["balance"], -5);
    stack.act("stripe/fail", json!({"next": 1, "status": 500, "sticky": true})).await;
    assert_eq!(stack.stripe(BALANCE, "b", form).await.status(), 500);
    assert_eq!(stack.stripe(BALANCE, "b", form).await.status(), 500);
    assert_eq!(stack.try_act("stripe/fail", json!({"next": 1, "status": 200})).await.0, 400);
}
