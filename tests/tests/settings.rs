//! Tests of settings over the whole stack: what operators may change, and that a change is in force.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_tests::{
    ADMIN_TOKEN, Answer, World,
    operators::{ANA, two_operators},
    telegram::{ALICE, BOB, CAROL},
};
use reqwest::Method;
use serde_json::{Value, json};

async fn put(world: &World, key: &str, body: &Value) -> Answer {
    let headers = [("x-admin-token", ADMIN_TOKEN), ("content-type", "application/json")];
    world.request(Method::PUT, &format!("/settings/{key}"), &headers, body.to_string().into_bytes()).await
}

async fn set(world: &World, key: &str, value: Value) -> Value {
    let answer = put(world, key, &json!({ "value": value })).await;
    assert_eq!(answer.status, 200, "{key}: {answer:?}");
    answer.body
}

async fn all(world: &World) -> Vec<Value> {
    let answer = world.request(Method::GET, "/settings/all", &[("x-admin-token", ADMIN_TOKEN)], vec![]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body.as_array().unwrap().clone()
}

async fn one(world: &World, key: &str) -> Value {
    let all = all(world).await;
    all.into_iter().find(|setting| setting["key"] == key).unwrap_or_else(|| panic!("no {key}"))
}

/// Asserts that the reply to a command in the bot contains this.
async fn bot_shows(world: &World, command: &str, expected: &str) {
    let page = world.says(ALICE, command).await;
    assert!(page.contains(expected), "{command}: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_is_listed_set_in_force_and_set_back() {
    let world = World::of("ott").await;
    let expected = json!({
        "key": "withdrawals.minimum", "value": 500.0, "default": 500.0, "type": "amount", "minimum": 0.01,
        "maximum": 10_000_000.0, "unit": "INR", "description": "The least a member may ask for.",
        "changed_with": "PUT /settings/{key}", "changed_at": null, "changed_by": null,
    });
    assert_eq!(one(&world, "withdrawals.minimum").await, expected);
    world.says(ALICE, "/start").await;
    let after = set(&world, "withdrawals.minimum", json!("250.50")).await;
    assert_eq!((&after["value"], &after["default"]), (&json!(250.5), &json!(500.0)));
    let at = json!("2026-11-21T09:30:00Z");
    assert_eq!((&after["changed_by"], &after["changed_at"]), (&json!("admin"), &at));
    bot_shows(&world, "/withdraw", "250.50").await;
    set(&world, "plans.combo.price", json!(149)).await;
    bot_shows(&world, "/plans", "149.00").await;
    assert_eq!(set(&world, "withdrawals.minimum", Value::Null).await["value"], json!(500.0));
    bot_shows(&world, "/withdraw", "500.00").await;
    let app = world.stack().app();
    let trail = app.store().audit().trail(&app.now().month(), None, 10).await.unwrap();
    let states: Vec<_> = trail.iter().map(|line| (line.before.as_str(), line.after.as_str())).collect();
    assert!(states.contains(&(r#"{"withdrawals.minimum":500.00}"#, r#"{"withdrawals.minimum":250.50}"#)));
    assert_eq!(trail.iter().filter(|line| line.action == "setting.set").count(), 3, "{trail:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_is_shown_with_where_to_change_it() {
    let world = World::of("ott").await;
    let hold = one(&world, "program.rules.level-1.hold_seconds").await;
    assert_eq!(
        (&hold["value"], &hold["changed_with"]),
        (&json!(86_400), &json!("PUT /api/admin/program")),
        "{hold}"
    );
    let refused = put(&world, "program.rules.level-1.hold_seconds", &json!({ "value": 1 })).await;
    assert_eq!((refused.status, refused.code()), (404, "unknown_setting"));
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_referrals_and_withdrawals_start_nothing_new() {
    let world = World::of("ott").await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    set(&world, "referrals.enabled", json!(false)).await;
    let refused = world.joins(CAROL, &code).await;
    assert!(refused.contains("not taken at the moment"), "{refused}");
    world.bank(BOB, "135.00", "combo", "r-1").await;
    world.advance(86_400).await;
    assert!(world.says(ALICE, "/credits").await.contains("28.00"), "what exists goes on");
    set(&world, "referrals.enabled", json!(true)).await;
    world.joins(CAROL, &code).await;
    set(&world, "withdrawals.enabled", json!(false)).await;
    set(&world, "withdrawals.minimum", json!(1)).await;
    let asked = world.says(ALICE, "/withdraw 5 upi asha@okhdfc").await;
    assert!(asked.contains("not on offer"), "{asked}");
    set(&world, "withdrawals.enabled", json!(true)).await;
    let asked = world.withdraws(ALICE, "/withdraw 5 upi asha@okhdfc").await;
    assert!(asked.contains("You have asked for ₹5.00"), "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_under_one_key_is_answered_again_and_another_is_refused() {
    let world = World::of_with("ott", two_operators).await;
    let with_key = async |key: &str, body: &Value| {
        let headers =
            [("x-admin-token", ANA), ("idempotency-key", key), ("content-type", "application/json")];
        let path = "/settings/referrals.window_days";
        world.request(Method::PUT, path, &headers, body.to_string().into_bytes()).await
    };
    let body = json!({ "value": 90, "reason": "as agreed" });
    let first = with_key("k1", &body).await;
    assert_eq!((first.status, &first.body["changed_by"]), (200, &json!("ana")), "{first:?}");
    assert_eq!(with_key("k2", &json!({ "value": 91 })).await.status, 200);
    let again = with_key("k1", &body).await;
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&first.body, Some("true")));
    assert_eq!(one(&world, "referrals.window_days").await["value"], json!(91));
    let other = with_key("k1", &json!({ "value": 92 })).await;
    assert_eq!((other.status, other.code()), (409, "idempotency_key_reused"));
    let app = world.stack().app();
    let trail = app.store().audit().trail(&app.now().month(), None, 10).await.unwrap();
    assert_eq!(trail.len(), 2, "{trail:?}");
    assert!(trail.iter().any(|line| line.reason == "as agreed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_settings_are_refused_one_by_one_and_change_nothing() {
    let world = World::of("ott").await;
    let before = all(&world).await;
    let check = async |key: &str, body: Value, status: u16, code: &str| {
        let answer = put(&world, key, &body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{key} {body}: {answer:?}");
        answer.body["detail"].as_str().unwrap_or_default().to_owned()
    };
    let value = |value: Value| json!({ "value": value });
    let said = check("referrals.code_valid_days", value(json!(3651)), 422, "bad_setting").await;
    assert!(said.contains("referrals.code_valid_days") && said.contains("from 1 to 3650"), "{said}");
    for bad in [json!(-1), json!(1.5), json!("x"), json!(true), json!([]), json!({}), json!("9".repeat(40))] {
        check("withdrawals.cool_down_seconds", value(bad), 422, "bad_setting").await;
    }
    check("fraud.shared_ip.action", value(json!("ban")), 422, "bad_setting").await;
    check("fraud.manual.action", value(json!("hold")), 404, "unknown_setting").await;
    check("nothing", value(json!(1)), 404, "unknown_setting").await;
    check("all", value(json!(1)), 405, "method_not_allowed").await;
    check("plans.gone.price", value(json!(1)), 404, "unknown_setting").await;
    check("referrals.enabled", json!({}), 400, "bad_body").await;
    check("referrals.enabled", json!([]), 400, "bad_body").await;
    check("referrals.enabled", json!({ "value": true, "key": "x" }), 400, "bad_body").await;
    check("referrals.enabled", json!({ "value": false, "reason": "x" }), 400, "bad_reason").await;
    check("referrals.enabled", json!({ "value": false, "reason": 5 }), 400, "bad_body").await;
    assert_eq!(all(&world).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_referrals_hand_out_no_code_and_no_link() {
    let world = World::of("ott").await;
    let shop = world.shop().await;
    let code = world.code_of(ALICE).await;
    let token = world.member_token(&shop, BOB.id).await;
    set(&world, "referrals.enabled", json!(false)).await;
    let page = world.says(ALICE, "/recruit").await;
    assert!(!page.contains(&code) && page.contains("not given out at the moment"), "{page}");
    let made = world.bearing(&shop, "/users/create", Some(&json!({ "telegram_id": CAROL.id }))).await.body;
    let known = world.bearing(&shop, &format!("/users/{}", ALICE.id), None).await.body;
    for user in [&made, &known] {
        assert_eq!(
            (&user["referral_code"], &user["no_referral_code_because"]),
            (&Value::Null, &json!("referrals_off"))
        );
    }
    let refused = world.bearing(&token, "/api/referral/generate-code", Some(&json!({}))).await;
    assert_eq!((refused.status, refused.code()), (409, "referrals_off"));
    for agent in ["Mozilla/5.0 (iPhone) Version/17.1 Mobile Safari/604.1", "undici"] {
        let link = world.request(Method::GET, &format!("/r/{code}"), &[("user-agent", agent)], vec![]).await;
        assert_eq!(link.header("location"), Some("https://t.me/guerdon_test_bot"), "{agent}");
    }
    set(&world, "referrals.enabled", json!(true)).await;
    bot_shows(&world, "/recruit", &code).await;
    let known = world.bearing(&shop, &format!("/users/{}", ALICE.id), None).await.body;
    assert_eq!((&known["referral_code"], &known["no_referral_code_because"]), (&json!(code), &Value::Null));
}
