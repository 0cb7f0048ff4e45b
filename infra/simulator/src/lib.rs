//! A stand-in for Telegram and Stripe on one machine, with a page where one person is several users.
//!
//! The local stack mounts [`Sim::router`] beside its own routes. Guerdon's outgoing clients are pointed at it
//! (`/sim/telegram` instead of `https://api.telegram.org`, `/sim/stripe/` instead of `https://api.stripe.com/`), and
//! what the simulated people do comes back to Guerdon's webhooks over loopback HTTP, signed as the real services
//! sign: `POST {base_url}/telegram/webhook` and `POST {base_url}/api/stripe/webhook`.
//!
//! ```no_run
//! # fn main() -> Result<(), guerdon_simulator::SimError> {
//! let sim = guerdon_simulator::new(guerdon_simulator::SimConfig {
//!     base_url: "http://127.0.0.1:8080".into(),
//!     bot_username: "guerdon_bot".into(),
//!     brand: "Guerdon".into(),
//!     telegram_token: "110201543:simulated".into(),
//!     telegram_webhook_secret: "made-up-at-the-start".into(),
//!     stripe_api_key: "sk_test_simulated".into(),
//!     stripe_webhook_secret: "whsec_simulated".into(),
//!     state_file: None,
//!     clock: std::sync::Arc::new(|| 1_793_000_000),
//!     plans: vec![guerdon_simulator::Plan {
//!         id: "basic".into(), name: "Basic".into(), price_minor: 3_900, currency: "usd".into(),
//!     }],
//! })?;
//! let routes: axum::Router = sim.router();
//! # Ok(()) }
//! ```
//!
//! # The contract with the gateway
//! The gateway calls [`Sim::record_reply`] with the body of **every** answer of the Telegram webhook: Telegram
//! executes a reply that names a `method`. The simulator ignores the answers to its own posts, so each reply counts
//! once. [`Sim::observe_update`] is optional: with it, hand-made updates show up on the page and the answers to
//! their callbacks land in the right chat.
//!
//! # Routes
//! | route | body or parameters |
//! |---|---|
//! | `GET /sim` | the page |
//! | `GET /sim/pay` | `plan`, `client_reference_id`: the stand-in checkout; its form POSTs to the same path |
//! | `GET, POST /sim/telegram/bot<token>/<method>` | the Bot API |
//! | `/sim/stripe/v1/...` | the Stripe API |
//! | `GET /sim/api/state` | `?user=<id>&revision=<n>`: everything the page shows, or `{"unchanged":true}` |
//! | `POST /sim/api/users` | `{"first_name", "last_name"?, "username"?, "language_code"?, "id"?}` |
//! | `POST /sim/api/telegram/send` | `{"user_id", "text"}` |
//! | `POST /sim/api/telegram/tap` | `{"user_id", "message_id", "row", "column"}`, or `"data"` for row and column |
//! | `POST /sim/api/telegram/open` | `{"user_id", "url"}`: a deep link to the bot |
//! | `POST /sim/api/telegram/block` | `{"user_id", "blocked"}` |
//! | `POST /sim/api/telegram/pay` | `{"user_id", "message_id"}`: pays an invoice message |
//! | `POST /sim/api/telegram/fail` | `{"next", "status"?, "retry_after"?, "after_commit"?}` |
//! | `GET /sim/api/telegram/outbox/<chat_id>` | `[{method, payload}]` |
//! | `GET /sim/api/telegram/calls` | every Bot API call with its status, refused ones too |
//! | `GET /sim/api/telegram/updates` | `[{update_id, body, status, attempts}]` as sent |
//! | `POST /sim/api/stripe/subscribe` | `{"user_id", "plan"}` |
//! | `POST /sim/api/stripe/next-invoice` | `{"user_id"}`: a draft renewal |
//! | `POST /sim/api/stripe/finalize` | `{"user_id", "invoice"?, "pay"?}`: applies the balance; pays unless `false` |
//! | `POST /sim/api/stripe/void` | `{"user_id", "invoice"?}`: gives the applied credit back |
//! | `POST /sim/api/stripe/refund` | `{"user_id", "invoice"?, "amount_minor"?}`: all that is left, by default |
//! | `POST /sim/api/stripe/cancel` | `{"user_id"}` |
//! | `GET /sim/api/stripe/events` | `?customer=<id>`: `[{id, type, body, signature_header, status, ...}]` in order |
//! | `POST /sim/api/stripe/hold` | `{"hold"}`: events are recorded but not delivered |
//! | `POST /sim/api/stripe/deliver` | `{"id"}` sends one (again), `{"held":true}` all that wait, signed anew |
//! | `POST /sim/api/stripe/fail` | `{"next", "status"?, "after_commit"?, "sticky"?}` |
//! | `GET /sim/api/stripe/calls` | `[{method, path, idempotency_key, params}]` |
//! | `GET /sim/api/stripe/customers/<id>` | the customer with its lines, invoices and subscriptions |
//!
//! Actions answer `{"ok":true, ...}` after their updates or events were delivered (or gave up), and a sentence in
//! `{"ok":false,"error":...}` when they cannot be done.
//!
//! # Where it differs from the real services, and why
//! - A Stripe customer that was never seen is created when it is named (ids that begin with `cus_missing` are
//!   not): people post hand-made signed events to the stack, and Guerdon then calls about their customers.
//! - Likewise an edit of a message that was never sent is taken, and any chat id can be written to.
//! - A billing period is thirty days, and a draft waits for a button where Stripe waits an hour.
//! - An injected failure is not remembered under the idempotency key (`after_commit` remembers the success
//!   behind it), unless it is `sticky`, which is what Stripe does with its own 500s.
//! - Logs keep their last 2,000 entries. The snapshot is written whole after each change: leave `state_file` out
//!   of load tests.
//!
//! It exists for one machine: it speaks plain HTTP, posts to loopback addresses only, and its secrets are made up.
#![recursion_limit = "256"]

