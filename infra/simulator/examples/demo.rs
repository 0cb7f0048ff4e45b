//! The simulator with a toy bot behind it, to look at the page: `cargo run -p guerdon-simulator --example demo`.
#![allow(clippy::print_stdout)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{Json, Router, extract::State, routing::post};
use guerdon_simulator::{
    config::{Plan, SimConfig},
    sim::Sim,
};
use serde_json::{Value, json};

type Error = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "8099".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let offset = Arc::new(AtomicI64::new(0));
    let sim = Sim::try_new(config(&base_url, Arc::clone(&offset)))?;
    let clock = move |Json(body): Json<Value>| async move {
        offset.fetch_add(body["advance_seconds"].as_i64().unwrap_or_default(), Ordering::Relaxed);
        Json(json!({"ok": true}))
    };
    let stack = Router::new()
        .route("/telegram/webhook", post(toy_bot))
        .route("/api/stripe/webhook", post(|| async { "ok" }))
        .with_state(sim.clone())
        .route("/local/clock", post(clock))
        .merge(sim.router());
    println!("{base_url}/sim");
    axum::serve(listener, stack).await?;
    Ok(())
}

fn config(base_url: &str, offset: Arc<AtomicI64>) -> SimConfig {
    let plan = |id: &str, name: &str, price_minor| Plan {
        id: id.into(),
        name: name.into(),
        price_minor,
        currency: "usd".into(),
    };
    SimConfig {
        base_url: base_url.into(),
        bot_username: "guerdon_bot".into(),
        brand: "Bitten".into(),
        telegram_token: "110201543:simulated".into(),
        telegram_webhook_secret: "secret".into(),
        stripe_api_key: "sk_test_simulated".into(),
        stripe_webhook_secret: "whsec_simulated".into(),
        page_token: String::new(),
        state_file: None,
        clock: Arc::new(move || now().saturating_add(offset.load(Ordering::Relaxed))),
        plans: vec![plan("fang", "Fang", 3_900), plan("apex", "Apex", 8_900)],
    }
}

// A demo has no App to take a clock from.
#[allow(clippy::disallowed_methods)]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or_default()
}

/// Answers a few commands in the response body, as the real bot may.
async fn toy_bot(State(sim): State<Sim>, Json(update): Json<Value>) -> Json<Value> {
    let reply = match (&update["message"], &update["callback_query"]) {
        (message, _) if message.is_object() => answer(&message["chat"]["id"], message["text"].as_str()),
        (_, query) if query.is_object() => json!({
            "method": "answerCallbackQuery", "callback_query_id": query["id"], "text": "Refreshed just now",
        }),
        _ => json!({}),
    };
    sim.record_reply(&reply);
    Json(reply)
}

fn answer(chat: &Value, text: Option<&str>) -> Value {
    let link = format!("https://t.me/guerdon_bot?start=ref_ABC2{chat}");
    let text = match text.unwrap_or_default() {
        "/recruit" => format!(
            "<b>Recruit a friend, get $10</b>\n\nYour link:\n<code>{link}</code>\n\nWhen they pay their first \
             month, your next bill drops by <b>$10</b>. See /credits."
        ),
        "/credits" => {
            "<b>Your credits</b>\n\nWaiting: <b>$10.00</b>\nUsed: $0.00\n\n<blockquote>$10.00 for Bob B., \
                       goes on your next invoice</blockquote>"
                .to_owned()
        }
        start if start.starts_with("/start ") => "Welcome! A friend of yours brought you here. 🎁".to_owned(),
        "/start" => "Welcome to <b>Bitten</b>. Try /recruit or /plans.".to_owned(),
        other => {
            format!("I do not know <i>{}</i>. Try /help.", other.replace('&', "&amp;").replace('<', "&lt;"))
        }
    };
    json!({
        "method": "sendMessage", "chat_id": chat, "text": text, "parse_mode": "HTML",
        "reply_markup": {"inline_keyboard": [
            [{"text": "Open the link", "url": link}, {"text": "Copy it", "copy_text": {"text": link}}],
            [{"text": "Refresh", "callback_data": "refresh"}],
        ]},
    })
}
