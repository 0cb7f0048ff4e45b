//! One stand-in's side of the world, and the things that both share.

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use serde_json::{Value, json};

use crate::{
    answer::ActionError,
    config::{SimConfig, SimError},
};

/// The time limit for Guerdon's answer to a webhook call.
const WEBHOOK_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// The things that both stand-ins work with.
pub(crate) struct Shared {
    config: SimConfig,
    bot: Value,
    http: reqwest::Client,
    revision: AtomicU64,
    after_change: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Shared {
    /// Shared things of a world that has changed `revision` times.
    pub(crate) fn new(config: SimConfig, revision: u64) -> Result<Self, SimError> {
        // The number before the colon of a token is the bot's user id.
        let bot_id = config.telegram_token.split(':').next().and_then(|id| id.parse().ok()).unwrap_or(1_i64);
        let bot = json!({
            "id": bot_id, "is_bot": true, "first_name": config.brand, "username": config.bot_username,
        });
        // No proxy: the environment's must not see loopback traffic.
        let http = reqwest::Client::builder().no_proxy().timeout(WEBHOOK_TIMEOUT).build()?;
        Ok(Self { config, bot, http, revision: AtomicU64::new(revision), after_change: OnceLock::new() })
    }

    /// Does `work` after each change, when no side is locked. Only the first of these counts.
    pub(crate) fn after_change(&self, work: impl Fn() + Send + Sync + 'static) {
        self.after_change.get_or_init(|| Box::new(work));
    }
}

/// The state of one stand-in, behind its lock; no await ever happens while it is held. Clones share it. Code that
/// locks both sides locks Telegram's first.
pub(crate) struct Side<T> {
    shared: Arc<Shared>,
    state: Arc<Mutex<T>>,
}

impl<T> Clone for Side<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), state: Arc::clone(&self.state) }
    }
}

impl<T> Side<T> {
    pub(crate) fn new(shared: &Arc<Shared>, state: T) -> Self {
        Self { shared: Arc::clone(shared), state: Arc::new(Mutex::new(state)) }
    }

    pub(crate) fn config(&self) -> &SimConfig {
        &self.shared.config
    }

    /// The bot as a Telegram user.
    pub(crate) fn bot(&self) -> &Value {
        &self.shared.bot
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.shared.http
    }

    pub(crate) fn now(&self) -> i64 {
        (self.shared.config.clock)()
    }

    /// Goes up with every change of either side, so that the page redraws only when something happened.
    pub(crate) fn revision(&self) -> u64 {
        self.shared.revision.load(Ordering::SeqCst)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.lock())
    }

    /// A change that may be refused.
    pub(crate) fn try_change<R>(
        &self,
        act: impl FnOnce(&mut T) -> Result<R, ActionError>,
    ) -> Result<R, ActionError> {
        self.change(act)
    }

    /// Changes this side, under its lock, and has the world written down.
    pub(crate) fn change<R>(&self, act: impl FnOnce(&mut T) -> R) -> R {
        let mut state = self.lock();
        let result = act(&mut state);
        self.shared.revision.fetch_add(1, Ordering::SeqCst);
        drop(state);
        if let Some(work) = self.shared.after_change.get() {
            work();
        }
        result
    }
}
