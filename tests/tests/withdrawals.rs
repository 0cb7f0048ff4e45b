//! Tests of withdrawals over the whole stack: requested in the bot or by an operator, approved, paid once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_tests::{
    Answer, World,
    operators::{ANA, BEN, two_operators, with_preset},
    telegram::{ALICE, BOB, CAROL},
};
use reqwest::Method;
use serde_json::{Value, json};

const DAY: i64 = 86_400;
const UPI: &str = "asha.k@okhdfc";

/// Alice has 504 rupees: Bob bought 18 plans, and their hold is over.
async fn alice_has_earned(four_eyes: bool) -> World {
    let world = World::of_with("ott", |config| {
        two_operators(config);
        with_preset(config, |preset| preset.withdrawals.as_mut().unwrap().four_eyes = four_eyes);
    })
    .await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    earns(&world, "one").await;
    world.advance(DAY).await;
    world
}

async fn earns(world: &World, series: &str) {
    for n in 0..18 {
        world.bank(BOB, "135.00", "combo", &format!("{series}-{n}")).await;
    }
}

async fn asks(world: &World, key: &str, amount: &str) -> Answer {
    let body = json!({ "amount": amount, "method": "upi", "destination": UPI });
    world.operator_post(&format!("users/{}/withdrawals", ALICE.id), key, &body).await
}

async fn asked(world: &World) -> String {
    let answer = asks(world, "ask", "500").await;
    assert_eq!((answer.status, &answer.body["state"]), (200, &json!("requested")), "{answer:?}");
    answer.body["id"].as_str().unwrap().to_owned()
}

async fn step(world: &World, token: &str, id: &str, step: &str, body: Value) -> Answer {
    world
        .operator(token, Method::POST, &format!("withdrawals/{id}/{step}"), &format!("{step}-{token}"), &body)
        .await
}

/// The amounts available and held, and the number of entries.
async fn wallet(world: &World) -> (Value, Value, usize) {
    let statement = world.operator_get(&format!("users/{}/statement?wallet=earnings", ALICE.id)).await;
    let lines = statement["items"].as_array().unwrap().len();
    (statement["available"].clone(), statement["held"].clone(), lines)
}

