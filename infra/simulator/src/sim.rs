//! The simulator: both stand-ins, the page, and what keeps them between runs.

use std::sync::{Arc, Weak};

use axum::{
    Router,
    extract::FromRef,
    routing::{any, get, post},
};
use serde_json::Value;

use crate::{
    config::{SimConfig, SimError, check},
    page,
    saver::{SAVE_EVERY, Saver},
    snapshot,
    stripe::{self, controls as billing, state::Stripe},
    telegram::{self, controls as people, state::Telegram},
    world::{Shared, Side},
};

/// The simulator. Clones share one world.
#[derive(Clone)]
pub struct Sim {
    bot: Side<Telegram>,
    stripe: Side<Stripe>,
    page: page::Rendered,
    /// Goes with the last clone.
    _keeper: Arc<Keeper>,
}

/// Saves the world one last time.
struct Keeper(Saver);

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.save();
    }
}

impl FromRef<Sim> for Side<Telegram> {
    fn from_ref(sim: &Sim) -> Self {
        sim.bot.clone()
    }
}

impl FromRef<Sim> for Side<Stripe> {
    fn from_ref(sim: &Sim) -> Self {
        sim.stripe.clone()
    }
}

impl FromRef<Sim> for page::Rendered {
    fn from_ref(sim: &Sim) -> Self {
        sim.page.clone()
    }
}

impl Sim {
    /// Makes a simulator, with the world of its snapshot if there is one.
    ///
    /// # Errors
    /// [`SimError`] says what is wrong with the settings or the snapshot.
    pub fn try_new(mut config: SimConfig) -> Result<Self, SimError> {
        check(&config)?;
        config.base_url.truncate(config.base_url.trim_end_matches('/').len());
        let kept = config.state_file.as_deref().map(snapshot::load).transpose()?.flatten();
        let kept = kept.unwrap_or_else(|| {
            let mut fresh = snapshot::Kept::default();
            fresh.telegram.populate((config.clock)());
            fresh
        });
        let page = page::Rendered(page::render(&config).into());
        let file = config.state_file.clone();
        let shared = Arc::new(Shared::new(config, kept.revision)?);
        let (bot, stripe) = (Side::new(&shared, kept.telegram), Side::new(&shared, kept.stripe));
        let keeper = Arc::new(Keeper(Saver::new(file.clone(), bot.clone(), stripe.clone())));
        if file.is_some() {
            let world = Arc::downgrade(&keeper);
            shared.after_change(move || {
                if let Some(keeper) = world.upgrade() {
                    keeper.0.save_unless_recent();
                }
            });
            let world = Arc::downgrade(&keeper);
            std::thread::spawn(move || save_what_is_left(&world));
        }
        Ok(Self { bot, stripe, page, _keeper: keeper })
    }

    /// Everything under `/sim`.
    pub fn router(&self) -> Router {
        let pages = Router::new()
            .route("/sim", get(page::page))
            .route("/sim/", get(page::page))
            .route("/sim/pay", get(page::checkout).post(page::pay))
            .nest("/sim/api", api_routes())
            .with_state(self.clone());
        pages.merge(self.stand_ins())
    }

    /// The stand-ins alone, for a stack whose other service is the real one: no page and no controls.
    pub fn stand_ins(&self) -> Router {
        Router::new()
            .route("/sim/telegram/{bot}/{method}", get(telegram::api::bot_api).post(telegram::api::bot_api))
            .route("/sim/stripe/{*path}", any(stripe::api::stripe_api))
            .with_state(self.clone())
    }

    /// Executes the Bot API call that rides in a webhook response, as Telegram does with a 2xx body that names
    /// a `method`. Other bodies are ignored. The gateway in front of the webhook calls this for every response;
    /// the simulator itself never looks at the answers to the updates it sends, so nothing is recorded twice.
    pub fn record_reply(&self, body: &Value) {
        self.bot.record_reply(body);
    }

    /// Tells the simulator about an update that reached the webhook. Its own updates are recognised and ignored.
    /// From hand-made ones it learns the person, the message and the query id, so that the chat on the page
    /// makes sense and `answerCallbackQuery` finds its chat. Optional, and safe with any JSON.
    pub fn observe_update(&self, update: &Value) {
        self.bot.observe_update(update);
    }

    /// The bot's calls about a chat, oldest first: `{method, payload}` each. Calls that Telegram refused (blocked
    /// by the user, bad HTML, injected failures) are not in it. Answers to queries of unknown origin are under
    /// chat 0.
    #[must_use]
    pub fn outbox(&self, chat_id: i64) -> Vec<Value> {
        self.bot.outbox(chat_id)
    }

    /// Every chat that has an outbox.
    #[must_use]
    pub fn chats(&self) -> Vec<i64> {
        self.bot.chats()
    }

    /// Guerdon's calls to Stripe, oldest first: `{method, path, idempotency_key, params}`, with the path as
    /// `/v1/...` and the parameters decoded from Stripe's bracket syntax. Replayed and failed calls included.
    #[must_use]
    pub fn stripe_calls(&self) -> Vec<Value> {
        self.stripe.stripe_calls()
    }

    /// The last events sent to (or held back from) the Stripe webhook about a customer, or about everybody, oldest
    /// first: `{id, type, body, signature_header, status, http_status, attempts, customer, created}`. `body` is
    /// the exact text that was signed.
    #[must_use]
    pub fn last_events(&self, customer: Option<&str>) -> Vec<Value> {
        self.stripe.last_events(customer)
    }
}

/// Saves what a burst of changes left unsaved, until the simulator is gone.
fn save_what_is_left(world: &Weak<Keeper>) {
    loop {
        std::thread::sleep(SAVE_EVERY);
        let Some(keeper) = world.upgrade() else { return };
        keeper.0.save_unless_recent();
    }
}

fn api_routes() -> Router<Sim> {
    Router::new()
        .route("/state", get(page::state))
        .route("/users", post(people::add_user))
        .route("/telegram/send", post(people::send))
        .route("/telegram/forward", post(people::forward))
        .route("/telegram/tap", post(people::tap))
        .route("/telegram/open", post(people::open))
        .route("/telegram/block", post(people::block))
        .route("/telegram/pay", post(people::pay_invoice))
        .route("/telegram/fail", post(people::fail))
        .route("/telegram/outbox/{chat_id}", get(people::outbox))
        .route("/telegram/calls", get(people::bot_calls))
        .route("/telegram/updates", get(people::updates))
        .route("/stripe/subscribe", post(billing::subscribe))
        .route("/stripe/next-invoice", post(billing::next_invoice))
        .route("/stripe/finalize", post(billing::finalize))
        .route("/stripe/void", post(billing::void))
        .route("/stripe/refund", post(billing::refund))
        .route("/stripe/cancel", post(billing::cancel))
        .route("/stripe/events", get(billing::events))
        .route("/stripe/hold", post(billing::hold))
        .route("/stripe/deliver", post(billing::deliver))
        .route("/stripe/fail", post(billing::fail))
        .route("/stripe/calls", get(billing::stripe_calls))
        .route("/stripe/customers/{id}", get(billing::customer))
}
