//! Journeys: the whole stack in this process, called as Telegram, Stripe and operators call it.
//!
//! A [`World`] is one stack in memory with a clock that moves only when a test moves it. People write to the bot
//! through its webhook, Stripe's events are signed, and the simulator shows what was sent to whom.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "this crate is test support")]

mod ledger;
pub mod lines;
pub mod lists;
pub mod operators;
pub mod service;
pub mod sources;
pub mod stripe;
pub mod telegram;

use std::{sync::Arc, time::Duration};

use guerdon_app::context::FixedClock;
use guerdon_domain::{settings::Preset, time::Timestamp};
use guerdon_local::{config::Config, stack::Stack};
use serde_json::{Value, json};

/// The start of every world: 2026-11-21T09:30:00Z.
pub const BEGINNING: Timestamp = Timestamp::from_seconds(1_795_253_400);

/// The operators' token in every world.
pub const ADMIN_TOKEN: &str = "test-admin-token";

/// A running stack and its users.
pub struct World {
    stack: Stack,
    http: reqwest::Client,
    base: String,
    next_update: std::sync::atomic::AtomicI64,
}

/// An answer over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// The body as JSON; a string when it is something else.
    pub body: Value,
    /// The `content-type`.
    pub content_type: String,
    /// `Idempotent-Replayed`, `Retry-After` and the like, by lower-case name.
    pub headers: Vec<(String, String)>,
}

impl Answer {
    /// The problem's stable code.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl World {
    /// A world of the `bitten` preset.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A world of another preset.
    pub async fn of(preset: &str) -> Self {
        Self::of_with(preset, |_| {}).await
    }

    /// A world of the `bitten` preset whose settings were changed.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::of_with("bitten", change).await
    }

    /// A world of another preset whose settings were changed.
    pub async fn of_with(preset: &str, change: impl FnOnce(&mut Config)) -> Self {
        let preset = Arc::new(Preset::builtin(preset).expect("the preset is built in"));
        let mut config = Config::in_memory(preset).expect("a configuration for tests");
        change(&mut config);
        let clock = Arc::new(FixedClock::new(BEGINNING));
        let stack = Stack::start(config, clock).await.expect("the stack starts");
        let base = format!("http://{}", stack.address());
        // Redirects are returned, not followed.
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let http = http.build().expect("a client");
        Self { stack, http, base, next_update: std::sync::atomic::AtomicI64::new(1) }
    }

    /// The stack itself.
    pub const fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Waits until queues and stream are empty.
    pub async fn drain(&self) {
        assert!(self.stack.drain(Duration::from_secs(30)).await, "the stack does not come to rest");
    }

    /// Moves the clock.
    pub async fn advance(&self, seconds: i64) {
        let answer = self.post("/local/clock", &json!({ "advance_seconds": seconds })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Runs a schedule's function now and returns its report.
    pub async fn run_job(&self, function: &str) -> Value {
        self.post(&format!("/local/jobs/{function}"), &json!({})).await.body
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.request(reqwest::Method::GET, path, &[], Vec::new()).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.request(reqwest::Method::POST, path, &headers, body.to_string().into_bytes()).await
    }

    /// `GET /api/admin/credits/{path}` as an operator; panics unless it is answered with 200.
    pub async fn admin(&self, path: &str) -> Value {
        let path = format!("/api/admin/credits/{path}");
        let answer =
            self.request(reqwest::Method::GET, &path, &[("x-admin-token", ADMIN_TOKEN)], Vec::new()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// `POST /api/admin/credits/{path}` as an operator.
    pub async fn admin_post(&self, path: &str, key: &str, body: &Value) -> Answer {
        let headers =
            [("x-admin-token", ADMIN_TOKEN), ("idempotency-key", key), ("content-type", "application/json")];
        let path = format!("/api/admin/credits/{path}");
        self.request(reqwest::Method::POST, &path, &headers, body.to_string().into_bytes()).await
    }

    /// Sends any request.
    pub async fn request(
        &self,
        method: reqwest::Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).body(body);
        if path.starts_with("/local") || path.starts_with("/sim/api") {
            request = request.header("x-local-token", self.stack.local_token());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("the stack answers");
        let status = response.status().as_u16();
        let header =
            |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let content_type = header("content-type").unwrap_or_default();
        let named = [
            "idempotent-replayed",
            "retry-after",
            "x-next-cursor",
            "x-request-id",
            "ratelimit",
            "ratelimit-policy",
            "www-authenticate",
            "access-control-allow-origin",
            "location",
            "set-cookie",
            "content-security-policy",
            "cache-control",
            "x-content-type-options",
        ];
        let headers = named.iter().filter_map(|name| Some(((*name).to_owned(), header(name)?))).collect();
        let text = response.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, body, content_type, headers }
    }

    /// The messages that the bot has sent to a chat so far.
    pub async fn outbox(&self, chat_id: i64) -> Vec<Value> {
        let answer = self.get(&format!("/local/outbox/{chat_id}")).await;
        answer.body.as_array().cloned().expect("a list of calls")
    }

    /// The texts that the bot has sent to a chat so far.
    pub async fn texts(&self, chat_id: i64) -> Vec<String> {
        let outbox = self.outbox(chat_id).await;
        outbox.iter().filter_map(|call| call["payload"]["text"].as_str().map(str::to_owned)).collect()
    }

    /// The calls to Stripe's stand-in, without look-ups.
    pub async fn stripe_posts(&self) -> Vec<Value> {
        let calls = self.get("/local/stripe/calls").await.body;
        let calls = calls.as_array().cloned().expect("a list of calls");
        calls.into_iter().filter(|call| call["method"] == "POST").collect()
    }
}