/// The steps by which Ana approves and Ben pays, each with the state that it leads to.
fn steps_to_paid() -> [(&'static str, &'static str, Value, &'static str); 4] {
    [
        (ANA, "approve", Value::Null, "approved"),
        (BEN, "claim", Value::Null, "paying"),
        (BEN, "unknown", Value::Null, "paying"),
        (BEN, "paid", json!({ "proof": "UTR 4711" }), "paid"),
    ]
}

/// Asserts that the trail has each of the steps of [`steps_to_paid`] once, with its operator.
async fn each_step_is_audited_once(world: &World) {
    let trail = world.audit().await;
    for (action, by) in [("approved", "ana"), ("paying", "ben"), ("unknown", "ben"), ("paid", "ben")] {
        let line = (format!("withdrawal.{action}"), by.to_owned());
        assert_eq!(trail.iter().filter(|known| **known == line).count(), 1, "{line:?} in {trail:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_member_asks_for_in_the_bot_is_paid_once() {
    let world = alice_has_earned(false).await;
    let page = world.says(ALICE, "/credits").await;
    assert!(page.contains("Available: <b>₹504.00</b>"), "{page}");
    assert!(world.says(ALICE, "/withdraw").await.contains("<code>/withdraw 500.00 upi name@bank</code>"));
    let reply = world.withdraws(ALICE, &format!("/withdraw 500 upi {UPI}")).await;
    assert!(reply.contains("You have asked for ₹500.00 to <code>…hdfc</code>"), "{reply}");
    assert!(world.says(ALICE, "/withdraw").await.contains("₹500.00 to <code>…hdfc</code>: waiting"));
    let listed = world.operator_get("withdrawals").await["items"][0].clone();
    let id = listed["id"].as_str().unwrap();
    assert_eq!(listed["user_id"], json!(ALICE.id.to_string()));
    assert_eq!(wallet(&world).await, (json!(4.0), json!(500.0), 2));
    for (token, name, body, state) in steps_to_paid() {
        let first = step(&world, token, id, name, body.clone()).await;
        assert_eq!((first.status, &first.body["state"]), (200, &json!(state)), "{name}: {first:?}");
        let again = step(&world, token, id, name, body).await;
        assert_eq!((&again.body, again.header("idempotent-replayed")), (&first.body, Some("true")), "{name}");
    }
    assert_eq!(wallet(&world).await, (json!(4.0), json!(0.0), 3));
    let shown = world.operator_get(&format!("withdrawals/{id}")).await;
    assert_eq!((&shown["approved"]["by"], &shown["closed"]["by"]), (&json!("ana"), &json!("ben")));
    assert!(!shown.to_string().contains("asha"), "{shown}");
    each_step_is_audited_once(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_turned_down_or_fails_is_available_again() {
    let world = alice_has_earned(false).await;
    let id = asked(&world).await;
    let rejected = step(&world, ANA, &id, "reject", json!({ "reason": "name differs" })).await;
    assert_eq!(rejected.body["state"], "rejected", "{rejected:?}");
    assert_eq!(wallet(&world).await, (json!(504.0), json!(0.0), 3));
    // A rejected withdrawal starts no cool-down.
    let again = asks(&world, "ask-2", "500").await;
    let second = again.body["id"].as_str().unwrap().to_owned();
    for (name, body) in [
        ("approve", Value::Null),
        ("claim", Value::Null),
        ("failed", json!({ "reason": "the bank sent it back" })),
    ] {
        let answer = step(&world, ANA, &second, name, body).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
    assert_eq!(wallet(&world).await.0, json!(504.0));
    let all = world.operator_get(&format!("users/{}/withdrawals?limit=1", ALICE.id)).await;
    assert_eq!(all["items"][0]["state"], "failed");
    let next = all["next_cursor"].as_str().unwrap();
    let rest = world.operator_get(&format!("users/{}/withdrawals?cursor={next}", ALICE.id)).await;
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["items"][0]["id"]), (1, &json!(id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_approves_does_not_pay_where_it_takes_four_eyes() {
    let world = alice_has_earned(true).await;
    let id = asked(&world).await;
    assert_eq!(step(&world, ANA, &id, "approve", Value::Null).await.status, 200);
    let refused = step(&world, ANA, &id, "claim", Value::Null).await;
    assert_eq!((refused.status, refused.code()), (409, "same_operator"));
    let own = json!({ "batch": "b", "method": "upi" });
    let file = world.operator(ANA, Method::POST, "withdrawals/export", "own", &own).await;
    assert_eq!(file.body.as_str().unwrap().lines().count(), 1, "what Ana approved is left for others");
    assert_eq!(step(&world, BEN, &id, "claim", Value::Null).await.body["state"], "paying");
}

/// The first line of the file for the bank.
const HEADER: &str = "reference,method,destination,amount,currency\n";

async fn export(world: &World, key: &str, body: Value) -> Answer {
    world.operator(BEN, Method::POST, "withdrawals/export", key, &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_banks_file_has_each_withdrawal_once() {
    let world = alice_has_earned(false).await;
    let id = asked(&world).await;
    assert_eq!(step(&world, ANA, &id, "approve", Value::Null).await.status, 200);
    let batch = |batch: &str, method: &str| json!({ "batch": batch, "method": method });
    let none = export(&world, "other", batch("2026-11-22", "bank_in")).await;
    assert_eq!(none.body, json!(HEADER));
    let file = export(&world, "k", batch("2026-11-22", "upi")).await;
    assert_eq!(file.content_type, "text/csv; charset=utf-8");
    assert_eq!(file.body, json!(format!("{HEADER}{id},upi,{UPI},500.00,INR\n")));
    let again = export(&world, "k", batch("2026-11-22", "upi")).await;
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&file.body, Some("true")));
    assert_eq!(export(&world, "next", batch("2026-11-23", "upi")).await.body, json!(HEADER));
    let refused = export(&world, "k", batch("another", "upi")).await;
    assert_eq!((refused.status, refused.code()), (409, "idempotency_key_reused"));
    let paying = world.operator_get("withdrawals?state=paying").await;
    assert_eq!(paying["items"][0]["batch"], "2026-11-22");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_for_the_bank_needs_a_batch_and_a_method() {
    let world = alice_has_earned(false).await;
    for (body, code) in [
        (json!({ "batch": " ", "method": "upi" }), "bad_text"),
        (json!({ "batch": "b", "method": "cash" }), "bad_method"),
        (json!({ "method": "upi" }), "bad_body"),
    ] {
        let answer = export(&world, "bad", body.clone()).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{body}");
    }
}

/// Requests for a withdrawal of Alice's, each with its refusal.
fn bad_asks() -> Vec<(Value, u16, &'static str)> {
    let upi = |amount: &str| json!({ "amount": amount, "method": "upi", "destination": UPI });
    let to = |method: &str, to: &str| json!({ "amount": 500, "method": method, "destination": to });
    vec![
        (upi("499.99"), 422, "below_minimum"),
        (upi("504.01"), 422, "insufficient_funds"),
        (upi("0"), 400, "bad_amount"),
        (upi("-500"), 400, "bad_amount"),
        (upi("1.001"), 400, "bad_amount"),
        (to("upi", "asha"), 422, "bad_destination"),
        (to("bank_in", "123/HDFC0001234"), 422, "bad_destination"),
        (to("iban", "PL61109010140000071219812874"), 422, "method_not_offered"),
        (to("cash", "asha"), 400, "bad_method"),
        (json!({ "amount": 500, "method": "upi" }), 400, "bad_body"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_request_for_a_withdrawal_is_refused_and_moves_no_money() {
    let world = alice_has_earned(false).await;
    let before = wallet(&world).await;
    let unknown = json!({ "amount": "500", "method": "upi", "destination": UPI });
    let cases = bad_asks().into_iter().map(|(body, status, code)| (ALICE, body, status, code));
    for (person, body, status, code) in cases.chain([(CAROL, unknown, 404, "unknown_member")]) {
        let answer = world.operator_post(&format!("users/{}/withdrawals", person.id), "bad", &body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}: {answer:?}");
        assert!(!answer.body.to_string().contains("asha"), "{answer:?}");
    }
    assert_eq!(asks(&world, "", "500").await.code(), "bad_idempotency_key");
    assert_eq!(wallet(&world).await, before);
    asked(&world).await;
    let other = asks(&world, "ask", "501").await;
    assert_eq!((other.status, other.code()), (409, "idempotency_key_reused"));
    assert_eq!(asks(&world, "ask", "500").await.header("idempotent-replayed"), Some("true"));
    assert_eq!(asks(&world, "ask-2", "500").await.code(), "withdrawal_open");
}

/// Steps that a requested withdrawal refuses.
fn bad_steps() -> Vec<(&'static str, Value, u16, &'static str)> {
    vec![
        ("claim", Value::Null, 409, "wrong_state"),
        ("paid", json!({ "proof": "x" }), 409, "wrong_state"),
        ("failed", json!({ "reason": "x" }), 409, "wrong_state"),
        ("unknown", Value::Null, 409, "wrong_state"),
        ("reject", Value::Null, 400, "bad_text"),
        ("approve", json!({ "reason": "x" }), 400, "bad_body"),
        ("burn", Value::Null, 404, "not_found"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_one_by_one() {
    let world = alice_has_earned(false).await;
    let id = asked(&world).await;
    for (name, body, status, code) in bad_steps() {
        let answer = step(&world, ANA, &id, name, body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{name}: {answer:?}");
    }
    let nobodys = step(&world, ANA, "nobody-1", "approve", Value::Null).await;
    assert_eq!((nobodys.status, nobodys.code()), (404, "unknown_withdrawal"), "{nobodys:?}");
    assert_eq!(world.operator_refuses("withdrawals/nothing").await, (404, "unknown_withdrawal".to_owned()));
    for query in ["state=paid", "state=x", "cursor=%21", "limit=0"] {
        assert_eq!(world.operator_refuses(&format!("withdrawals?{query}")).await.0, 400, "{query}");
    }
    let shown = world.operator_get(&format!("withdrawals/{id}")).await;
    assert_eq!((&shown["state"], &shown["reason"]), (&json!("requested"), &Value::Null));
}

/// Asserts that the bot's reply to a line says what is expected, and shows no destination.
async fn replies(world: &World, line: &str, expected: &str) {
    let reply = world.says(ALICE, line).await;
    assert!(reply.contains(expected), "{line}: {reply}");
    assert!(!reply.contains("asha") && !reply.contains('{'), "{line}: {reply}");
}

/// Lines that the bot refuses when 504 rupees are available, each with a part of the reply.
const REFUSED_LINES: [(&str, &str); 9] = [
    ("/withdraw 500", "Send one line"),
    ("/withdraw five upi asha@okhdfc", "can't read that amount"),
    ("/withdraw 0 upi asha@okhdfc", "can't read that amount"),
    ("/withdraw 10 upi asha@okhdfc", "The least you can withdraw is ₹500.00"),
    ("/withdraw 600 upi asha@okhdfc", "Only ₹504.00 is available"),
    ("/withdraw 500 upi asha", "no UPI id"),
    ("/withdraw 500 bank_in asha", "no bank account"),
    ("/withdraw 500 iban PL61109010140000071219812874", "not on offer. There is:"),
    ("/withdraw 500 cash asha", "not on offer. There is:"),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_in_the_bot_says_what_to_do_next() {
    let world = alice_has_earned(false).await;
    for (line, expected) in REFUSED_LINES {
        replies(&world, line, expected).await;
    }
    let bar = json!({ "reason": "shared device" });
    assert_eq!(world.operator_post(&format!("users/{}/bar", ALICE.id), "bar", &bar).await.status, 200);
    replies(&world, "/withdraw 500 upi asha@okhdfc", "cannot withdraw. Write to support").await;
    assert_eq!(asks(&world, "barred", "500").await.code(), "member_barred");
    let unbarred = world.operator_post(&format!("users/{}/unbar", ALICE.id), "unbar", &bar).await;
    assert_eq!((unbarred.status, &unbarred.body["barred"]), (200, &json!(false)));
    let asked = world.withdraws(ALICE, "/withdraw 500 UPI asha@okhdfc").await;
    assert!(asked.contains("You have asked for ₹500.00") && !asked.contains("asha"), "{asked}");
    replies(&world, "/withdraw 500 upi asha@okhdfc", "is under way").await;
    let bitten = World::new().await;
    bitten.says(ALICE, "/start").await;
    assert!(bitten.says(ALICE, "/withdraw 500 upi asha@okhdfc").await.contains("not on offer"));
    assert_eq!(asks(&bitten, "k", "500").await.code(), "withdrawals_not_offered");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_payment_the_next_withdrawal_waits() {
    let world = alice_has_earned(false).await;
    let id = asked(&world).await;
    let paid = json!({ "proof": "UTR 1" });
    for (name, body) in [("approve", Value::Null), ("claim", Value::Null), ("paid", paid)] {
        assert_eq!(step(&world, ANA, &id, name, body).await.status, 200, "{name}");
    }
    replies(&world, "/withdraw 500 upi asha@okhdfc", "possible from 2026-11-23 09:30:00 UTC").await;
    let early = asks(&world, "early", "500").await;
    assert_eq!((early.status, early.code()), (429, "cooling_down"));
    assert!(early.header("retry-after").is_some_and(|at| at.ends_with(" GMT")), "{early:?}");
}
