//! Tests that every route answers garbage with a clear problem, changes nothing and logs none of it. The test is alone
//! in its file, because it reads all logs of its process.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use std::{
    io,
    sync::{Arc, Mutex},
};

use guerdon_api::access::Route;
use guerdon_domain::ids::TelegramId;
use guerdon_tests::{ADMIN_TOKEN, World};
use reqwest::Method;
use serde_json::{Value, json};

/// A marker that is in everything sent and must be in nothing logged.
const MARKER: &str = "Zq7Marker";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn listen() -> Lines {
    let lines = Lines::default();
    let sink = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_writer(move || sink.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("the only subscriber");
    lines
}

/// Bodies that no route accepts.
fn bodies() -> Vec<Vec<u8>> {
    let nested = format!("{}{MARKER}{}", "[".repeat(300), "]".repeat(300));
    [
        MARKER.to_owned(),
        "{".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        format!("\"{MARKER}\""),
        format!("{{\"{MARKER}\":1}}"),
        json!({ "user_id": MARKER, "amount": MARKER, "reason": [MARKER] }).to_string(),
        nested,
        format!("{{\"reason\":\"{}\"}}", MARKER.repeat(2500)),
    ]
    .into_iter()
    .map(String::into_bytes)
    .chain([vec![0xff, 0xfe, 0x00]])
    .collect()
}

/// The route's path with garbage for each parameter, and with values that could exist.
fn paths(route: &Route) -> [String; 3] {
    let fill = |with: &str| {
        let mut parts = route.path.split('/').map(|part| if part.starts_with('{') { with } else { part });
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |path, part| format!("{path}/{part}"))
    };
    [fill(MARKER), fill("42"), fill("%F0%9F%92%A9")]
}

/// The content of the table without the counters of calls.
async fn on_record(world: &World) -> Vec<Value> {
    let mut pages = Vec::new();
    for path in ["users", "orders"] {
        let path = format!("/admin/dashboard/{path}");
        let headers = [("x-admin-token", ADMIN_TOKEN)];
        pages.push(world.request(Method::GET, &path, &headers, Vec::new()).await.body);
    }
    for path in ["audit", "service-keys", "credits/stats", "program", "parked"] {
        pages.push(world.operator_get(path).await);
    }
    let member = world.stack().app().member_id(TelegramId::try_new(42).unwrap());
    pages.push(json!(
        world.stack().app().store().members().find(&member).await.unwrap().map(|m| m.first_name)
    ));
    pages
}

/// Bearer tokens of a service and of a member.
struct Bearers {
    shop: String,
    member: String,
}

/// A header that the route accepts.
fn credential<'a>(route: &Route, bearers: &'a Bearers) -> (&'static str, &'a str) {
    match route.access {
        access if access.operator.is_some() => ("x-admin-token", ADMIN_TOKEN),
        access if access.service.is_some() => ("authorization", &bearers.shop),
        _ => ("authorization", &bearers.member),
    }
}

/// The routes that take a body, and change nothing when it is garbage.
fn writing_routes() -> impl Iterator<Item = &'static Route> {
    let routes = [admin_api::routes::ROUTES, member_api::routes::ROUTES].into_iter().flatten();
    routes
        .filter(|route| route.method != "GET" && route.path != "/admin/auth/logout")
        // It takes no body, and each run is recorded.
        .filter(|route| !route.path.ends_with("/run-checks"))
}

/// Sends a body and asserts that a problem explains why it was refused.
async fn refuses(world: &World, route: &Route, credential: (&str, &str), path: &str, body: Vec<u8>) {
    let headers = [credential, ("idempotency-key", "k-1"), ("content-type", "application/json")];
    let answer = world.request(route.method.parse().unwrap(), path, &headers, body.clone()).await;
    let what = format!("{} {path} {:?}: {answer:?}", route.method, String::from_utf8_lossy(&body));
    // Issuing and revoking a token need no body.
    let takes_none = route.method == "DELETE" || path.ends_with("/42/token");
    assert!((400..500).contains(&answer.status) || takes_none && answer.status < 300, "{what}");
    if answer.status >= 400 {
        assert_eq!(answer.content_type, "application/problem+json", "{what}");
        assert!(!answer.code().is_empty() && answer.body["detail"].is_string(), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_refused_everywhere_and_leaves_no_trace() {
    let lines = listen();
    let world = World::of("ott").await;
    let shop = world.shop().await;
    world.bearing(&shop, "/users/create", Some(&json!({ "telegram_id": 42, "first_name": "Ann" }))).await;
    let member = world.member_token(&shop, 42).await;
    world.drain().await;
    let before = on_record(&world).await;
    let bearers = Bearers { shop: format!("Bearer {shop}"), member: format!("Bearer {member}") };
    for route in writing_routes() {
        for path in paths(route) {
            for body in bodies() {
                refuses(&world, route, credential(route, &bearers), &path, body).await;
            }
        }
    }
    world.drain().await;
    assert_eq!(on_record(&world).await, before, "nothing was changed");
    let text = String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned();
    assert!(!text.contains(MARKER), "{}", text.lines().find(|line| line.contains(MARKER)).unwrap());
}
