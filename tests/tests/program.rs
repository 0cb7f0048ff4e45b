//! Tests of the program over the API: set, audited, in force for later payments only; each payment is explained.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_tests::{
    ADMIN_TOKEN, Answer, World,
    lists::{each, to_the_end},
    operators::{ANA, two_operators},
    telegram::{ALICE, BOB, CAROL},
};
use reqwest::Method;
use serde_json::{Value, json};

/// Alice has brought Bob and Carol.
async fn two_referees() -> World {
    let world = World::with(two_operators).await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    world.joins(CAROL, &code).await;
    world
}

/// The rules of the preset, with twenty dollars instead of ten.
async fn twenty_dollars(world: &World) -> Value {
    let mut program = world.operator_get("program").await["program"].clone();
    program["version"] = json!(2);
    program["rules"][0]["amount"]["amount"]["minor"] = json!(2000);
    program
}

async fn set(world: &World, key: &str, reason: &str, program: &Value) -> Answer {
    let body = json!({ "reason": reason, "program": program });
    world.operator(ANA, Method::PUT, "program", key, &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_program_decides_later_payments_only() {
    let world = two_referees().await;
    let first = world.operator_get("program").await;
    assert_eq!((&first["program"]["version"], &first["set_by"]), (&json!(1), &json!("preset")));
    let program = twenty_dollars(&world).await;
    let done = set(&world, "k", "autumn offer", &program).await;
    assert_eq!((done.status, &done.body["set_by"]), (200, &json!("ana")), "{done:?}");
    assert_eq!(done.body["effective_from"], "2026-11-21T09:31:00Z");
    let again = set(&world, "k", "autumn offer", &program).await;
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&done.body, Some("true")));
    // Booked within the minute, by the rules that were in force at its time.
    let before = world.bank(BOB, "39.00", "fang", "transfer/1").await;
    world.advance(61).await;
    let after = world.bank(CAROL, "39.00", "fang", "transfer/2").await;
    let granted =
        |payment: &Value| (payment["program_version"].clone(), payment["trace"][0]["amount"].clone());
    assert_eq!(granted(&before), (json!(1), json!(10.0)));
    assert_eq!(granted(&after), (json!(2), json!(20.0)));
    let told = world.says(ALICE, "/recruit").await;
    assert!(told.contains("You get $20.00 off your bills for each friend"), "{told}");
    assert_eq!(world.operator_get("payments/bank:transfer/1").await["trace"], before["trace"]);
    let audit = world.audit().await;
    let line = ("program.set".to_owned(), "ana".to_owned());
    assert_eq!(audit.iter().filter(|known| **known == line).count(), 1, "{audit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn money_from_before_a_changed_target_is_still_shown() {
    let world = two_referees().await;
    world.bank(BOB, "39.00", "fang", "transfer/1").await;
    let told = world.says(ALICE, "/credits").await;
    assert!(told.contains("$10.00") && !told.contains("from other rewards"), "{told}");
    let mut program = world.operator_get("program").await["program"].clone();
    program["version"] = json!(2);
    program["rules"][0]["target"] = json!("earnings");
    assert_eq!(set(&world, "k", "paid out from now on", &program).await.status, 200);
    world.advance(61).await;
    let told = world.says(ALICE, "/credits").await;
    assert!(told.contains("My credit, from other rewards: <b>$10.00</b>"), "{told}");
    let shop = world.shop().await;
    let wallet = async || world.bearing(&shop, &format!("/wallet/{}", ALICE.id), None).await.body;
    let credit =
        json!({ "wallet": "bill_credit", "currency": "USD", "available": 10.0, "held": 0.0, "owed": 0.0 });
    let before = wallet().await;
    assert_eq!((&before["wallet"], &before["available"]), (&json!("earnings"), &json!(0.0)));
    assert_eq!(before["others"], json!([credit]));
    world.bank(CAROL, "39.00", "fang", "transfer/2").await;
    let after = wallet().await;
    assert_eq!((&after["available"], &after["others"]), (&json!(10.0), &json!([credit])));
}

/// Programs with one thing changed, each with its refusal and the part that the refusal names.
fn bad_programs(good: &Value) -> Vec<(Value, u16, &'static str, &'static str)> {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut program = good.clone();
        change(&mut program);
        program
    };
    let rule = |change: &dyn Fn(&mut Value)| with(&|program| change(&mut program["rules"][0]));
    let zero = rule(&|rule| rule["amount"]["amount"]["minor"] = json!(0));
    let hold = rule(&|rule| rule["hold_seconds"] = json!(-1));
    let euros = rule(&|rule| rule["minimum_payment"]["currency"] = json!("EUR"));
    let unknown = rule(&|rule| rule["colour"] = json!("red"));
    vec![
        (zero, 422, "bad_program", "rules.recruit.amount"),
        (hold, 422, "bad_program", "rules.recruit.hold_seconds"),
        (euros, 422, "bad_program", "rules.recruit.minimum_payment"),
        (unknown, 422, "bad_program", "colour"),
        (json!("none"), 422, "bad_program", "program"),
        (with(&|program| program["version"] = json!(3)), 409, "outdated_program", "version 1"),
        (with(&|program| program["version"] = json!(1)), 409, "outdated_program", "version 1"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_cannot_be_is_refused_with_its_setting() {
    let world = two_referees().await;
    let good = twenty_dollars(&world).await;
    for (program, status, code, detail) in bad_programs(&good) {
        let answer = set(&world, "k", "why not", &program).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{answer:?}");
        assert!(answer.body["detail"].as_str().unwrap().contains(detail), "{answer:?}");
    }
    let mute = set(&world, "k", " ", &good).await;
    assert_eq!((mute.status, mute.code()), (400, "bad_reason"), "{mute:?}");
    assert!(mute.body["detail"].as_str().unwrap().contains("reason"), "{mute:?}");
    let nothing = world.operator(ANA, Method::PUT, "program", "k", &json!({ "reason": "why not" })).await;
    assert_eq!((nothing.status, nothing.code()), (400, "bad_body"));
    let keyless = set(&world, "", "why not", &good).await;
    assert_eq!((keyless.status, keyless.code()), (400, "bad_idempotency_key"));
    assert_eq!(world.operator_get("program").await["program"]["version"], json!(1));
    assert!(world.audit().await.is_empty());
    // What was refused has not used its key up.
    assert_eq!(set(&world, "k", "why not", &good).await.status, 200);
    let other = set(&world, "k", "another reason", &good).await;
    assert_eq!((other.status, other.code()), (409, "idempotency_key_reused"));
}

/// Makes a world in which Bob has paid for a tier that the program rewards, and Carol for a smaller one.
async fn two_payments() -> World {
    let world = two_referees().await;
    world.bank(BOB, "39.00", "fang", "t1").await;
    world.bank(CAROL, "19.00", "scout", "t2").await;
    world.drain().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_can_be_tried_on_the_past() {
    let world = two_payments().await;
    let body = json!({ "month": "2026-11", "program": twenty_dollars(&world).await });
    let done = world.operator_post("program/simulate", "", &body).await;
    assert_eq!((done.status, &done.body["payments"]), (200, &json!(2)), "{done:?}");
    assert_eq!(done.body["rules"]["recruit"]["minor"], json!(2000));
    assert_eq!(done.body["granted"]["recruit"]["minor"], json!(1000));
    assert_eq!(done.body["refusals"], json!({ "below_minimum": 1 }));
    let own = world.operator_post("program/simulate", "", &json!({ "first": "2026-11-21", "days": 1 })).await;
    assert_eq!(own.body["rules"]["recruit"]["minor"], json!(1000), "{own:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_needs_a_period_and_a_sound_program() {
    let world = two_payments().await;
    let mut bad = twenty_dollars(&world).await;
    bad["rules"][0]["id"] = json!("Recruit");
    for (body, status, code) in [
        (json!({}), 400, "bad_period"),
        (json!({ "month": "2026-13" }), 400, "bad_period"),
        (json!({ "month": "November" }), 400, "bad_period"),
        (json!({ "month": "2026-11", "days": 3 }), 400, "bad_period"),
        (json!({ "first": "2026-11-21" }), 400, "bad_period"),
        (json!({ "first": "2026-11-21", "days": 0 }), 400, "bad_period"),
        (json!({ "first": "2026-11-21", "days": 93 }), 400, "bad_period"),
        (json!({ "month": "2026-11", "program": bad }), 422, "bad_program"),
    ] {
        let answer = world.operator_post("program/simulate", "", &body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_payment_explains_what_it_earned_and_what_not() {
    let world = two_referees().await;
    world.pays(BOB, 3900, 3900).await;
    let granted = world.operator_get("payments/stripe:in_Bob").await;
    assert_eq!((&granted["user_id"], &granted["paid"]), (&json!(BOB.id.to_string()), &json!(39.0)));
    let rule = &granted["trace"][0];
    assert_eq!((&rule["outcome"], &rule["rule"]), (&json!("granted"), &json!("recruit")));
    assert_eq!((&rule["user_id"], &rule["level"]), (&json!(ALICE.id.to_string()), &json!(1)));
    assert_eq!((&rule["amount"], &rule["base"]), (&json!(10.0), &json!(39.0)));
    assert_eq!(rule["explanation"], "The rule grants $10.00 on $39.00 net of tax.");
    let commission = &granted["commissions"][0];
    assert_eq!((&commission["state"], &commission["clawed"]), (&json!("released"), &json!(0.0)));
    assert_eq!((&granted["undone"], &granted["disputed"]), (&json!(0.0), &json!(false)));
    world.bank(CAROL, "19.00", "scout", "t1").await;
    let refused = world.operator_get("payments/bank:t1").await;
    let rule = &refused["trace"][0];
    assert_eq!((&rule["outcome"], &rule["code"]), (&json!("refused"), &json!("below_minimum")));
    assert_eq!(rule["explanation"], "Less was paid than the rule asks for.");
    assert_eq!(refused["commissions"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_members_payments_are_paged_and_are_theirs_alone() {
    let world = two_referees().await;
    world.bank(CAROL, "19.00", "scout", "t1").await;
    world.bank(CAROL, "39.00", "fang", "t2").await;
    world.drain().await;
    let page = world.operator_get(&format!("users/{}/payments?limit=1", CAROL.id)).await;
    let next = page["next_cursor"].as_str().unwrap();
    let rest = world.operator_get(&format!("users/{}/payments?limit=5&cursor={next}", CAROL.id)).await;
    let mut seen = [page["items"][0]["payment"].clone(), rest["items"][0]["payment"].clone()];
    seen.sort_by_key(Value::to_string);
    assert_eq!(seen, [json!("bank:T1"), json!("bank:T2")]);
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
    for (path, status, code) in [
        ("payments/stripe:in_none".to_owned(), 404, "unknown_payment"),
        ("payments/in_Bob".to_owned(), 400, "bad_payment"),
        ("payments/cash:1".to_owned(), 400, "bad_payment"),
        (format!("users/{}/payments?cursor={next}", BOB.id), 400, "bad_cursor"),
        ("users/me/payments".to_owned(), 400, "bad_user_id"),
    ] {
        assert_eq!(world.operator_refuses(&path).await, (status, code.to_owned()), "{path}");
    }
}

/// The purchase of Bob's that an operator saw at the bank, with one field changed.
fn bank_payment(field: &str, value: Value) -> Value {
    let mut body = seen_at_the_bank();
    body[field] = value;
    body
}

fn seen_at_the_bank() -> Value {
    json!({
        "user_id": BOB.id, "amount": "39.00", "currency": "USD", "reference": "T-1",
        "purpose": "purchase", "product": "fang", "reason": "seen at the bank",
    })
}

/// Fields with a value that is refused, each with its refusal.
fn bad_fields() -> Vec<(&'static str, Value, u16, &'static str)> {
    vec![
        ("amount", json!("0"), 400, "bad_amount"),
        ("amount", json!("-1"), 400, "bad_amount"),
        ("amount", json!("39.001"), 400, "bad_amount"),
        ("amount", json!("10000000.01"), 400, "bad_amount"),
        ("currency", json!("dollars"), 400, "bad_currency"),
        ("currency", json!("XTR"), 400, "bad_currency"),
        ("reference", json!(""), 400, "bad_reference"),
        ("reference", json!("a#b"), 400, "bad_reference"),
        ("reference", json!("- /"), 400, "bad_reference"),
        ("reference", json!("x".repeat(101)), 400, "bad_reference"),
        ("purpose", json!("spend"), 400, "bad_purpose"),
        ("purpose", json!("deposit"), 400, "bad_product"),
        ("product", json!("gold"), 422, "unknown_product"),
        ("user_id", json!("me"), 400, "bad_user_id"),
        ("user_id", json!(99), 404, "unknown_member"),
        ("reason", json!("x"), 400, "bad_reason"),
        ("colour", json!("red"), 400, "bad_body"),
    ]
}

/// Asserts that recording a payment is refused.
async fn not_recorded(world: &World, key: &str, body: &Value, status: u16, code: &str) {
    let answer = world.operator_post("payments", key, body).await;
    assert_eq!((answer.status, answer.code()), (status, code), "{body}: {answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_bank_payment_is_refused_and_leaves_no_trace() {
    let world = two_referees().await;
    for (field, value, status, code) in bad_fields() {
        not_recorded(&world, "bad", &bank_payment(field, value), status, code).await;
    }
    not_recorded(&world, "", &seen_at_the_bank(), 400, "bad_idempotency_key").await;
    assert_eq!(world.operator_refuses("payments/bank:T-1").await.0, 404);
    assert!(world.audit().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_payment_is_recorded_once_under_its_reference() {
    let world = two_referees().await;
    let first = world.operator_post("payments", "k1", &seen_at_the_bank()).await;
    assert_eq!((first.status, &first.body["trace"][0]["amount"]), (200, &json!(10.0)), "{first:?}");
    world.advance(3600).await;
    for key in ["k1", "k2"] {
        let again = world.operator_post("payments", key, &seen_at_the_bank()).await;
        assert_eq!((&again.body, again.header("idempotent-replayed")), (&first.body, Some("true")), "{key}");
    }
    for (key, field, value, code) in [
        ("k1", "reference", json!("T-2"), "idempotency_key_reused"),
        ("k3", "amount", json!("40.00"), "reference_used"),
        ("k3", "user_id", json!(CAROL.id), "reference_used"),
        ("k3", "product", json!("scout"), "reference_used"),
    ] {
        not_recorded(&world, key, &bank_payment(field, value), 409, code).await;
    }
    assert_eq!(world.audit().await, [("payment.record".to_owned(), "admin".to_owned())]);
    assert_eq!(world.admin("stats").await["total_credits_issued"], json!(10.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_shows_what_a_wallet_held_at_any_time() {
    let world = two_referees().await;
    for (key, amount) in [("a", "1.00"), ("b", "2.00"), ("c", "4.00")] {
        let credit = json!({ "user_id": ALICE.id, "amount": amount, "reason": "testing" });
        assert_eq!(world.admin_post("apply", key, &credit).await.status, 200);
        world.advance(3600).await;
    }
    let statement = async |query: &str| {
        world.operator_get(&format!("users/{}/statement?wallet=bill_credit{query}", ALICE.id)).await
    };
    let now = statement("").await;
    assert_eq!((&now["available"], now["items"].as_array().unwrap().len()), (&json!(7.0), 3));
    let then = statement("&at=2026-11-21T10:30:00Z").await;
    assert_eq!((&then["available"], then["items"].as_array().unwrap().len()), (&json!(3.0), 2));
    assert_eq!(then["items"][0]["available_after"], json!(3.0));
    let never = statement("&at=2026-11-21T00:00:00%2B02:00").await;
    assert_eq!((&never["available"], &never["items"]), (&json!(0.0), &json!([])));
    let lines = to_the_end(1, async |rest: &str| statement(&format!("&limit=1{rest}")).await).await;
    assert_eq!(each(&Value::Array(lines), "seq"), [3, 2, 1]);
    let usual = world.operator_get(&format!("users/{}/statement", ALICE.id)).await;
    assert_eq!(usual["wallet"], "bill_credit", "where the program's rewards go");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_asked_for_by_wallet_time_and_page() {
    let world = two_referees().await;
    for (query, code) in [
        ("?currency=USD", "bad_wallet"),
        ("?wallet=piggy", "bad_wallet"),
        ("?wallet=earnings&at=yesterday", "bad_time"),
        ("?wallet=earnings&currency=x", "bad_currency"),
        ("?wallet=earnings&cursor=x", "bad_cursor"),
        ("?wallet=earnings&limit=x", "bad_limit"),
    ] {
        let path = format!("users/{}/statement{query}", ALICE.id);
        assert_eq!(world.operator_refuses(&path).await, (400, code.to_owned()), "{query}");
    }
    assert_eq!(world.operator_refuses("users/99/statement?wallet=earnings").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_barred_earns_nothing_until_they_are_not() {
    let world = two_referees().await;
    let why = json!({ "reason": "shared device" });
    let path = |step: &str| format!("users/{}/{step}", ALICE.id);
    let barred = world.operator_post(&path("bar"), "k1", &why).await;
    assert_eq!((barred.status, &barred.body["barred"]), (200, &json!(true)), "{barred:?}");
    assert_eq!(
        world.operator_post(&path("bar"), "k1", &why).await.header("idempotent-replayed"),
        Some("true")
    );
    assert_eq!(world.admin(&format!("user/{}", ALICE.id)).await["barred"], json!(true));
    let payment = world.bank(BOB, "39.00", "fang", "t1").await;
    assert_eq!(payment["trace"][0]["code"], "beneficiary_barred");
    assert_eq!(world.operator_post(&path("unbar"), "k2", &why).await.status, 200);
    assert_eq!(world.bank(BOB, "39.00", "fang", "t2").await["trace"][0]["amount"], json!(10.0));
    for (path, key, body, status, code) in [
        (path("bar"), "k1", json!({ "reason": "another" }), 409, "idempotency_key_reused"),
        (path("bar"), "k3", json!({}), 400, "bad_reason"),
        (path("bar"), "", why.clone(), 400, "bad_idempotency_key"),
        ("users/99/bar".to_owned(), "k3", why.clone(), 404, "unknown_member"),
        ("users/me/bar".to_owned(), "k3", why.clone(), 400, "bad_user_id"),
    ] {
        let answer = world.operator_post(&path, key, &body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{path}: {answer:?}");
    }
}

/// Routes of this file, each with a path.
const ROUTES: [(Method, &str); 15] = [
    (Method::GET, "program"),
    (Method::PUT, "program"),
    (Method::POST, "program/simulate"),
    (Method::POST, "payments"),
    (Method::GET, "payments/bank:1"),
    (Method::GET, "users/1/payments"),
    (Method::GET, "users/1/statement?wallet=earnings"),
    (Method::GET, "users/1/withdrawals"),
    (Method::POST, "users/1/withdrawals"),
    (Method::POST, "users/1/bar"),
    (Method::POST, "users/1/unbar"),
    (Method::GET, "withdrawals"),
    (Method::GET, "withdrawals/x-1"),
    (Method::POST, "withdrawals/export"),
    (Method::POST, "withdrawals/x-1/approve"),
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_this_opens_without_a_token() {
    let world = World::with(two_operators).await;
    for (method, path) in ROUTES {
        for token in ["", "ana", "ana=token-of-ana-1", "wrong"] {
            let answer = world.operator(token, method.clone(), path, "k", &Value::Null).await;
            assert_eq!((answer.status, answer.code()), (401, "unauthorized"), "{method} {path} {token:?}");
        }
    }
    let wrong = world.operator(ADMIN_TOKEN, Method::DELETE, "program", "k", &Value::Null).await;
    assert_eq!((wrong.status, wrong.code()), (405, "method_not_allowed"));
    let huge = json!({ "reason": "x".repeat(20_000) });
    let huge = world.operator(ADMIN_TOKEN, Method::PUT, "program", "k", &huge).await;
    assert_eq!((huge.status, huge.code()), (413, "body_too_large"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_without_its_rules_is_refused() {
    let world = two_referees().await;
    let forgotten = set(&world, "k1", "why not", &json!({ "version": 2 })).await;
    assert_eq!((forgotten.status, forgotten.code()), (422, "bad_program"), "{forgotten:?}");
    assert!(forgotten.body["detail"].as_str().unwrap().contains("rules is missing"));
    let none = set(&world, "k2", "no rewards in summer", &json!({ "version": 2, "rules": [] })).await;
    assert_eq!(none.status, 200, "{none:?}");
}

/// A program that shares the profit of every payment, of which nobody has said the cost.
async fn waiting_payment() -> World {
    let world = two_referees().await;
    let mut program = world.operator_get("program").await["program"].clone();
    program["version"] = json!(2);
    program["rules"][0]["trigger"] = json!("every_payment");
    program["rules"][0]["amount"] =
        json!({ "kind": "percent_of_profit", "percent": "50", "rounding": "half_up", "quantum_minor": 1 });
    assert_eq!(set(&world, "k1", "half of the profit", &program).await.status, 200);
    world.advance(61).await;
    assert_eq!(world.bank(BOB, "39.00", "fang", "t1").await["trace"][0]["code"], "cost_unknown");
    world
}

fn decision(extra: &Value) -> Value {
    let mut body = json!({ "payment": "bank:t1", "reason": "the supplier's bill" });
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_waits_is_listed_and_decided_once_its_cost_is_named() {
    let world = waiting_payment().await;
    let page = async |rest: &str| world.operator_get(&format!("undecided?limit=10{rest}")).await;
    let listed = to_the_end(10, async |rest: &str| page(rest).await).await;
    assert_eq!(each(&Value::Array(listed), "payment"), ["bank:T1"]);
    let named = decision(&json!({ "cost": "9.00" }));
    let decided = world.operator_post("undecided", "k2", &named).await;
    assert_eq!((decided.status, &decided.body["trace"][0]["amount"]), (200, &json!(15.0)), "{decided:?}");
    let again = world.operator_post("undecided", "k2", &named).await;
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&decided.body, Some("true")));
    let late = world.operator_post("undecided", "k3", &named).await;
    assert_eq!((late.status, late.code()), (409, "decided"));
    assert_eq!(world.bill_credit(ALICE).await, 1500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_without_what_is_missing_is_refused() {
    let world = waiting_payment().await;
    for (extra, status, code) in [
        (json!({}), 409, "cost_unknown"),
        (json!({ "cost": "39.01" }), 400, "bad_cost"),
        (json!({ "cost": "x" }), 400, "bad_amount"),
        (json!({ "product": "gold" }), 422, "unknown_product"),
        (json!({ "product": "fang", "cost": "1" }), 400, "bad_body"),
        (json!({ "payment": "bank:t9" }), 404, "unknown_payment"),
        (json!({ "reason": " " }), 400, "bad_reason"),
    ] {
        let answer = world.operator_post("undecided", "bad", &decision(&extra)).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{extra}: {answer:?}");
    }
    assert_eq!(world.bill_credit(ALICE).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_cost_is_decided_once_the_setting_has_it() {
    let world = waiting_payment().await;
    let why = json!({ "reason": "costs are set" });
    let none = world.operator_post("undecided/all", "k2", &why).await;
    assert_eq!((none.status, none.body), (200, json!({ "decided": 0, "open": 1 })));
    let set = json!({ "value": 9, "reason": "the supplier's bill" });
    let headers = [("x-admin-token", ADMIN_TOKEN), ("content-type", "application/json")];
    let body = set.to_string().into_bytes();
    let answer = world.request(Method::PUT, "/settings/plans.fang.cost", &headers, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let all = world.operator_post("undecided/all", "k4", &why).await;
    assert_eq!(all.body, json!({ "decided": 1, "open": 0 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_was_given_back_at_the_bank_is_told_once() {
    let world = two_referees().await;
    world.bank(BOB, "39.00", "fang", "t1").await;
    let body = json!({ "payment": "bank:t1", "amount": "19.50", "reason": "sent back" });
    let half = world.operator_post("refunds", "k1", &body).await;
    assert_eq!((half.status, &half.body["undone"]), (200, &json!(19.5)), "{half:?}");
    let again = world.operator_post("refunds", "k1", &body).await;
    assert_eq!((&again.body["undone"], again.header("idempotent-replayed")), (&json!(19.5), Some("true")));
    assert_eq!(world.bill_credit(ALICE).await, 500);
    for (field, value, status, code) in [
        ("amount", json!("20.00"), 409, "refund_too_large"),
        ("amount", json!("0"), 400, "bad_amount"),
        ("payment", json!("bank:t9"), 404, "unknown_payment"),
        ("payment", json!("t1"), 400, "bad_payment"),
        ("reason", json!(""), 400, "bad_reason"),
    ] {
        let mut bad = body.clone();
        bad[field] = value;
        let answer = world.operator_post("refunds", "bad", &bad).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{bad}");
    }
}
