//! Tests that strangers who try to sign in lock nobody out and learn nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use std::net::{IpAddr, Ipv4Addr};

use guerdon_domain::ids::TelegramId;
use guerdon_runtime::secrets::Secret;
use guerdon_tests::{ADMIN_TOKEN, Answer, World, telegram::Person};
use reqwest::Method;
use serde_json::{Value, json};

const BOSS: Person = Person { id: 700_000_001, name: "Boss" };
const NOBODY: i64 = 700_000_077;
const PASSWORD: &str = "elephant-Moon7";
const STRANGER: &str = "198.51.100.66";
const OFFICE: &str = "203.0.113.7";

/// A world behind a proxy, with the boss signed in once.
async fn office() -> World {
    let world = World::with(|config| {
        config.super_admin = Some(TelegramId::try_new(BOSS.id).unwrap());
        config.secrets.insert(Secret::SuperAdminPassword.variable(), PASSWORD.to_owned());
        config.proxies = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
        config.limits.operator = 120;
    })
    .await;
    assert_eq!(login(&world, OFFICE, BOSS.id, PASSWORD).await.status, 200);
    world
}

async fn post(world: &World, source: &str, door: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json"), ("x-forwarded-for", source)];
    let body = body.to_string().into_bytes();
    world.request(Method::POST, &format!("/admin/auth/{door}"), &headers, body).await
}

async fn login(world: &World, source: &str, id: i64, password: &str) -> Answer {
    post(world, source, "login", &json!({ "telegram_id": id, "password": password })).await
}

/// The token of a link that the bot gives to the boss.
async fn link(world: &World) -> String {
    world.says(BOSS, "/admin").await;
    let sent = world.outbox(BOSS.id).await.pop().unwrap();
    let url = sent["payload"]["reply_markup"]["inline_keyboard"][0][0]["url"].as_str().unwrap().to_owned();
    url.split_once('#').unwrap().1.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_empty_logins_use_up_their_own_allowance_only() {
    let world = office().await;
    let refresh = login(&world, OFFICE, BOSS.id, PASSWORD).await.body["refresh_token"].clone();
    for _ in 0..120 {
        assert_eq!(post(&world, STRANGER, "login", &json!({})).await.code(), "bad_body");
    }
    let over = post(&world, STRANGER, "login", &json!({})).await;
    assert_eq!((over.status, over.code()), (429, "too_many_calls"));
    assert!(over.header("retry-after").is_some(), "{over:?}");
    assert_eq!(login(&world, OFFICE, BOSS.id, PASSWORD).await.status, 200, "another source");
    let renewed = post(&world, STRANGER, "refresh", &json!({ "refresh_token": refresh })).await;
    assert_eq!(renewed.status, 200, "a refresh has an allowance of its own: {renewed:?}");
    let opened = post(&world, STRANGER, "link", &json!({ "token": link(&world).await })).await;
    assert_eq!(opened.status, 200, "and so has a link: {opened:?}");
}

/// The sibling: bad links and refresh tokens, instead of passwords.
#[tokio::test(flavor = "multi_thread")]
async fn floods_of_links_and_refresh_tokens_close_no_other_door() {
    let world = office().await;
    for door in ["link", "refresh"] {
        for _ in 0..121 {
            post(&world, OFFICE, door, &json!({})).await;
        }
        assert_eq!(post(&world, OFFICE, door, &json!({})).await.status, 429, "{door}");
    }
    assert_eq!(login(&world, OFFICE, BOSS.id, PASSWORD).await.status, 200);
    assert_eq!(post(&world, STRANGER, "link", &json!({ "token": link(&world).await })).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_wrong_passwords_delay_the_stranger() {
    let world = office().await;
    let mut codes = Vec::new();
    for n in 0..6 {
        codes.push(login(&world, STRANGER, BOSS.id, &format!("wrong {n}")).await.code().to_owned());
    }
    assert_eq!(
        (&codes[..4], &codes[4..]),
        (&["wrong_credentials"; 4].map(String::from)[..], &["locked"; 2].map(String::from)[..])
    );
    assert_eq!(login(&world, OFFICE, BOSS.id, PASSWORD).await.status, 200, "the operator is elsewhere");
    // The delay is over, and the next wrong one makes it longer.
    world.advance(30).await;
    assert_eq!(login(&world, STRANGER, BOSS.id, "wrong again").await.code(), "locked");
    world.advance(59).await;
    assert_eq!(login(&world, STRANGER, BOSS.id, PASSWORD).await.code(), "locked");
    world.advance(1).await;
    assert_eq!(login(&world, STRANGER, BOSS.id, PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_id_is_answered_like_a_known_one() {
    let world = office().await;
    let mut answers = Vec::new();
    for id in [BOSS.id, NOBODY] {
        let mut given = Vec::new();
        for n in 0..7 {
            let answer = login(&world, STRANGER, id, &format!("wrong {n}")).await;
            let names: Vec<_> = answer.headers.iter().map(|(name, _)| name.clone()).collect();
            given.push((answer.status, answer.body, names, answer.content_type));
        }
        answers.push(given);
    }
    assert_eq!(answers[0], answers[1]);
    // A first operator who never signed in is not told apart, nor made, by a wrong password.
    let fresh = World::with(|config| {
        config.super_admin = Some(TelegramId::try_new(BOSS.id).unwrap());
        config.secrets.insert(Secret::SuperAdminPassword.variable(), PASSWORD.to_owned());
    });
    let fresh = fresh.await;
    assert_eq!(login(&fresh, OFFICE, BOSS.id, "wrong").await.code(), "wrong_credentials");
    let operators = fresh.stack().app().store();
    let boss = fresh.stack().app().member_id(TelegramId::try_new(BOSS.id).unwrap());
    assert_eq!(operators.operators().find(&boss).await.unwrap(), None);
    assert_eq!(login(&fresh, OFFICE, BOSS.id, PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_from_many_sources_meet_a_ceiling_that_a_link_passes() {
    let world = office().await;
    let guess = async |n: usize| {
        let source = format!("198.51.{}.{}", n / 200, n % 200);
        login(&world, &source, BOSS.id, "wrong").await.code().to_owned()
    };
    let codes = futures::future::join_all((0..130).map(guess)).await;
    let checked = codes.iter().filter(|code| *code == "wrong_credentials").count();
    assert_eq!(checked, 99, "a hundred in an hour, of which one was the boss's own");
    let refused = login(&world, OFFICE, BOSS.id, PASSWORD).await;
    assert_eq!((refused.status, refused.code()), (429, "locked"));
    assert_eq!(post(&world, OFFICE, "link", &json!({ "token": link(&world).await })).await.status, 200);
    let token = [("x-admin-token", ADMIN_TOKEN)];
    let stats = world.request(Method::GET, "/api/admin/credits/stats", &token, Vec::new()).await;
    assert_eq!(stats.status, 200, "and a token passes it too");
    world.advance(30 * 60).await;
    assert_eq!(login(&world, OFFICE, BOSS.id, PASSWORD).await.status, 200, "the hour is over");
}
