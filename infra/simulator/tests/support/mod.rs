//! A loopback stack: the simulator, and webhooks that note what reaches them.
#![allow(dead_code)]

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::{Json, Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use guerdon_simulator::{
    config::{Plan, SimConfig},
    sim::Sim,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub const TOKEN: &str = "110201543:simulated";
pub const KEY: &str = "sk_test_simulated";
pub const WEBHOOK_SECRET: &str = "whsec_simulated";
pub const NOW: i64 = 1_793_000_000;

/// The content of one webhook request.
pub struct Received {
    pub headers: HeaderMap,
    pub body: String,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }
}

#[derive(Clone)]
struct Gateway {
    stack: Arc<Notes>,
    sim: Sim,
}

/// The requests that the stub webhooks received, and the answers that they give.
#[derive(Default)]
pub struct Notes {
    pub updates: Mutex<Vec<Received>>,
    pub events: Mutex<Vec<Received>>,
    pub reply: Mutex<Value>,
    pub refuse_events: AtomicI64,
}

pub struct Stack {
    pub sim: Sim,
    pub url: String,
    pub notes: Arc<Notes>,
    pub clock: Arc<AtomicI64>,
    http: reqwest::Client,
}

impl Stack {
    pub async fn start() -> Self {
        Self::with_state(None).await
    }

    pub async fn with_state(state_file: Option<PathBuf>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let clock = Arc::new(AtomicI64::new(NOW));
        let sim = Sim::try_new(config(&url, state_file, Arc::clone(&clock))).unwrap();
        let notes = Arc::new(Notes::default());
        let gateway = Gateway { stack: Arc::clone(&notes), sim: sim.clone() };
        let routes = Router::new()
            .route("/telegram/webhook", post(on_update))
            .route("/api/stripe/webhook", post(on_event))
            .with_state(gateway)
            .merge(sim.router());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { sim, url, notes, clock, http }
    }

    /// An action under `/sim/api`, which must work.
    pub async fn act(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.try_act(path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub async fn try_act(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.post(format!("{}/sim/api/{path}", self.url)).json(&body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub async fn get(&self, path: &str) -> Value {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap().json().await.unwrap()
    }

    pub async fn page(&self, path: &str) -> String {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap().text().await.unwrap()
    }

    pub async fn bot(&self, method: &str, payload: Value) -> (u16, Value) {
        let url = format!("{}/sim/telegram/bot{TOKEN}/{method}", self.url);
        let response = self.http.post(url).json(&payload).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub async fn stripe(&self, path: &str, key: &str, form: &str) -> reqwest::Response {
        self.http
            .post(format!("{}/sim/stripe{path}", self.url))
            .bearer_auth(KEY)
            .header("Idempotency-Key", key)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form.to_owned())
            .send()
            .await
            .unwrap()
    }

    pub async fn stripe_get(&self, path: &str) -> (u16, Value) {
        let url = format!("{}/sim/stripe{path}", self.url);
        let response = self.http.get(url).basic_auth(KEY, Some("")).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub fn event_types(&self) -> Vec<String> {
        let events = self.notes.events.lock().unwrap();
        events.iter().map(|event| event.json()["type"].as_str().unwrap().to_owned()).collect()
    }

    /// The object of the latest event of a type.
    pub fn event_object(&self, kind: &str) -> Value {
        let events = self.notes.events.lock().unwrap();
        let found = events.iter().rev().map(Received::json).find(|event| event["type"] == kind);
        found.unwrap_or_else(|| panic!("no {kind}"))["data"]["object"].clone()
    }

    pub fn last_update(&self) -> Value {
        self.notes.updates.lock().unwrap().last().unwrap().json()
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }
}

pub fn config(url: &str, state_file: Option<PathBuf>, clock: Arc<AtomicI64>) -> SimConfig {
    SimConfig {
        base_url: url.into(),
        bot_username: "guerdon_bot".into(),
        brand: "Guerdon <local>".into(),
        telegram_token: TOKEN.into(),
        telegram_webhook_secret: "telegram-secret".into(),
        stripe_api_key: KEY.into(),
        stripe_webhook_secret: WEBHOOK_SECRET.into(),
        page_token: String::new(),
        state_file,
        clock: Arc::new(move || clock.load(Ordering::Relaxed)),
        plans: vec![Plan {
            id: "basic".into(),
            name: "Basic".into(),
            price_minor: 3_900,
            currency: "usd".into(),
        }],
    }
}

async fn on_update(State(gateway): State<Gateway>, headers: HeaderMap, body: String) -> Json<Value> {
    gateway.stack.updates.lock().unwrap().push(Received { headers, body });
    let reply = std::mem::take(&mut *gateway.stack.reply.lock().unwrap());
    gateway.sim.record_reply(&reply);
    Json(if reply.is_null() { json!({}) } else { reply })
}

async fn on_event(State(gateway): State<Gateway>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if gateway.stack.refuse_events.fetch_sub(1, Ordering::Relaxed) > 0 {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    let body = String::from_utf8(body.to_vec()).unwrap();
    gateway.stack.events.lock().unwrap().push(Received { headers, body });
    StatusCode::OK
}
