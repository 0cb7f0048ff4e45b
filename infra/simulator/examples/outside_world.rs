//! Telegram and Stripe for a deployment: the simulator, whose updates and events go to the URLs of a deployed stack.
//!
//! `outside_world PORT TELEGRAM_WEBHOOK_URL STRIPE_WEBHOOK_URL`; the made-up secrets come from the environment, under
//! the names that the one-machine stack uses.
#![allow(clippy::print_stdout, reason = "an example says where it listens")]

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    routing::post,
};
use guerdon_simulator::{
    config::{Plan, SimConfig},
    sim::Sim,
};
use serde_json::Value;

type Error = Box<dyn std::error::Error>;
type Reply = (StatusCode, Bytes);

/// The URLs of the deployment's webhooks.
struct Webhooks {
    sim: Sim,
    http: reqwest::Client,
    telegram: String,
    stripe: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |name: &str| arguments.next().ok_or_else(|| format!("{name} is missing"));
    let (port, telegram, stripe) = (next("PORT")?, next("the Telegram URL")?, next("the Stripe URL")?);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let sim = Sim::try_new(config(&base_url)?)?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let world = sim.router();
    let webhooks = Router::new()
        .route("/telegram/webhook", post(to_telegram_webhook))
        .route("/api/stripe/webhook", post(to_stripe_webhook))
        .with_state(Arc::new(Webhooks { sim, http, telegram, stripe }));
    println!("{base_url}/sim");
    axum::serve(listener, webhooks.merge(world)).await?;
    Ok(())
}

fn config(base_url: &str) -> Result<SimConfig, Error> {
    let plan = |id: &str, name: &str, price_minor| Plan {
        id: id.into(),
        name: name.into(),
        price_minor,
        currency: "usd".into(),
    };
    Ok(SimConfig {
        base_url: base_url.into(),
        bot_username: "guerdon_bot".into(),
        brand: "Bitten".into(),
        telegram_token: std::env::var("TELEGRAM_BOT_TOKEN")?,
        telegram_webhook_secret: std::env::var("TELEGRAM_WEBHOOK_SECRET")?,
        stripe_api_key: std::env::var("STRIPE_API_KEY")?,
        stripe_webhook_secret: std::env::var("STRIPE_WEBHOOK_SECRET")?,
        page_token: String::new(),
        state_file: None,
        clock: Arc::new(now),
        plans: vec![plan("fang", "Fang", 3_900), plan("commander", "Commander", 8_900)],
    })
}

// There is no App to take a clock from, and the deployment's own runs in real time as well.
#[allow(clippy::disallowed_methods)]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or_default()
}

/// Telegram executes a reply that names a method.
async fn to_telegram_webhook(
    State(webhooks): State<Arc<Webhooks>>,
    headers: HeaderMap,
    update: Bytes,
) -> Reply {
    let reply = forward(&webhooks, &webhooks.telegram, headers, update.clone()).await;
    if reply.0.is_success() {
        let json = |bytes| serde_json::from_slice::<Value>(bytes);
        json(&update).iter().for_each(|update| webhooks.sim.observe_update(update));
        json(&reply.1).iter().for_each(|reply| webhooks.sim.record_reply(reply));
    }
    reply
}

async fn to_stripe_webhook(State(webhooks): State<Arc<Webhooks>>, headers: HeaderMap, event: Bytes) -> Reply {
    forward(&webhooks, &webhooks.stripe, headers, event).await
}

async fn forward(webhooks: &Webhooks, url: &str, mut headers: HeaderMap, body: Bytes) -> Reply {
    for name in [header::HOST, header::CONTENT_LENGTH] {
        headers.remove(name);
    }
    let answer = async {
        let response = webhooks.http.post(url).headers(headers).body(body).send().await?;
        Ok::<_, reqwest::Error>((response.status(), response.bytes().await?))
    };
    answer.await.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, Bytes::from(error.to_string())))
}
