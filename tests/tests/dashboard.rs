//! Tests of the operators' view of the whole business: dashboard, lists, and withdrawals by the documented paths.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_domain::money::Money;
use guerdon_tests::{ADMIN_TOKEN, Answer, World, lists::to_the_end, operators::with_preset};
use reqwest::Method;
use serde_json::{Value, json};

const ALICE: i64 = 950_001;
const BOB: i64 = 950_002;

async fn ott() -> World {
    World::of_with("ott", |config| {
        with_preset(config, |preset| {
            let rules = preset.withdrawals.as_mut().unwrap();
            rules.minimum = Money::new(1000, preset.currency);
            rules.cool_down_seconds = 0;
        });
    })
    .await
}

async fn call(world: &World, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let headers = [("x-admin-token", ADMIN_TOKEN), ("content-type", "application/json")];
    let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
    world.request(method, path, &headers, body).await
}

async fn get(world: &World, path: &str) -> Value {
    let answer = call(world, Method::GET, path, None).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body
}

async fn join(world: &World, shop: &str, id: i64, name: &str, code: Option<&str>) -> String {
    let body = json!({ "telegram_id": id, "first_name": name, "username": format!("{name}_{id}"), "referred_by_code": code });
    let answer = world.bearing(shop, "/users/create", Some(&body)).await;
    answer.body["referral_code"].as_str().expect("a code").to_owned()
}

async fn order(world: &World, shop: &str, id: i64, transaction: &str, pays: bool) {
    let body = json!({ "user_id": id, "payment_method": "upi", "transaction_id": transaction });
    let order = world.bearing(shop, "/orders/create", Some(&body)).await;
    if pays {
        let path = format!("/orders/{}/payment-success", order.body["order_id"].as_str().unwrap());
        assert_eq!(world.bearing(shop, &path, Some(&json!({}))).await.status, 200);
    }
}

/// Alice brings Bob, who pays for one of two orders.
async fn business(world: &World) -> String {
    let shop = world.shop().await;
    let code = join(world, &shop, ALICE, "Alice", None).await;
    join(world, &shop, BOB, "Bob", Some(&code)).await;
    order(world, &shop, BOB, "T-1", true).await;
    world.advance(60).await;
    order(world, &shop, BOB, "T-2", false).await;
    world.drain().await;
    shop
}

