//! The test that each failed authentication leaves a line, whatever credential it was tried with.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_domain::ids::TelegramId;
use guerdon_runtime::secrets::Secret;
use guerdon_tests::{World, lines::Lines};
use reqwest::Method;
use serde_json::{Value, json};

const BOSS: i64 = 700_000_001;
const SECRET: &str = "hunter2-hunter2-hunter2";

/// A call that is refused: its method, path, header and body, and the credential and the code of its line.
type Call = (Method, &'static str, (&'static str, String), Value, &'static str, &'static str);

/// A call with each kind of wrong credential. Every secret among them is the same text.
fn calls() -> Vec<Call> {
    let (get, post, none) = (Method::GET, Method::POST, ("accept", "*/*".to_owned()));
    let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
    let stats = "/api/admin/credits/stats";
    let login = json!({ "telegram_id": BOSS, "password": SECRET });
    let link = json!({ "token": SECRET });
    vec![
        (post.clone(), "/admin/auth/login", none.clone(), login, "password", "wrong_credentials"),
        (post.clone(), "/admin/auth/login", none.clone(), json!({}), "password", "bad_body"),
        (
            post.clone(),
            "/admin/auth/refresh",
            none.clone(),
            json!({ "refresh_token": SECRET }),
            "refresh_token",
            "wrong_credentials",
        ),
        (post.clone(), "/admin/auth/link", none.clone(), link, "sign_in_link", "wrong_credentials"),
        (get.clone(), stats, none.clone(), Value::Null, "none", "unauthorized"),
        (
            get.clone(),
            stats,
            ("x-admin-token", SECRET.to_owned()),
            Value::Null,
            "admin_token",
            "unauthorized",
        ),
        (get.clone(), stats, bearer(SECRET), Value::Null, "access_token", "unauthorized"),
        (get.clone(), "/wallet/42", bearer(SECRET), Value::Null, "access_token", "unauthorized"),
        (
            get.clone(),
            "/wallet/42",
            bearer(&format!("gsk_0123456789abcdef_{SECRET}")),
            Value::Null,
            "service_key",
            "unauthorized",
        ),
        (
            get.clone(),
            "/orders/ord_1",
            ("x-api-key", SECRET.to_owned()),
            Value::Null,
            "service_key",
            "unauthorized",
        ),
        (
            get.clone(),
            stats,
            ("authorization", format!("Digest {SECRET}")),
            Value::Null,
            "other",
            "unauthorized",
        ),
        (
            post.clone(),
            "/telegram/webhook",
            ("x-telegram-bot-api-secret-token", SECRET.to_owned()),
            json!({}),
            "telegram_secret",
            "unauthorized",
        ),
        (post.clone(), "/telegram/webhook", none.clone(), json!({}), "telegram_secret", "unauthorized"),
        (post.clone(), "/api/stripe/webhook", none, json!({}), "stripe_signature", "signature_missing"),
        (
            post.clone(),
            "/api/stripe/webhook",
            ("stripe-signature", format!("t=1,v1={SECRET}")),
            json!({}),
            "stripe_signature",
            "signature_wrong",
        ),
    ]
}

/// The lines about failed authentications.
fn failures(lines: &Lines) -> Vec<Value> {
    lines.all().into_iter().filter(|line| line["message"] == "authentication failed").collect()
}

/// Makes a call and checks that it is refused and leaves one line about this credential, with a tag of the source.
async fn is_noted(world: &World, lines: &Lines, call: Call) {
    let (method, path, (name, value), body, credential, code) = call;
    let before = failures(lines).len();
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let headers = [("content-type", "application/json"), (name, value.as_str())];
    let answer = world.request(method, path, &headers, body).await;
    assert!(answer.status == 401 || answer.status == 400, "{path}: {answer:?}");
    let failed = failures(lines);
    assert_eq!(failed.len(), before + 1, "one line: {path} {credential}");
    let last = failed.last().unwrap();
    assert_eq!((&last["credential"], &last["code"]), (&json!(credential), &json!(code)), "{path}: {last}");
    assert_eq!(last["source"].as_str().map(str::len), Some(12), "a tag: {last}");
}

// One thread and one test in this file: see `Lines::of_this_thread`.
#[tokio::test]
async fn every_failed_authentication_leaves_a_line_without_the_secret() {
    let (lines, guard) = Lines::of_this_thread();
    let world = World::with(|config| {
        config.super_admin = Some(TelegramId::try_new(BOSS).unwrap());
        config.secrets.insert(Secret::SuperAdminPassword.variable(), "elephant-Moon7".to_owned());
    })
    .await;
    for call in calls() {
        is_noted(&world, &lines, call).await;
    }
    // The world's own calls carry the token.
    let clock = format!("http://{}/local/clock", world.stack().address());
    let moved = reqwest::Client::new().post(clock).header("x-local-token", SECRET).send().await.unwrap();
    assert_eq!(
        (moved.status().as_u16(), &failures(&lines).pop().unwrap()["credential"]),
        (401, &json!("local_token"))
    );
    for _ in 0..200 {
        world.get("/api/admin/credits/stats").await;
    }
    assert_eq!(failures(&lines).iter().filter(|line| line["credential"] == "none").count(), 5, "bounded");
    drop(guard);
    let all = format!("{:?}", lines.all());
    assert!(!all.contains(SECRET), "no secret: {all}");
    let failed = format!("{:?}", failures(&lines));
    assert!(!failed.contains("127.0.0"), "no address: {failed}");
}
