//! Tests of the operators' API: what it shows, and that each change happens once and is in the audit trail.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_domain::wallets::WalletKind;
use guerdon_tests::{
    ADMIN_TOKEN, World,
    lists::{each, to_the_end},
    stripe::invoice_naming,
    telegram::{ALICE, BOB, CAROL, Person, message},
};
use reqwest::Method;
use serde_json::{Value, json};

async fn world_with_a_conversion() -> World {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    world.joins(CAROL, &code).await;
    world.pays(BOB, 3900, 3900).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_fields_are_there() {
    let world = world_with_a_conversion().await;
    let stats = world.admin("stats").await;
    // Carol's referral is pending: ten dollars are promised.
    for (field, expected) in [
        ("total_credits_issued", json!(10.0)),
        ("total_referrals", json!(2)),
        ("pending_credits", json!(10.0)),
    ] {
        assert_eq!(stats[field], expected, "{field}: {stats}");
    }
    let today = json!({
        "date": "2026-11-21", "joined": 3, "referrals": 2, "converted": 1, "payments": 1, "credits_issued": 10.0,
    });
    assert_eq!(stats["daily_trend"], json!([today]));
    let best = json!([{ "user_id": ALICE.id.to_string(), "referrals": 1, "total_earned": 10.0 }]);
    assert_eq!(stats["top_referrers"], best);
    assert_eq!(world.admin("top-referrers?period=month").await["top_referrers"], best);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_and_commissions_have_the_documented_fields() {
    let world = world_with_a_conversion().await;
    let (alice, bob) = (json!(ALICE.id.to_string()), json!(BOB.id.to_string()));
    let shown = world.admin(&format!("user/{}", BOB.id)).await;
    assert_eq!((&shown["referred_by"], &shown["referral_state"]), (&alice, &json!("converted")));
    let pending = world.admin("pending").await;
    assert_eq!(pending["items"][0]["user_id"], json!(CAROL.id.to_string()));
    let found = world.admin(&format!("search?user_id={}", ALICE.id)).await;
    let commission = &found["items"][0];
    assert_eq!(commission["referred_user_id"], bob);
    assert_eq!((&commission["amount"], &commission["state"]), (&json!("10.00"), &json!("released")));
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_keep_all_their_decimals_on_the_wire() {
    let world = world_with_a_conversion().await;
    let headers = [("x-admin-token", ADMIN_TOKEN)];
    let path = format!("/api/admin/credits/user/{}", ALICE.id);
    let text = reqwest::Client::new()
        .request(Method::GET, format!("http://{}{path}", world.stack().address()))
        .header(headers[0].0, headers[0].1)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(text.contains("\"credit_balance\":10.00,"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_under_one_key_happens_once_and_another_body_is_refused() {
    let world = world_with_a_conversion().await;
    let body = json!({ "user_id": ALICE.id.to_string(), "amount": "2.50", "reason": "late delivery" });
    let first = world.admin_post("apply", "k1", &body).await;
    assert_eq!((first.status, &first.body["credit_balance"]), (200, &json!(12.5)), "{first:?}");
    let again = world.admin_post("apply", "k1", &body).await;
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&first.body, Some("true")));
    let other = json!({ "user_id": ALICE.id.to_string(), "amount": "9.50", "reason": "late delivery" });
    let refused = world.admin_post("apply", "k1", &other).await;
    assert_eq!((refused.status, refused.code()), (409, "idempotency_key_reused"));
    let revoked = json!({ "user_id": ALICE.id, "amount": 1, "reason": "was too much" });
    let revoked = world.admin_post("revoke", "k2", &revoked).await;
    assert_eq!(revoked.body["credit_balance"], json!(11.5), "{revoked:?}");
    world.drain().await;
    assert_eq!(world.admin("stats").await["total_credits_issued"], json!(11.5));
    let app = world.stack().app();
    let trail = app.store().audit().trail(&app.now().month(), None, 10).await.unwrap();
    let actions: Vec<_> = trail.iter().map(|line| (line.action.as_str(), line.reason.as_str())).collect();
    assert!(
        actions.contains(&("credit.apply", "late delivery"))
            && actions.contains(&("credit.revoke", "was too much"))
    );
    assert_eq!(actions.len(), 2, "a replay leaves no second line");
}

/// A change: its path, its key and its body, and the status and the code with which it is refused.
type Refused = (&'static str, &'static str, Value, u16, &'static str);

/// Changes that are refused in the world with a conversion.
fn bad_changes() -> Vec<Refused> {
    let alice = json!(ALICE.id.to_string());
    let apply = |amount: Value| json!({ "user_id": alice, "amount": amount, "reason": "because" });
    let confirm = |person: Person| json!({ "user_id": person.id.to_string(), "reason": "paid in cash" });
    let of = |user: &str| json!({ "user_id": user, "amount": 1, "reason": "because" });
    let unknown = json!({ "user_id": alice, "amount": 1, "x": 1, "reason": "because" });
    vec![
        ("apply", "k", apply(json!("0")), 400, "bad_amount"),
        ("apply", "k", apply(json!("-5")), 400, "bad_amount"),
        ("apply", "k", apply(json!(-5)), 400, "bad_amount"),
        ("apply", "k", apply(json!("1000000.00")), 400, "bad_amount"),
        ("apply", "k", apply(json!("1.001")), 400, "bad_amount"),
        ("apply", "k", apply(json!("ten")), 400, "bad_amount"),
        ("apply", "k", apply(json!("1e3")), 400, "bad_amount"),
        ("apply", "k", json!({ "user_id": alice, "reason": "because" }), 400, "bad_body"),
        ("apply", "k", of("me"), 400, "bad_user_id"),
        ("apply", "k", json!({ "user_id": alice, "amount": 1, "reason": " " }), 400, "bad_reason"),
        ("apply", "k", unknown, 400, "bad_body"),
        ("apply", "k", of("99"), 404, "unknown_member"),
        ("apply", "", apply(json!(1)), 400, "bad_idempotency_key"),
        ("revoke", "k", apply(json!("10.01")), 409, "insufficient_credit"),
        ("force-confirm", "k", confirm(ALICE), 409, "not_referred"),
        ("force-confirm", "k", confirm(BOB), 409, "referral_not_pending"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_changes_are_refused_one_by_one() {
    let world = world_with_a_conversion().await;
    let before = world.ledger(&[ALICE, BOB, CAROL], &[]).await;
    for (path, key, body, status, code) in bad_changes() {
        let answer = world.admin_post(path, key, &body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{path} {body}: {answer:?}");
    }
    assert_eq!(world.ledger(&[ALICE, BOB, CAROL], &[]).await, before);
    let big = json!({ "user_id": ALICE.id.to_string(), "amount": 1, "reason": "x".repeat(20_000) });
    let big = world.admin_post("apply", "k", &big).await;
    assert_eq!((big.status, big.code()), (413, "body_too_large"), "{big:?}");
}

/// Paths below `/api/admin/credits` with a query that is refused.
const BAD_QUERIES: [&str; 6] = [
    "user/me",
    "search",
    "search?user_id=1&limit=0",
    "pending?cursor=%21",
    "export?format=xml",
    "top-referrers?period=year",
];

#[tokio::test(flavor = "multi_thread")]
async fn bad_queries_are_refused_with_a_problem() {
    let world = world_with_a_conversion().await;
    for path in BAD_QUERIES {
        let path = format!("credits/{path}");
        let answer = world.operator(ADMIN_TOKEN, Method::GET, &path, "", &Value::Null).await;
        let kind = answer.content_type.as_str();
        assert_eq!((answer.status, kind), (400, "application/problem+json"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_confirmation_converts_once_whatever_the_key() {
    let world = world_with_a_conversion().await;
    let body = json!({ "user_id": CAROL.id.to_string(), "reason": "paid in cash" });
    let first = world.admin_post("force-confirm", "k1", &body).await;
    assert_eq!((first.status, &first.body["credit_balance"]), (200, &json!(20.0)), "{first:?}");
    assert_eq!(world.admin_post("force-confirm", "k1", &body).await.body, first.body);
    world.drain().await;
    // Carol's own first payment arrives later: it earns nothing more.
    world.pays(CAROL, 3900, 3900).await;
    assert_eq!(world.admin("stats").await["total_credits_issued"], json!(20.0));
}

/// Makes four referrers with one to four referees each, who have all paid; returns the referees' ids in order.
async fn ten_commissions(world: &World) -> Vec<String> {
    let mut referees = Vec::new();
    for r in 0..4_i64 {
        let code = world.code_of(Person { id: 8_000_000_000 + r, name: "Ref" }).await;
        for n in 0..=r {
            let referee = Person { id: 8_100_000_000 + r * 100 + n, name: "Friend" };
            world.joins(referee, &code).await;
            let (invoice, customer) = (format!("in_{r}_{n}"), format!("cus_{r}_{n}"));
            world.stripe(&invoice_naming(referee, &invoice, &customer)).await;
            referees.push(referee.id.to_string());
        }
    }
    world.drain().await;
    referees
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_every_commission_once_whatever_the_page() {
    let world = World::new().await;
    let expected = ten_commissions(&world).await;
    for limit in [1, 3, 200] {
        let page = async |rest: &str| world.admin(&format!("export?limit={limit}{rest}")).await;
        let found = Value::Array(to_the_end(limit, page).await);
        let mut found = each(&found, "referred_user_id");
        found.sort_by_key(Value::to_string);
        assert_eq!(found, expected, "limit {limit}");
    }
    let csv = world.admin("export?format=csv&limit=200").await;
    let csv = csv.as_str().unwrap();
    assert!(csv.starts_with("commission_id,user_id,referred_user_id,amount,clawed,currency,"), "{csv}");
    assert_eq!(csv.lines().count(), 1 + expected.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_given_by_hand_reaches_the_stripe_balance_too() {
    let world = World::new().await;
    world.says(ALICE, "/start").await;
    world.pays(ALICE, 3900, 3900).await;
    let body = json!({ "user_id": ALICE.id.to_string(), "amount": 5, "reason": "welcome" });
    assert_eq!(world.admin_post("apply", "k1", &body).await.status, 200);
    world.drain().await;
    let posts = world.stripe_posts().await;
    assert_eq!(posts.len(), 1, "{posts:?}");
    assert_eq!(posts[0]["params"]["amount"], "-500");
    let app = world.stack().app();
    let wallet = app
        .store()
        .wallets()
        .find(&world.member(ALICE), WalletKind::BillCredit, app.preset.currency)
        .await
        .unwrap();
    assert_eq!((wallet.buckets.available, wallet.buckets.held), (0, 500));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_members_commissions_are_paged_to_the_end() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    for person in [BOB, CAROL] {
        world.joins(person, &code).await;
        world.pays(person, 3900, 3900).await;
    }
    let first = world.admin(&format!("search?user_id={}&limit=1", ALICE.id)).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = world.admin(&format!("search?user_id={}&limit=1&cursor={cursor}", ALICE.id)).await;
    assert_ne!(first["items"], second["items"]);
    assert_eq!(second["items"].as_array().unwrap().len(), 1);
    // The cursor of a referral, in Base64: `"REFERRAL#1"`.
    let of_another_list = format!("credits/search?user_id={}&cursor=IlJFRkVSUkFMIzEi", ALICE.id);
    assert_eq!(world.operator_refuses(&of_another_list).await, (400, "bad_cursor".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_verified_by_the_hour() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    world.pays(BOB, 3900, 3900).await;
    let report = world.run_job("ledger-verifier").await;
    assert_eq!(
        report,
        json!({ "wallets": 1, "payments": 1, "commissions": 1, "acknowledged": 0, "finished": true })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_names_the_id_that_its_writes_have() {
    let world = World::new().await;
    world.update(&message(world.update_id(), ALICE, "/start")).await;
    world.drain().await;
    let body = json!({ "user_id": ALICE.id.to_string(), "amount": 5.0, "reason": "sorry" });
    let answer = world.admin_post("apply", "key-1", &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let id = answer.header("x-request-id").unwrap().to_owned();
    assert!(id.starts_with("req_") && id.len() == 20, "{id}");
    let path = format!("users/{}/statement?wallet=bill_credit", ALICE.id);
    assert_eq!(world.operator_get(&path).await["items"][0]["correlation_id"], json!(id));
    let refused = world.admin_post("apply", "key-2", &json!({})).await;
    assert!(refused.header("x-request-id").is_some_and(|other| other.starts_with("req_") && other != id));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_trail_is_read_page_by_page() {
    let world = world_with_a_conversion().await;
    for n in 0..3 {
        let body = json!({ "user_id": ALICE.id, "amount": "1.00", "reason": format!("gift {n}") });
        assert_eq!(world.admin_post("apply", &format!("gift-{n}"), &body).await.status, 200);
        world.advance(1).await;
    }
    let first = world.operator_get("audit?limit=2").await;
    let reasons = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items.iter().map(|line| line["reason"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(reasons(&first), ["gift 2", "gift 1"]);
    let line = &first["items"][0];
    assert_eq!((&line["operator"], &line["action"]), (&json!("admin"), &json!("credit.apply")), "{line}");
    assert_eq!(line["user_id"], json!(ALICE.id.to_string()));
    assert_ne!(line["before"], line["after"]);
    let next = first["next_cursor"].as_str().unwrap();
    assert_eq!(reasons(&world.operator_get(&format!("audit?limit=2&cursor={next}")).await), ["gift 0"]);
    assert_eq!(world.operator_get("audit?month=2001-01").await["items"], json!([]));
    for (query, code) in
        [("month=november", "bad_month"), ("limit=0", "bad_limit"), ("cursor=x", "bad_cursor")]
    {
        let refused = world.operator_refuses(&format!("audit?{query}")).await;
        assert_eq!(refused, (400, code.to_owned()), "{query}");
    }
}