/// The sums by currency of one order of 135 rupees.
fn in_rupees() -> Value {
    let sums = [("revenue", 135.00), ("refunded", 0.00), ("cost", 42.00), ("commission_amount", 28.00)];
    let mut rupees: Value = sums.map(|(name, amount)| (name.to_owned(), json!(amount))).into_iter().collect();
    rupees["currency"] = json!("INR");
    json!([rupees])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_are_those_of_the_business() {
    let world = ott().await;
    business(&world).await;
    let stats = get(&world, "/admin/dashboard/stats").await;
    let figures = json!({
        "link_clicks": 0, "link_visitors": 0,
        "new_users": 2, "referred_users": 1, "converted_referrals": 1, "conversion_rate": 100.0,
        "orders": 2, "paid_orders": 1, "payments": 1, "revenue": 135.00, "refunded": 0.00, "cost": 42.00,
        "profit": 93.00, "commissions": 1, "commission_amount": 28.00, "profit_after_commissions": 65.00,
        "paid_out": 0.00, "by_currency": in_rupees(),
    });
    assert_eq!((&stats["today"], &stats["overall"]), (&figures, &figures));
    assert_eq!((&stats["pending_commissions"], &stats["active_codes"]), (&json!(28.00), &json!(2)));
    let monitoring = get(&world, "/admin/dashboard/payment-monitoring").await;
    let upi = json!([{ "method": "upi", "attempts": 2, "paid": 1, "success_rate": 50.0 }]);
    assert_eq!((&monitoring["today"], &monitoring["overall"]), (&upi, &upi));
    let kpi = get(&world, "/admin/dashboard/kpi").await;
    assert_eq!((&kpi["order_success_rate"], &kpi["average_payment"]), (&json!(50.0), &json!(135.00)));
    assert_eq!(kpi["commission_share_of_profit"], json!(30.1));
    world.advance(86_400).await;
    let later = get(&world, "/admin/dashboard/stats").await;
    assert_eq!((&later["today"]["orders"], &later["overall"]), (&json!(0), &figures));
    assert_eq!(later["today"]["conversion_rate"], json!(0.0));
}

/// Asks for 20 rupees as Alice and lets an hour pass; returns the withdrawal's id.
async fn asked(world: &World, shop: &str) -> String {
    let ask = json!({ "user_id": ALICE, "amount": 20, "upi_id": "alice@bank" });
    let asked = world.bearing(shop, "/withdrawals/create", Some(&ask)).await;
    world.drain().await;
    world.advance(3600).await;
    asked.body["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_goes_through_by_the_documented_paths() {
    let world = ott().await;
    let shop = business(&world).await;
    world.advance(86_400).await;
    let id = asked(&world, &shop).await;
    let all = get(&world, "/withdrawals/admin/all?status=pending").await;
    assert_eq!((&all["items"][0]["id"], &all["items"][0]["state"]), (&json!(id), &json!("requested")));
    let step = async |name: &str, body: Option<&Value>| {
        call(&world, Method::POST, &format!("/withdrawals/{id}/{name}"), body).await
    };
    let early = step("paid", Some(&json!({ "proof": "UTR1" }))).await;
    assert_eq!(early.code(), "wrong_state", "nobody approved it");
    assert_eq!(step("approve", None).await.body["state"], "approved");
    assert_eq!(step("approve", None).await.status, 200, "again");
    assert_eq!(step("paid", Some(&json!({}))).await.code(), "bad_body");
    let paid = step("paid", Some(&json!({ "transaction_id": "UTR1" }))).await;
    assert_eq!((&paid.body["state"], &paid.body["proof"]), (&json!("paid"), &json!("UTR1")), "{paid:?}");
    assert_eq!(step("reject", None).await.code(), "wrong_state");
    world.drain().await;
    assert_eq!(get(&world, "/withdrawals/admin/all?status=requested").await["items"], json!([]));
    assert_eq!(get(&world, "/withdrawals/admin/all").await["items"][0]["state"], "paid");
    world.ledger_is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawals_are_counted_while_they_wait_and_when_they_are_paid() {
    let world = ott().await;
    let shop = business(&world).await;
    world.advance(86_400).await;
    let id = asked(&world, &shop).await;
    let stats = get(&world, "/admin/dashboard/stats").await;
    let waiting = &stats["withdrawals"][0];
    assert_eq!((&waiting["count"], &waiting["amount"]), (&json!(1), &json!(20.00)));
    assert_eq!(waiting["oldest_age_seconds"], 3600);
    for (step, body) in [("approve", None), ("paid", Some(&json!({ "transaction_id": "UTR1" })))] {
        let done = call(&world, Method::POST, &format!("/withdrawals/{id}/{step}"), body).await;
        assert_eq!(done.status, 200, "{done:?}");
    }
    world.drain().await;
    let kpi = get(&world, "/admin/dashboard/kpi").await;
    assert_eq!((&kpi["paid_withdrawals"], &kpi["average_withdrawal_seconds"]), (&json!(1), &json!(3600)));
    let stats = get(&world, "/admin/dashboard/stats").await;
    assert_eq!((&stats["today"]["paid_out"], &stats["withdrawals"][0]["count"]), (&json!(20.00), &json!(0)));
}

fn ids(items: &[Value]) -> Vec<i64> {
    items.iter().map(|item| item["user_id"].as_str().unwrap().parse().unwrap()).collect()
}

const USERS: &str = "/admin/dashboard/users";

/// Makes a world in which user 1 brought users 2 to 25, one a second; 7 has paid, 9 is barred.
async fn crowd() -> World {
    let world = ott().await;
    let shop = world.shop().await;
    let code = join(&world, &shop, 1, "Zoë", None).await;
    for id in 2..=25 {
        world.advance(1).await;
        join(&world, &shop, id, if id % 2 == 0 { "Bart" } else { "Lisa" }, Some(&code)).await;
    }
    order(&world, &shop, 7, "T-7", true).await;
    world.operator_post("users/9/bar", "b-1", &json!({ "reason": "a test" })).await;
    world.drain().await;
    world
}

/// The ids of all users that a query finds, read to the last page.
async fn users(world: &World, query: &str, limit: usize) -> Vec<i64> {
    let page = async |rest: &str| get(world, &format!("{USERS}?limit={limit}{query}{rest}")).await;
    ids(&to_the_end(limit, page).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_listed_searched_and_paged() {
    let world = crowd().await;
    let newest_first: Vec<_> = (1..=25).rev().collect();
    assert_eq!(users(&world, "", 4).await, newest_first, "each once");
    let oldest = get(&world, &format!("{USERS}?limit=3&sort=asc")).await;
    assert_eq!(ids(oldest["items"].as_array().unwrap()), [1, 2, 3]);
    assert_eq!(oldest["items"][0]["total_referrals"], 24);
    let found = async |query: &str| {
        let page = get(&world, &format!("{USERS}?{query}")).await;
        let mut found = ids(page["items"].as_array().unwrap());
        found.sort_unstable();
        found
    };
    assert_eq!(found("search=17").await, [17]);
    assert_eq!(found("search=999").await, Vec::<i64>::new());
    assert_eq!(found("search=LIS").await.len(), 12);
    assert_eq!(found("search=zoë").await, [1]);
    assert_eq!(found("search=bart_24").await, [24]);
    assert_eq!(found("status=blocked").await, [9]);
    assert_eq!(found("status=blocked&search=bart").await, Vec::<i64>::new());
    assert_eq!(users(&world, "&type=customer", 20).await, [7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_row_is_shown_and_downloaded() {
    let world = crowd().await;
    let row = get(&world, &format!("{USERS}?search=7")).await["items"][0].clone();
    assert_eq!((&row["payments"], &row["total_paid"]), (&json!(1), &json!(135.00)));
    let csv = call(&world, Method::GET, &format!("{USERS}?search=7&format=csv"), None).await;
    assert_eq!(csv.content_type, "text/csv; charset=utf-8");
    let text = csv.body.as_str().unwrap();
    assert!(text.starts_with("user_id,username,first_name,"), "{text}");
    assert!(text.contains("\n7,Lisa_7,Lisa,,"), "{text}");
}

/// Queries that the list of users refuses.
const BAD_QUERIES: [&str; 8] =
    ["sort=up", "status=gone", "type=x", "search=-", "limit=0", "cursor=x", "period=all", "format=xml"];

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_about_users_are_refused() {
    let world = ott().await;
    for bad in BAD_QUERIES {
        let answer = call(&world, Method::GET, &format!("{USERS}?{bad}"), None).await;
        assert_eq!((answer.status, answer.content_type.as_str()), (400, "application/problem+json"), "{bad}");
    }
    let shop = world.shop().await;
    join(&world, &shop, 9, "Lisa", None).await;
    let why = json!({ "reason": "a test" });
    let barred = call(&world, Method::POST, "/api/admin/users/9/bar", Some(&why)).await;
    assert_eq!(barred.code(), "bad_idempotency_key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_changes_is_found_by_the_new_one_alone() {
    let world = ott().await;
    let alice = guerdon_tests::telegram::Person { id: ALICE, name: "Alice" };
    world.says(alice, "/start").await;
    let renamed = guerdon_tests::telegram::Person { id: ALICE, name: "Berta" };
    world.says(renamed, "/start").await;
    world.drain().await;
    let found = async |name: &str| {
        get(&world, &format!("/admin/dashboard/users?search={name}")).await["items"].clone()
    };
    assert_eq!(found("alice").await, json!([]));
    assert_eq!(found("ber").await[0]["user_id"], ALICE.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_one_character_is_found_as_any_other() {
    let world = ott().await;
    for (id, name) in [(ALICE, "Я"), (BOB, "大"), (BOB + 1, "大明")] {
        world.says(guerdon_tests::telegram::Person { id, name }, "/start").await;
    }
    world.drain().await;
    let found = async |name: &str| {
        let page = get(&world, &format!("/admin/dashboard/users?search={name}")).await;
        ids(page["items"].as_array().unwrap())
    };
    assert_eq!(found("%D1%8F").await, [ALICE], "in any case");
    assert_eq!(found("%E5%A4%A7").await, [BOB], "one character is the whole name");
    assert_eq!(found("%E5%A4%A7%E6%98%8E").await, [BOB + 1]);
    assert_eq!(found("b").await, Vec::<i64>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_and_referrers_are_listed() {
    let world = ott().await;
    business(&world).await;
    let orders = get(&world, "/admin/dashboard/orders").await;
    let states: Vec<_> = orders["items"].as_array().unwrap().iter().map(|o| o["status"].clone()).collect();
    assert_eq!(states, ["pending", "paid"], "the newest first");
    let paid = get(&world, "/admin/dashboard/orders?status=paid").await;
    assert_eq!(paid["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&paid["items"][0]["payment"], &paid["items"][0]["user_id"]),
        (&json!("bank:T1"), &json!(BOB.to_string()))
    );
    let referrers = get(&world, "/admin/dashboard/referrers?period=month").await;
    let alice = &referrers["items"][0];
    assert_eq!((&alice["user_id"], &alice["conversions"]), (&json!(ALICE.to_string()), &json!(1)));
    assert_eq!((&alice["total_earned"], &alice["conversion_rate"]), (&json!(28.00), &json!(100.0)));
    assert_eq!(referrers["next_cursor"], Value::Null);
}

/// Lets two days pass, and the stack's own schedule do its hour's work. It is well within an hour then: the schedule
/// does not come in between again.
async fn stack_runs_its_jobs(world: &World) {
    let into_the_hour = world.stack().app().now().seconds().rem_euclid(3600);
    world.advance(2 * 86_400 - into_the_hour + 600).await;
    for _ in 0..600 {
        if get(world, "/api/admin/jobs").await["items"].as_array().unwrap().len() == 3 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the stack has not run its jobs");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_automation_log_says_what_schedules_did() {
    let world = ott().await;
    business(&world).await;
    stack_runs_its_jobs(&world).await;
    for job in ["code-expiry", "hold-release", "ledger-verifier"] {
        // A second apart from each other and from the schedule's own runs, because runs of one second have no order.
        world.advance(1).await;
        world.run_job(job).await;
    }
    let runs = get(&world, "/api/admin/jobs").await;
    let jobs: Vec<_> = runs["items"].as_array().unwrap().iter().map(|run| run["job"].clone()).collect();
    assert_eq!(jobs[..3], ["ledger-verifier", "hold-release", "code-expiry"], "the newest first");
    let releases = get(&world, "/api/admin/jobs?job=hold-release").await["items"].clone();
    let released: Vec<_> =
        releases.as_array().unwrap().iter().map(|run| &run["report"]["released"]).collect();
    assert_eq!(
        (&releases[0]["status"], released),
        (&json!("success"), vec![&json!(0), &json!(1)]),
        "{releases}"
    );
    let page = get(&world, "/api/admin/jobs?limit=1").await;
    let next =
        get(&world, &format!("/api/admin/jobs?cursor={}", page["next_cursor"].as_str().unwrap())).await;
    assert_eq!(next["items"].as_array().unwrap().len(), jobs.len() - 1);
    assert_eq!(call(&world, Method::GET, "/api/admin/jobs?job=x", None).await.code(), "bad_job");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_parked_is_shown_and_played_again() {
    let world = World::new().await;
    world.stripe(&guerdon_tests::stripe::invoice_paid("in_early", "cus_nobody", 3900, 3900)).await;
    world.drain().await;
    let parked = get(&world, "/api/admin/parked").await["items"][0].clone();
    assert_eq!((&parked["kind"], &parked["waits_for"]), (&json!("invoice.paid"), &json!("customer")));
    assert_eq!(parked["awaited"], "cus_nobody");
    world.advance(60).await;
    let path = format!("/api/admin/parked/{}/replay", parked["id"].as_str().unwrap());
    let asked = call(&world, Method::POST, &path, None).await;
    assert_eq!((asked.status, asked.body["replay_requested_at"].is_string()), (202, true), "{asked:?}");
    world.drain().await;
    let again = get(&world, "/api/admin/parked").await["items"].clone();
    assert_eq!(again.as_array().unwrap().len(), 1, "its customer is still unknown");
    assert_eq!(again[0]["replay_requested_at"], Value::Null, "it came through the queue and was parked anew");
    assert!(world.audit().await.iter().any(|(action, _)| action == "event.replay"));
    let unknown = call(&world, Method::POST, "/api/admin/parked/x/replay", None).await;
    assert_eq!((unknown.status, unknown.code()), (404, "unknown_event"));
}
