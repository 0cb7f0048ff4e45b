//! Tests of the documented API of the OTT system, as a service's client calls it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_tests::{ADMIN_TOKEN, Answer, World, lists::each};
use reqwest::Method;
use serde_json::{Value, json};

const ALICE: i64 = 910_001;
const BOB: i64 = 910_002;
const CAROL: i64 = 910_003;

async fn create(world: &World, shop: &str, id: i64, name: &str, code: Option<&str>) -> Value {
    let body = json!({
        "telegram_id": id, "username": name, "first_name": name, "last_name": null,
        "referred_by_code": code, "device_id": format!("phone-{id}"), "ip_address": "203.0.113.7",
    });
    let answer = world.bearing(shop, "/users/create", Some(&body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

async fn buy(world: &World, shop: &str, id: i64, transaction: &str) -> Value {
    let body = json!({
        "user_id": id, "payment_method": "upi", "upi_id": format!("u{id}@bank"), "transaction_id": transaction,
    });
    let order = world.bearing(shop, "/orders/create", Some(&body)).await;
    assert_eq!((order.status, &order.body["status"]), (200, &json!("pending")), "{order:?}");
    let path = format!("/orders/{}/payment-success", order.body["order_id"].as_str().unwrap());
    let paid = world.bearing(shop, &path, Some(&json!({ "transaction_id": transaction }))).await;
    assert_eq!((paid.status, &paid.body["status"]), (200, &json!("paid")), "{paid:?}");
    paid.body
}

async fn get(world: &World, shop: &str, path: &str) -> Value {
    let answer = world.bearing(shop, path, None).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body
}

/// Alice brought Bob, who brought Carol.
async fn chain(world: &World, shop: &str) {
    let alice = create(world, shop, ALICE, "alice", None).await;
    let bob = create(world, shop, BOB, "bob", alice["referral_code"].as_str()).await;
    create(world, shop, CAROL, "carol", bob["referral_code"].as_str()).await;
}

fn refused(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.content_type, "application/problem+json", "{answer:?}");
    (answer.status, answer.code().to_owned())
}

/// Makes an order that names no transfer yet; returns its id.
async fn open_order(world: &World, shop: &str, id: i64, key: &str) -> String {
    let order = json!({ "user_id": id, "payment_method": "bank" });
    let made = world.keyed(shop, "/orders/create", Some(&order), Some(key)).await;
    made.body["order_id"].as_str().unwrap().to_owned()
}

/// Reports that a transfer paid an order.
async fn report(world: &World, shop: &str, order: &str, transaction: &str) -> Answer {
    let path = format!("/orders/{order}/payment-success");
    world.bearing(shop, &path, Some(&json!({ "transaction_id": transaction }))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_registers_sells_and_two_levels_earn() {
    let world = World::of("ott").await;
    let shop = world.shop().await;
    chain(&world, &shop).await;
    let one = json!([{ "level": 1, "rule": "level-1", "amount": 28.00, "currency": "INR" }]);
    assert_eq!(buy(&world, &shop, BOB, "T-1").await["commissions"], one);
    let paid = buy(&world, &shop, CAROL, "T-2").await;
    assert_eq!(each(&paid["commissions"], "amount"), [json!(28.00), json!(9.00)]);
    world.drain().await;
    let alices = async |path: &str| get(&world, &shop, &path.replace("{id}", &ALICE.to_string())).await;
    let wallet = alices("/wallet/{id}").await;
    assert_eq!(
        (&wallet["available"], &wallet["pending"]),
        (&json!(0.00), &json!(37.00)),
        "held for 24 hours"
    );
    world.advance(24 * 3600).await;
    let wallet = alices("/wallet/{id}").await;
    assert_eq!((&wallet["available"], &wallet["wallet"]), (&json!(37.00), &json!("earnings")));
    let page = alices("/wallet/{id}/transactions").await;
    assert_eq!(page["items"][0]["kind"], "commissions_released");
    assert_eq!(page["next_cursor"], Value::Null);
    let stats = alices("/users/{id}/referral-stats").await;
    assert_eq!((&stats["total_referrals"], &stats["conversion_rate"]), (&json!(1), &json!(100.0)));
    assert_eq!(stats["total_earned"], json!(37.00));
    world.ledger_is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tree_has_two_levels_and_pages() {
    let world = World::of("ott").await;
    let shop = world.shop().await;
    let alice = create(&world, &shop, ALICE, "alice", None).await;
    let code = alice["referral_code"].as_str();
    for n in 0..5 {
        let child = create(&world, &shop, 920_000 + n, "child", code).await;
        create(&world, &shop, 930_000 + n, "grandchild", child["referral_code"].as_str()).await;
        world.advance(1).await;
    }
    world.drain().await;
    let path = format!("/users/{ALICE}/referral-tree");
    let first = get(&world, &shop, &format!("{path}?limit=3")).await;
    assert_eq!(first["total_referrals"], 5);
    assert_eq!(each(&first["referrals"], "user_id"), ["920004", "920003", "920002"]);
    assert_eq!(first["referrals"][0]["referrals"][0]["user_id"], "930004");
    assert_eq!(first["referrals"][0]["total_referrals"], 1);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = get(&world, &shop, &format!("{path}?limit=3&depth=1&cursor={cursor}")).await;
    assert_eq!(each(&rest["referrals"], "user_id"), ["920001", "920000"]);
    assert_eq!(rest["referrals"][0]["referrals"], json!([]), "one level was asked for");
    assert_eq!(rest["next_cursor"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_tree_out_of_bounds_is_refused() {
    let world = World::of("ott").await;
    let shop = world.shop().await;
    chain(&world, &shop).await;
    for bad in ["depth=3", "limit=51", "limit=x", "cursor=x"] {
        let answer = world.bearing(&shop, &format!("/users/{ALICE}/referral-tree?{bad}"), None).await;
        assert_eq!(refused(&answer).0, 400, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_call_changes_nothing() {
    let world = World::of("ott").await;
    let shop = world.shop().await;
    chain(&world, &shop).await;
    let again = create(&world, &shop, ALICE, "alice", None).await;
    assert_eq!((&again["is_new"], &again["not_referred_because"]), (&json!(false), &Value::Null));
    let alices = again["referral_code"].as_str();
    let bob = create(&world, &shop, BOB, "bob", alices).await;
    assert_eq!(bob["not_referred_because"], Value::Null, "the code they came by");
    let own = create(&world, &shop, ALICE, "alice", alices).await;
    assert_eq!(own["not_referred_because"], "own_code");
    let first = buy(&world, &shop, BOB, "T-1").await;
    let order = json!({ "user_id": BOB, "payment_method": "upi", "transaction_id": "T-1", "upi_id": null });
    let found = world.bearing(&shop, "/orders/create", Some(&order)).await;
    assert_eq!((&found.body["order_id"], &found.body["status"]), (&first["order_id"], &json!("paid")));
    let path = format!("/orders/{}/payment-success", first["order_id"].as_str().unwrap());
    let calls = (0..8).map(|_| async { world.bearing(&shop, &path, Some(&json!({}))).await });
    for answer in futures::future::join_all(calls).await {
        assert_eq!((answer.status, &answer.body), (200, &first));
    }
    let shown = get(&world, &shop, &format!("/orders/{}", first["order_id"].as_str().unwrap())).await;
    assert_eq!((&shown["payment"], &shown["transaction_id"]), (&json!("bank:T1"), &json!("T-1")));
    world.drain().await;
    let stats = get(&world, &shop, &format!("/users/{ALICE}/referral-stats")).await;
    assert_eq!(stats["total_earned"], json!(28.00), "one payment, one commission");
    world.ledger_is_sound().await;
}

/// A transfer of Carol's, as an operator records it.
fn seen_at_the_bank(reference: &str) -> Value {
    json!({
        "user_id": CAROL, "amount": "799.00", "currency": "INR", "reference": reference, "purpose": "purchase",
        "reason": "seen at the bank",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_pays_once_in_every_spelling() {
    let world = World::of("ott").await;
    let shop = world.shop().await;
    chain(&world, &shop).await;
    let first = buy(&world, &shop, BOB, "UTR123456789").await;
    for (n, spelling) in ["utr123456789", "UTR 1234 5678 9", "Utr-123/456.789"].into_iter().enumerate() {
        let order =
            |user: i64| json!({ "user_id": user, "payment_method": "upi", "transaction_id": spelling });
        let found = world.bearing(&shop, "/orders/create", Some(&order(BOB))).await;
        assert_eq!(found.body["order_id"], first["order_id"], "{spelling}: {found:?}");
        let path = format!("/orders/{}/payment-success", first["order_id"].as_str().unwrap());
        let again = world.bearing(&shop, &path, Some(&json!({ "transaction_id": spelling }))).await;
        assert_eq!((again.status, &again.body), (200, &first), "{spelling}");
        let taken = world.bearing(&shop, "/orders/create", Some(&order(CAROL))).await;
        assert_eq!(refused(&taken), (409, "transaction_used".to_owned()), "{spelling}");
        // The sibling: an operator who records what the bank's statement shows.
        let seen = seen_at_the_bank(spelling);
        let used = world.operator_post("payments", &format!("seen-{n}"), &seen).await;
        assert_eq!(refused(&used), (409, "reference_used".to_owned()), "{spelling}");
    }
    let nothing = json!({ "user_id": CAROL, "payment_method": "upi", "transaction_id": "-- /" });
    let answer = world.bearing(&shop, "/orders/create", Some(&nothing)).await;
    assert_eq!(refused(&answer), (400, "bad_transaction_id".to_owned()));
    world.ledger_is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_transfer_pays_one_order() {
    let world = World::of("ott").await;
    let shop = world.shop().await;
    chain(&world, &shop).await;
    buy(&world, &shop, BOB, "T-1").await;
    let order = json!({ "user_id": CAROL, "payment_method": "upi", "transaction_id": "T-1" });
    let answer = world.bearing(&shop, "/orders/create", Some(&order)).await;
    assert_eq!(refused(&answer), (409, "transaction_used".to_owned()));
    // Two orders without a transfer; one transfer is reported for both at the same time.
    let first = open_order(&world, &shop, CAROL, "first").await;
    let second = open_order(&world, &shop, CAROL, "second").await;
    assert_ne!(first, second);
    let reports = [&first, &second].map(|order| report(&world, &shop, order, "T-2"));
    let told = futures::future::join_all(reports).await;
    let mut outcomes: Vec<_> = told.iter().map(|answer| (answer.status, answer.code())).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, [(200, ""), (409, "transaction_used")]);
    let other = report(&world, &shop, &first, "T-3").await;
    let open = told[0].status == 409;
    assert_eq!(refused_or_paid(&other), if open { "paid" } else { "other_transaction" });
    world.drain().await;
    world.ledger_is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_an_operator_saw_first_pays_the_order() {
    let world = World::of("ott").await;
    let shop = world.shop().await;
    chain(&world, &shop).await;
    world.bank(guerdon_tests::telegram::Person { id: BOB, name: "bob" }, "135.00", "combo", "OPX").await;
    let tell = async |order: String| report(&world, &shop, &order, "OPX").await;
    let somebody_elses = tell(open_order(&world, &shop, CAROL, "carol").await).await;
    assert_eq!(refused(&somebody_elses), (409, "transaction_used".to_owned()));
    let own = open_order(&world, &shop, BOB, "bob").await;
    for told in futures::future::join_all((0..4).map(|_| tell(own.clone()))).await {
        assert_eq!((told.status, &told.body["status"]), (200, &json!("paid")), "{told:?}");
        assert_eq!(told.body["commissions"][0]["amount"], json!(28.00));
    }
    let second = tell(open_order(&world, &shop, BOB, "second").await).await;
    assert_eq!(refused(&second), (409, "transaction_used".to_owned()));
    world.drain().await;
    world.ledger_is_sound().await;
    assert_eq!(get(&world, &shop, &format!("/wallet/{ALICE}")).await["pending"], json!(28.00), "earned once");
}

fn refused_or_paid(answer: &Answer) -> &str {
    if answer.status == 200 { "paid" } else { answer.code() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_is_asked_for_once() {
    let world = World::of_with("ott", |config| {
        guerdon_tests::operators::with_preset(config, |preset| {
            let rules = preset.withdrawals.as_mut().unwrap();
            rules.minimum = guerdon_domain::money::Money::new(2000, preset.currency);
        });
    })
    .await;
    let shop = world.shop().await;
    chain(&world, &shop).await;
    buy(&world, &shop, BOB, "T-1").await;
    world.advance(24 * 3600).await;
    let ask = json!({ "user_id": ALICE, "amount": "25.50", "upi_id": "alice@bank" });
    let asked = world.keyed(&shop, "/withdrawals/create", Some(&ask), Some("w-1")).await;
    assert_eq!((asked.status, &asked.body["status"]), (200, &json!("requested")), "{asked:?}");
    assert!(!asked.body["destination"].as_str().unwrap().contains("alice"), "{asked:?}");
    let again = world.keyed(&shop, "/withdrawals/create", Some(&ask), Some("w-1")).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")));
    assert_eq!(again.body, asked.body);
    let unkeyed = world.bearing(&shop, "/withdrawals/create", Some(&ask)).await;
    assert_eq!(refused(&unkeyed), (409, "withdrawal_open".to_owned()));
    let other = json!({ "user_id": ALICE, "amount": "25.51", "upi_id": "alice@bank" });
    let reused = world.keyed(&shop, "/withdrawals/create", Some(&other), Some("w-1")).await;
    assert_eq!(refused(&reused), (409, "idempotency_key_reused".to_owned()));
    let wallet = get(&world, &shop, &format!("/wallet/{ALICE}")).await;
    assert_eq!((&wallet["available"], &wallet["held"]), (&json!(2.50), &json!(25.50)));
}

/// A body, and the status and the code with which it is refused.
type Refused = (Value, u16, &'static str);

/// Users that cannot be created.
fn bad_users() -> Vec<Refused> {
    let long = "x".repeat(300);
    vec![
        (json!({}), 400, "bad_body"),
        (json!([]), 400, "bad_body"),
        (json!({ "telegram_id": 0 }), 400, "bad_body"),
        (json!({ "telegram_id": "abc" }), 400, "bad_body"),
        (json!({ "telegram_id": 1.5 }), 400, "bad_body"),
        (json!({ "telegram_id": 5, "first_name": long }), 400, "bad_name"),
        (json!({ "telegram_id": 5, "first_name": "a\u{0}b" }), 400, "bad_name"),
        (json!({ "telegram_id": 5, "referred_by_code": "NOPE" }), 400, "unknown_code"),
        (json!({ "telegram_id": 5, "referred_by_code": "ABCD2345" }), 400, "unknown_code"),
        (json!({ "telegram_id": 5, "colour": "red" }), 400, "bad_body"),
    ]
}

/// Orders that cannot be made.
fn bad_orders() -> Vec<Refused> {
    let upi = |field: &str, value: Value| json!({ "user_id": BOB, "payment_method": "upi", field: value });
    vec![
        (json!({ "user_id": BOB }), 400, "bad_body"),
        (json!({ "user_id": 5, "payment_method": "upi" }), 404, "unknown_user"),
        (json!({ "user_id": BOB, "payment_method": "cash" }), 400, "bad_method"),
        (upi("product", json!("gold")), 422, "unknown_product"),
        (upi("amount", json!(0)), 422, "bad_amount"),
        (upi("amount", json!(1e300)), 400, "bad_amount"),
        (upi("transaction_id", json!("- /")), 400, "bad_transaction_id"),
        (upi("upi_id", json!("\u{7}")), 400, "bad_fingerprint"),
    ]
}

/// Withdrawals that cannot be requested.
fn bad_withdrawals() -> Vec<Refused> {
    let ask = |id: i64, amount: i64, to: &str| json!({ "user_id": id, "amount": amount, "upi_id": to });
    vec![
        (json!({ "user_id": ALICE, "amount": 500 }), 400, "bad_body"),
        (json!({ "user_id": ALICE, "upi_id": "a@b" }), 400, "bad_body"),
        (ask(ALICE, -1, "ann@bank"), 400, "bad_amount"),
        (ask(ALICE, 5, "ann@bank"), 422, "below_minimum"),
        (ask(ALICE, 500, "nobody"), 422, "bad_destination"),
        (ask(ALICE, 500, "ann@bank"), 422, "insufficient_funds"),
        (ask(5, 500, "ann@bank"), 404, "unknown_user"),
    ]
}

/// Reports of a payment that no open order takes.
fn bad_reports() -> Vec<Refused> {
    vec![(json!({}), 422, "no_transaction"), (json!({ "transaction_id": "" }), 400, "bad_transaction_id")]
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_and_changes_nothing() {
    let world = World::of("ott").await;
    let shop = world.shop().await;
    chain(&world, &shop).await;
    let before = get(&world, &shop, &format!("/users/{ALICE}")).await;
    let order = json!({ "user_id": BOB, "payment_method": "upi" });
    let order = world.bearing(&shop, "/orders/create", Some(&order)).await.body;
    let success = format!("/orders/{}/payment-success", order["order_id"].as_str().unwrap());
    let unknown = vec![(json!({ "transaction_id": "T" }), 404, "unknown_order")];
    for (path, cases) in [
        ("/users/create", bad_users()),
        ("/orders/create", bad_orders()),
        ("/withdrawals/create", bad_withdrawals()),
        (&success, bad_reports()),
        ("/orders/ord_unknown/payment-success", unknown),
    ] {
        for (body, status, code) in cases {
            let answer = world.bearing(&shop, path, Some(&body)).await;
            assert_eq!(refused(&answer), (status, code.to_owned()), "{path} {body}: {answer:?}");
        }
    }
    assert_eq!(get(&world, &shop, &format!("/users/{ALICE}")).await, before, "nothing was changed");
    assert_eq!(world.bearing(&shop, "/users/5", None).await.status, 404);
    world.ledger_is_sound().await;
}

/// Paths of a user who does not exist.
const OF_NOBODY: [&str; 5] =
    ["/users/5", "/users/5/referral-stats", "/users/5/referral-tree", "/wallet/5", "/wallet/5/transactions"];

#[tokio::test(flavor = "multi_thread")]
async fn paths_of_nobody_and_bad_paths_are_refused() {
    let world = World::of("ott").await;
    let shop = world.shop().await;
    chain(&world, &shop).await;
    for path in OF_NOBODY {
        let answer = world.bearing(&shop, path, None).await;
        assert_eq!(refused(&answer), (404, "unknown_user".to_owned()), "{path}");
    }
    for path in ["/users/x", "/wallet/-1", "/wallet/910001/transactions?limit=0"] {
        assert_eq!(world.bearing(&shop, path, None).await.status, 400, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_its_scopes_until_it_is_revoked() {
    let world = World::of("ott").await;
    let reader = world.service_key(&["users:read"]).await;
    let shop = world.shop().await;
    create(&world, &shop, ALICE, "alice", None).await;
    let path = format!("/users/{ALICE}");
    assert_eq!(world.bearing(&reader, &path, None).await.status, 200);
    assert_eq!(world.bearing(&reader, &format!("/wallet/{ALICE}"), None).await.code(), "forbidden");
    let body = json!({ "telegram_id": BOB });
    assert_eq!(world.bearing(&reader, "/users/create", Some(&body)).await.code(), "forbidden");
    let id = reader.split('_').nth(1).unwrap();
    let delete = async || {
        let path = format!("service-keys/{id}");
        world.operator(ADMIN_TOKEN, Method::DELETE, &path, "", &Value::Null).await
    };
    assert_eq!(delete().await.status, 204);
    assert_eq!(delete().await.code(), "unknown_key");
    let shut = world.bearing(&reader, &path, None).await;
    assert_eq!((shut.status, shut.header("www-authenticate")), (401, Some("Bearer")), "{shut:?}");
    let keys = world.operator_get("service-keys").await;
    assert!(!keys.to_string().contains(reader.split('_').nth(2).unwrap()), "the secret is not kept");
    let actions: Vec<_> = world.audit().await.into_iter().map(|(action, _)| action).collect();
    assert!(actions.contains(&"service_key.revoked".to_owned()), "{actions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_accepted_in_every_way_that_clients_send_it() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let world = World::of("ott").await;
    let reader = world.service_key(&["users:read"]).await;
    let shop = world.shop().await;
    create(&world, &shop, ALICE, "alice", None).await;
    for (name, value) in [
        ("x-api-key", reader.clone()),
        ("authorization", format!("Basic {}", STANDARD.encode(format!("{reader}:")))),
        ("authorization", format!("Basic {}", STANDARD.encode(format!("shop:{reader}")))),
    ] {
        let path = format!("/users/{ALICE}");
        let answer = world.request(Method::GET, &path, &[(name, &value)], Vec::new()).await;
        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(answer.header("ratelimit-policy"), Some("\"minute\";q=100000;w=60"));
        assert!(answer.header("ratelimit").unwrap().starts_with("\"minute\";r=9999"), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_asked_for_twice_is_one_key() {
    let world = World::of("ott").await;
    let make = async |body: Value| world.operator_post("service-keys", "shop-1", &body).await;
    let body = json!({ "name": "a shop", "scopes": ["users:read"] });
    let answers = futures::future::join_all((0..6).map(|_| make(body.clone()))).await;
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
    assert!(answers.iter().all(|answer| answer.body == answers[0].body), "{answers:?}");
    assert_eq!(world.operator_get("service-keys").await["items"].as_array().unwrap().len(), 1);
    let key = answers[0].body["key"].as_str().unwrap();
    assert_eq!(refused(&world.bearing(key, "/users/5", None).await).1, "unknown_user", "it opens");
    let other = make(json!({ "name": "a shop", "scopes": ["users:write"] })).await;
    assert_eq!(refused(&other), (409, "idempotency_key_reused".to_owned()));
    let csv = world.operator(ADMIN_TOKEN, Method::GET, "audit?format=csv", "", &Value::Null).await;
    assert!(
        csv.body.as_str().unwrap().starts_with("at,operator,action,user_id,reason,before,after\n"),
        "{csv:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_do_differently_is_taken_or_refused_by_name() {
    let world = World::of("ott").await;
    let shop = world.shop().await;
    let lower = format!("bearer {shop}");
    let create_user = async |body: Value| {
        let headers = [("authorization", lower.as_str()), ("content-type", "application/json")];
        let body = body.to_string().into_bytes();
        world.request(Method::POST, "/users/create", &headers, body).await
    };
    let made = create_user(json!({ "telegram_id": ALICE, "referred_by_code": "" })).await;
    assert_eq!((made.status, &made.body["is_new"]), (200, &json!(true)), "an empty code is none: {made:?}");
    let list = create_user(json!([BOB, "bob", "Bob", null, null, null, null])).await;
    assert_eq!(refused(&list), (400, "bad_body".to_owned()));
}

/// Registers a user with this device and address; returns the number of fraud flags there are then.
async fn flags_after(world: &World, shop: &str, id: i64, device: &str, address: &str) -> usize {
    let body = json!({ "telegram_id": id, "device_id": device, "ip_address": address });
    let made = world.bearing(shop, "/users/create", Some(&body)).await;
    assert_eq!((made.status, &made.body["is_new"]), (200, &json!(true)), "{body}: {made:?}");
    let headers = [("x-admin-token", ADMIN_TOKEN)];
    let flags = world.request(Method::GET, "/fraud/flags", &headers, Vec::new()).await;
    flags.body["items"].as_array().unwrap().len()
}

/// A world in which two members on one device or at one address are flagged.
async fn strict() -> (World, String) {
    let world = World::of("ott").await;
    let shop = world.shop().await;
    for rule in ["shared_ip", "shared_device"] {
        let path = format!("/settings/fraud.{rule}.members");
        let headers = [("x-admin-token", ADMIN_TOKEN), ("content-type", "application/json")];
        let set = world.request(Method::PUT, &path, &headers, br#"{"value":2}"#.to_vec()).await;
        assert_eq!(set.status, 200, "{set:?}");
    }
    (world, shop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_that_says_nothing_is_left_out_and_the_registration_goes_on() {
    let (world, shop) = strict().await;
    let mut ids = 920_001..;
    let addresses = "|unknown|1.2.3|127.0.0.1|::1|10.0.0.5|192.168.1.1|169.254.1.1|203.0.113.7|a, b";
    for address in addresses.split('|').flat_map(|address| [address; 2]) {
        assert_eq!(flags_after(&world, &shop, ids.next().unwrap(), "", address).await, 0, "{address}");
    }
    let long = "x".repeat(300);
    let devices = ["unknown", "00000000-0000-0000-0000-000000000000", &long, "a\u{0}b"];
    for device in devices.into_iter().flat_map(|device| [device; 2]) {
        assert_eq!(flags_after(&world, &shop, ids.next().unwrap(), device, "").await, 0, "{device}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_list_of_addresses_the_first_public_one_counts() {
    let (world, shop) = strict().await;
    assert_eq!(flags_after(&world, &shop, 920_001, "", "10.0.0.5, 8.8.8.8, 1.1.1.1").await, 0);
    assert_eq!(flags_after(&world, &shop, 920_002, "", "1.1.1.1").await, 0);
    assert_eq!(flags_after(&world, &shop, 920_003, "", "8.8.8.8:443").await, 1, "as that address alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_placeholder_for_the_payer_shares_nothing() {
    let world = World::of("ott").await;
    let shop = world.shop().await;
    chain(&world, &shop).await;
    for (id, transaction) in [(ALICE, "T-1"), (BOB, "T-2"), (CAROL, "T-3")] {
        let order = json!({
            "user_id": id, "payment_method": "upi", "upi_id": "Unknown", "transaction_id": transaction,
        });
        assert_eq!(world.bearing(&shop, "/orders/create", Some(&order)).await.status, 200);
    }
    let headers = [("x-admin-token", ADMIN_TOKEN)];
    let flags = world.request(Method::GET, "/fraud/flags", &headers, Vec::new()).await;
    assert_eq!(flags.body["items"], json!([]));
}