mod api;
mod form;
mod page;
mod saver;
mod state;
mod stripe;
mod telegram;
mod view;

use std::{
    fmt, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use axum::{
    Router,
    routing::{any, get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    saver::{SAVE_EVERY, Saver},
    state::State,
};

/// How long Guerdon may take to answer a webhook call.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(30);

/// What the stack tells its simulator.
#[derive(Clone)]
pub struct SimConfig {
    /// Where the stack's own webhooks are, for example `http://127.0.0.1:8080`. Must be a loopback address.
    pub base_url: String,
    /// The bot's username, without `@`.
    pub bot_username: String,
    /// The name on the page and on the checkout.
    pub brand: String,
    /// The made-up token of the bot.
    pub telegram_token: String,
    /// Sent as `X-Telegram-Bot-Api-Secret-Token`.
    pub telegram_webhook_secret: String,
    /// The key the stand-in Stripe expects, as bearer or as basic user name.
    pub stripe_api_key: String,
    /// Signs the events.
    pub stripe_webhook_secret: String,
    /// Where the world is kept between runs; `None` keeps it in memory. It belongs beside Guerdon's own data: a
    /// new world counts its Stripe ids from 1 again.
    pub state_file: Option<PathBuf>,
    /// Unix seconds; the stack's test clock.
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// What can be subscribed to.
    pub plans: Vec<Plan>,
}

impl fmt::Debug for SimConfig {
    /// Without the secrets: even made-up ones open the local doors.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SimConfig")
            .field("base_url", &self.base_url)
            .field("bot_username", &self.bot_username)
            .field("state_file", &self.state_file)
            .field("plans", &self.plans)
            .finish_non_exhaustive()
    }
}

/// A monthly plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Ends up in the price (`price_sim_<id>`, `lookup_key`) and in the session's metadata.
    pub id: String,
    /// The name people see.
    pub name: String,
    /// The monthly price in minor units.
    pub price_minor: i64,
    /// Three lower-case letters.
    pub currency: String,
}

/// Why a simulator could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// Its updates and events would leave the machine.
    #[error("the simulator posts to loopback addresses only, and {base_url:?} is none")]
    NotLoopback {
        /// The address as configured.
        base_url: String,
    },
    /// An empty secret or name, or a price that is not positive.
    #[error("the simulator needs a proper {field}")]
    Config {
        /// The field of [`SimConfig`].
        field: &'static str,
    },
    /// The snapshot is there but cannot be read.
    #[error("cannot read the simulator's state from {path}")]
    ReadState {
        /// The snapshot.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The snapshot is not what this version writes.
    #[error("cannot make sense of the simulator's state in {path}: delete it to start over")]
    ParseState {
        /// The snapshot.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The HTTP client did not start.
    #[error("cannot start the simulator's HTTP client")]
    Client(#[from] reqwest::Error),
}

/// Why an action on the page was not done. Becomes a status and a sentence.
#[derive(Debug)]
pub(crate) struct ActionError {
    status: u16,
    message: String,
}

impl ActionError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into() }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self { status: 404, message: message.into() }
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self { status: 409, message: message.into() }
    }
}

/// The simulator. Clones share one world.
#[derive(Clone)]
pub struct Sim {
    inner: Arc<Inner>,
}

struct Inner {
    config: SimConfig,
    bot: Value,
    http: reqwest::Client,
    page: String,
    state: Mutex<State>,
    saver: Saver,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.saver.save(state);
    }
}

/// Makes a simulator, with the world of its snapshot if there is one.
pub fn new(mut config: SimConfig) -> Result<Sim, SimError> {
    check(&config)?;
    config.base_url.truncate(config.base_url.trim_end_matches('/').len());
    let kept = config.state_file.as_deref().map(state::load).transpose()?.flatten();
    let state = kept.unwrap_or_else(|| {
        let mut fresh = State::default();
        fresh.telegram.populate((config.clock)());
        fresh
    });
    // The number before the colon of a token is the bot's user id.
    let bot_id = config.telegram_token.split(':').next().and_then(|id| id.parse().ok()).unwrap_or(1_i64);
    let bot = json!({
        "id": bot_id, "is_bot": true, "first_name": config.brand, "username": config.bot_username,
    });
    // No proxy: the environment's must not see loopback traffic.
    let http = reqwest::Client::builder().no_proxy().timeout(WEBHOOK_TIMEOUT).build()?;
    let page = page::render(&config);
    let saver = Saver::new(config.state_file.clone(), state.revision);
    let inner = Arc::new(Inner { config, bot, http, page, state: Mutex::new(state), saver });
    if inner.config.state_file.is_some() {
        let world = Arc::downgrade(&inner);
        std::thread::spawn(move || save_what_is_left(&world));
    }
    Ok(Sim { inner })
}

