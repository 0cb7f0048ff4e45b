//! Tests of refusals: each has a clear message and changes nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_tests::{
    ADMIN_TOKEN, BEGINNING, World,
    stripe::{SIGNING_SECRET, event, invoice_paid, wall_now},
    telegram::{ALICE, BOB, CAROL, Person, WEBHOOK_SECRET, message},
};
use reqwest::Method;
use serde_json::{Value, json};

const DAY: i64 = 86_400;
const DAVE: Person = Person { id: 7_000_000_004, name: "Dave" };

async fn totals(world: &World) -> Value {
    world.drain().await;
    world.admin("stats").await
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_that_make_no_referral_say_why_and_change_nothing() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    let carols = world.code_of(CAROL).await;
    let before = (totals(&world).await, world.ledger(&[ALICE, BOB, CAROL], &[]).await);
    for (person, start, expected) in [
        (ALICE, format!("ref_{code}"), "your own code"),
        (BOB, format!("ref_{carols}"), "joined through a friend's link already"),
        (CAROL, format!("ref_{code}"), "links are for new members"),
        (DAVE, "ref_ZZZZZZZZ".to_owned(), "no referral code like that"),
        (DAVE, "ref_O0O0O0O0".to_owned(), "can't read that link"),
    ] {
        let reply = world.says(person, &format!("/start {start}")).await;
        assert!(reply.contains(expected), "{start}: {reply}");
    }
    assert_eq!((totals(&world).await, world.ledger(&[ALICE, BOB, CAROL], &[]).await), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_code_changes_nothing_and_a_fresh_one_refers() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    let carols = world.code_of(CAROL).await;
    let mut then = totals(&world).await;
    world.says(DAVE, "/start ref_ZZZZZZZZ").await;
    world.advance(365 * DAY).await;
    assert!(world.joins(DAVE, &code).await.contains("has expired"));
    // A year later the days shown are others; the totals are the same.
    let mut now = totals(&world).await;
    for stats in [&mut then, &mut now] {
        stats["daily_trend"] = Value::Null;
    }
    assert_eq!(now, then);
    // A refused newcomer may still join, with a valid code.
    let fresh = world.code_of(CAROL).await;
    assert_ne!(fresh, carols, "a year later there is a new code");
    assert!(world.joins(DAVE, &fresh).await.contains("Carol invited you"));
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_that_earn_nothing_are_recorded_with_their_reason() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    world.pays(CAROL, 3900, 3900).await;
    world.pays(BOB, 0, 3900).await;
    let mut cheap = invoice_paid("in_cheap", "cus_Bob", 1900, 1900);
    cheap["data"]["object"]["billing_reason"] = json!("subscription_cycle");
    world.stripe(&cheap).await;
    let stats = totals(&world).await;
    assert_eq!((&stats["total_credits_issued"], &stats["converted_referrals"]), (&json!(0.0), &json!(0)));
    let ledger = world.ledger(&[], &["in_Carol", "in_Bob", "in_cheap"]).await;
    for reason in ["not_referred", "zero_amount", "below_minimum"] {
        assert!(ledger.contains(reason), "{reason}: {ledger}");
    }
    // The referral is still pending, so the next one counts, and only that one.
    world.stripe(&invoice_paid("in_good", "cus_Bob", 3900, 3900)).await;
    world.drain().await;
    world.stripe(&invoice_paid("in_later", "cus_Bob", 3900, 3900)).await;
    assert_eq!(totals(&world).await["total_credits_issued"], json!(10.0));
    assert!(world.ledger(&[], &["in_later"]).await.contains("already_converted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_after_the_window_comes_too_late() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    let mut late = invoice_paid("in_late", "cus_Bob", 3900, 3900);
    let paid_at = BEGINNING.plus_days(365).seconds();
    late["data"]["object"]["status_transitions"]["paid_at"] = json!(paid_at);
    late["data"]["object"]["parent"]["subscription_details"]["metadata"] =
        json!({ "telegram_id": BOB.id.to_string() });
    world.stripe(&late).await;
    assert_eq!(totals(&world).await["total_credits_issued"], json!(0.0));
    assert!(world.ledger(&[], &["in_late"]).await.contains("referral_expired"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stripe_webhook_refuses_what_stripe_did_not_sign_just_now() {
    let world = World::new().await;
    let body = invoice_paid("in_1", "cus_1", 3900, 3900).to_string();
    let check = async |body: &str, secret: &str, at, status: u16, code: &str| {
        let answer = world.stripe_signed(body, secret, at).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{answer:?}");
        assert_eq!(answer.content_type, "application/problem+json");
    };
    check(&body, "whsec_other_secret", wall_now(), 400, "signature_wrong").await;
    check(&body, SIGNING_SECRET, wall_now().plus_seconds(-310), 400, "signature_too_old").await;
    check(&body, SIGNING_SECRET, wall_now().plus_seconds(310), 400, "signature_from_the_future").await;
    check("{not json", SIGNING_SECRET, wall_now(), 400, "not_json").await;
    check("{\"object\":\"customer\"}", SIGNING_SECRET, wall_now(), 400, "not_an_event").await;
    check(&" ".repeat(4 * 1024 * 1024 + 1), SIGNING_SECRET, wall_now(), 413, "body_too_large").await;
    let unsigned = world.post("/api/stripe/webhook", &json!({})).await;
    assert_eq!((unsigned.status, unsigned.code()), (400, "signature_missing"));
    let unknown =
        event("evt_1", "product.created", &json!({ "id": "prod_1", "object": "product" })).to_string();
    let acknowledged = world.stripe_signed(&unknown, SIGNING_SECRET, wall_now()).await;
    assert_eq!((acknowledged.status, &acknowledged.body["handled"]), (200, &json!(false)));
    assert_eq!(world.get("/local/queues").await.body["payments"], json!({ "live": 0, "dead": 0 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_telegram_webhook_accepts_only_its_secret() {
    let world = World::new().await;
    let update = message(1, ALICE, "/start").to_string();
    let post = async |headers: &[(&str, &str)], body: &str| {
        world.request(Method::POST, "/telegram/webhook", headers, body.as_bytes().to_vec()).await
    };
    let header = "x-telegram-bot-api-secret-token";
    for headers in [&[][..], &[(header, "")], &[(header, "wrong")], &[(header, "test-webhook-secre")]] {
        let answer = post(headers, &update).await;
        assert_eq!((answer.status, answer.code()), (401, "unauthorized"), "{headers:?}");
    }
    assert!(world.outbox(ALICE.id).await.is_empty(), "nothing was read");
    let right = [(header, WEBHOOK_SECRET)];
    assert_eq!(post(&right, "{not json").await.code(), "not_json");
    assert_eq!(post(&right, "{\"hello\":1}").await.code(), "not_an_update");
    assert_eq!(post(&right, &" ".repeat(256 * 1024 + 1)).await.status, 413);
    let unknown = json!({ "update_id": 5, "something_new": {} }).to_string();
    assert_eq!(post(&right, &unknown).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_wrong_methods_are_problems() {
    let world = World::new().await;
    let check = async |method: Method, path: &str, status: u16, code: &str| {
        let headers = [("x-admin-token", ADMIN_TOKEN)];
        let answer = world.request(method, path, &headers, Vec::new()).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{path}: {answer:?}");
        assert_eq!(answer.content_type, "application/problem+json", "{path}");
    };
    check(Method::GET, "/nothing/here", 404, "not_found").await;
    check(Method::GET, "/api/admin/credits/nothing", 404, "not_found").await;
    check(Method::POST, "/local/nothing", 404, "not_found").await;
    check(Method::GET, "/api/stripe/webhook", 405, "method_not_allowed").await;
    check(Method::GET, "/telegram/webhook", 405, "method_not_allowed").await;
    check(Method::POST, "/api/admin/credits/stats", 405, "method_not_allowed").await;
    check(Method::DELETE, "/api/admin/credits/apply", 405, "method_not_allowed").await;
    check(Method::POST, "/local/jobs/nothing", 404, "unknown_job").await;
    check(Method::POST, "/local/clock", 400, "bad_advance").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_need_the_token_and_keep_to_their_share() {
    let world = World::with(|config| config.limits.operator = 5).await;
    let stats = async |headers: &[(&str, &str)]| {
        world.request(Method::GET, "/api/admin/credits/stats", headers, Vec::new()).await
    };
    for headers in [&[][..], &[("x-admin-token", "")], &[("x-admin-token", "wrong")]] {
        let answer = stats(headers).await;
        assert_eq!((answer.status, answer.code()), (401, "unauthorized"), "{headers:?}");
    }
    for _ in 0..5 {
        assert_eq!(stats(&[("x-admin-token", ADMIN_TOKEN)]).await.status, 200);
    }
    let refused = stats(&[("x-admin-token", ADMIN_TOKEN)]).await;
    assert_eq!((refused.status, refused.code()), (429, "too_many_calls"));
    assert_eq!(refused.header("retry-after"), Some("60"));
    world.advance(60).await;
    assert_eq!(stats(&[("x-admin-token", ADMIN_TOKEN)]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_configured_token_every_call_is_refused() {
    let world = World::with(|config| drop(config.secrets.remove("ADMIN_TOKEN"))).await;
    for token in ["", "test-admin-token", "BITTEN_ADMIN_2025"] {
        let headers = [("x-admin-token", token)];
        let answer = world.request(Method::GET, "/api/admin/credits/stats", &headers, Vec::new()).await;
        assert_eq!(answer.status, 401, "{token:?}");
    }
}
