//! Tests that refused calls and floods of clicks leave nothing behind that grows.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use std::net::{IpAddr, Ipv4Addr};

use guerdon_engine::stream::StreamPosition;
use guerdon_tests::{ADMIN_TOKEN, Answer, World, telegram::Person};
use reqwest::Method;
use serde_json::Value;

const ALICE: Person = Person { id: 960_001, name: "Alice" };
const BEN: Person = Person { id: 960_002, name: "Ben" };
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) Version/17.1 Mobile Safari/604.1";
const TOKEN: [(&str, &str); 1] = [("x-admin-token", ADMIN_TOKEN)];

async fn behind_a_proxy() -> World {
    World::with(|config| {
        config.proxies = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
        config.keeps_stream = true;
        (config.limits.operator, config.limits.service) = (120, 120);
    })
    .await
}

/// The items of the table and the records of its stream, by type.
async fn kept(world: &World, kind: &str) -> (usize, usize) {
    world.drain().await;
    let is = |item: &Value| item["type"]["S"] == kind;
    let engine = world.stack().engine();
    let scan = serde_json::json!({ "TableName": "guerdon" });
    let (_, items) = engine.call("Scan", &scan).unwrap();
    let page = engine.read_stream("guerdon", &StreamPosition::default(), 100_000).unwrap();
    let records = page.records.iter().filter(|record| is(&record["dynamodb"]["NewImage"])).count();
    (items["Items"].as_array().unwrap().iter().filter(|item| is(item)).count(), records)
}

async fn click(world: &World, code: &str, source: &str) -> Answer {
    let headers = [("user-agent", PHONE), ("x-forwarded-for", source)];
    world.request(Method::GET, &format!("/r/{code}"), &headers, Vec::new()).await
}

async fn overall(world: &World) -> Value {
    world.drain().await;
    world.request(Method::GET, "/admin/dashboard/stats", &TOKEN, Vec::new()).await.body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_over_the_limit_writes_nothing() {
    let world = behind_a_proxy().await;
    let stats = async || world.request(Method::GET, "/api/admin/credits/stats", &TOKEN, Vec::new()).await;
    for _ in 0..120 {
        assert_eq!(stats().await.status, 200);
    }
    assert_eq!(stats().await.code(), "too_many_calls");
    world.stack().meter().reset();
    for _ in 0..500 {
        assert_eq!(stats().await.status, 429);
    }
    assert!(world.stack().meter().snapshot().is_empty(), "{:?}", world.stack().meter().snapshot());
    assert_eq!(kept(&world, "rate").await, (1, 0), "one item, and nothing on the stream");
    world.advance(60).await;
    assert_eq!(stats().await.status, 200);
    assert_eq!(kept(&world, "rate").await, (1, 0), "the next minute takes the same item");
}

/// The sibling: a service's key, and attempts to sign in.
#[tokio::test(flavor = "multi_thread")]
async fn other_refused_calls_write_nothing_that_grows() {
    let world = behind_a_proxy().await;
    let shop = world.shop().await;
    let rates = kept(&world, "rate").await.0;
    for _ in 0..300 {
        world.bearing(&shop, "/users/42", None).await;
    }
    assert_eq!(kept(&world, "rate").await, (rates + 1, 0));
    let tries = 3 * 120;
    for n in 0..tries {
        let body = format!(r#"{{"telegram_id":700000001,"password":"wrong {n}"}}"#).into_bytes();
        let source = format!("198.51.100.{}", n % 250);
        let headers = [("content-type", "application/json"), ("x-forwarded-for", source.as_str())];
        world.request(Method::POST, "/admin/auth/login", &headers, body).await;
    }
    assert_eq!(kept(&world, "sign_ins").await, (1, 0), "one item for one id, however many tries");
    assert_eq!(kept(&world, "audit").await.0, 1, "the service key's");
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_clicks_a_minute_of_one_source_are_kept_and_the_rest_is_one_figure() {
    let world = behind_a_proxy().await;
    let code = world.code_of(ALICE).await;
    for _ in 0..200 {
        let answer = click(&world, &code, "198.51.100.66").await;
        assert_eq!(answer.status, 302, "it leads on: {answer:?}");
        assert!(answer.header("location").unwrap().contains(&format!("start=ref_{code}")), "{answer:?}");
    }
    assert_eq!(kept(&world, "click").await, (60, 60));
    assert_eq!(click(&world, &code, "203.0.113.7").await.status, 302, "another source");
    assert_eq!(kept(&world, "click").await, (61, 61));
    world.advance(60).await;
    click(&world, &code, "198.51.100.66").await;
    let stats = overall(&world).await;
    assert_eq!((&stats["overall"]["link_clicks"], &stats["link_clicks_not_kept"]), (&62.into(), &140.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_click_that_is_not_kept_still_credits_the_first_link() {
    let world = behind_a_proxy().await;
    let (first, second) = (world.code_of(ALICE).await, world.code_of(BEN).await);
    for _ in 0..60 {
        click(&world, &first, "198.51.100.66").await;
    }
    let over = click(&world, &first, "198.51.100.66").await;
    let touch = over.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let headers = [("user-agent", PHONE), ("x-forwarded-for", "198.51.100.66"), ("cookie", touch.as_str())];
    let later = world.request(Method::GET, &format!("/r/{second}"), &headers, Vec::new()).await;
    assert!(later.header("location").unwrap().ends_with(&format!("start=ref_{first}")), "{later:?}");
    assert_eq!(later.header("set-cookie").unwrap().split(';').next().unwrap(), touch);
    assert_eq!(kept(&world, "click").await.0, 60);
}

/// The days for which a click is kept from now on.
async fn days(world: &World, click: &str) -> i64 {
    world.drain().await;
    let key = serde_json::json!({ "pk": { "S": format!("CLICK#{click}") }, "sk": { "S": "CLICK" } });
    let get = serde_json::json!({ "TableName": "guerdon", "Key": key });
    let (_, found) = world.stack().engine().call("GetItem", &get).unwrap();
    let ttl: i64 = found["Item"]["ttl"]["N"].as_str().unwrap().parse().unwrap();
    (ttl - world.stack().app().now().seconds()) / 86_400
}

#[tokio::test(flavor = "multi_thread")]
async fn a_click_is_kept_for_thirty_days_and_longer_once_it_brought_a_member() {
    let world = behind_a_proxy().await;
    let code = world.code_of(ALICE).await;
    let answer = click(&world, &code, "198.51.100.66").await;
    let payload = answer.header("location").unwrap().split_once("start=").unwrap().1.to_owned();
    let id = payload.rsplit_once('-').unwrap().1.to_owned();
    assert_eq!(days(&world, &id).await, 30);
    world.says(BEN, &format!("/start {payload}")).await;
    assert_eq!(days(&world, &id).await, 400);
    assert_eq!(overall(&world).await["overall"]["link_clicks"], 1, "it is not counted again");
    let unknown = format!("/start ref_{code}-0000000000000000");
    world.says(Person { id: 960_009, name: "Dan" }, &unknown).await;
    assert_eq!(kept(&world, "click").await.0, 1, "a click that was made up does not come into being");
    let told = world.operator_get("users/960009/attribution").await;
    assert_eq!(told["explanation"], "They joined through a link whose click is not on record any more.");
}