/// Saves what a burst of changes left unsaved, until the simulator is gone.
fn save_what_is_left(world: &Weak<Inner>) {
    loop {
        std::thread::sleep(SAVE_EVERY);
        let Some(inner) = world.upgrade() else { return };
        let state = inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        inner.saver.save(&state);
    }
}

fn check(config: &SimConfig) -> Result<(), SimError> {
    let url = reqwest::Url::parse(&config.base_url).ok();
    let host = url.as_ref().filter(|url| url.scheme() == "http").and_then(reqwest::Url::host_str);
    let is_loopback = host.is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    });
    if !is_loopback {
        return Err(SimError::NotLoopback { base_url: config.base_url.clone() });
    }
    for (field, value) in [
        ("bot_username", &config.bot_username),
        ("brand", &config.brand),
        ("telegram_token", &config.telegram_token),
        ("telegram_webhook_secret", &config.telegram_webhook_secret),
        ("stripe_api_key", &config.stripe_api_key),
        ("stripe_webhook_secret", &config.stripe_webhook_secret),
    ] {
        if value.is_empty() {
            return Err(SimError::Config { field });
        }
    }
    let is_proper = |plan: &Plan| !plan.id.is_empty() && plan.price_minor > 0 && plan.currency.len() == 3;
    if !config.plans.iter().all(is_proper) {
        return Err(SimError::Config { field: "plans" });
    }
    Ok(())
}

impl Sim {
    /// Everything under `/sim`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/sim", get(page::page))
            .route("/sim/", get(page::page))
            .route("/sim/pay", get(page::checkout).post(page::pay))
            .route("/sim/telegram/{bot}/{method}", get(telegram::bot_api).post(telegram::bot_api))
            .route("/sim/stripe/{*path}", any(stripe::api::stripe_api))
            .nest("/sim/api", api_routes())
            .with_state(self.clone())
    }

    /// The last events sent to (or held back from) the Stripe webhook about a customer, or about everybody, oldest
    /// first: `{id, type, body, signature_header, status, http_status, attempts, customer, created}`. `body` is
    /// the exact text that was signed.
    #[must_use]
    pub fn last_events(&self, customer: Option<&str>) -> Vec<Value> {
        self.read(|state| {
            let events = state.stripe.events.iter();
            let wanted = events.filter(|event| customer.is_none() || event.customer.as_deref() == customer);
            wanted.map(|event| json!(event)).collect()
        })
    }

    pub(crate) fn config(&self) -> &SimConfig {
        &self.inner.config
    }

    pub(crate) fn bot(&self) -> &Value {
        &self.inner.bot
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.inner.http
    }

    pub(crate) fn page_html(&self) -> &str {
        &self.inner.page
    }

    pub(crate) fn now(&self) -> i64 {
        (self.inner.config.clock)()
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.inner.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A change that may be refused.
    pub(crate) fn try_change<T>(
        &self,
        act: impl FnOnce(&mut State) -> Result<T, ActionError>,
    ) -> Result<T, ActionError> {
        self.change(act)
    }

    /// Changes the world and writes it down, all under the lock: snapshots are in the order of the changes. In
    /// a burst only the first change is written at once; the rest follow within half a second.
    pub(crate) fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = act(&mut state);
        state.revision += 1;
        self.inner.saver.save_unless_recent(&state);
        result
    }
}

fn api_routes() -> Router<Sim> {
    Router::new()
        .route("/state", get(api::state))
        .route("/users", post(api::add_user))
        .route("/telegram/send", post(api::send))
        .route("/telegram/tap", post(api::tap))
        .route("/telegram/open", post(api::open))
        .route("/telegram/block", post(api::block))
        .route("/telegram/pay", post(api::pay_invoice))
        .route("/telegram/fail", post(api::fail_telegram))
        .route("/telegram/outbox/{chat_id}", get(api::outbox))
        .route("/telegram/calls", get(api::bot_calls))
        .route("/telegram/updates", get(api::updates))
        .route("/stripe/subscribe", post(api::subscribe))
        .route("/stripe/next-invoice", post(api::next_invoice))
        .route("/stripe/finalize", post(api::finalize))
        .route("/stripe/void", post(api::void))
        .route("/stripe/refund", post(api::refund))
        .route("/stripe/cancel", post(api::cancel))
        .route("/stripe/events", get(api::events))
        .route("/stripe/hold", post(api::hold))
        .route("/stripe/deliver", post(api::deliver))
        .route("/stripe/fail", post(api::fail_stripe))
        .route("/stripe/calls", get(api::stripe_calls))
        .route("/stripe/customers/{id}", get(api::customer))
}
