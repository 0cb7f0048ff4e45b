//! The state that every handler is given.

use std::sync::Arc;

use axum::extract::FromRef;
use guerdon_api::gate::Gate;
use guerdon_telegram::username::BotUsername;

/// The state of the API.
#[derive(Clone)]
pub struct Api {
    /// Access checks, and the use cases' context.
    pub gate: Arc<Gate>,
    /// The bot that shared links lead to.
    pub bot: Arc<BotUsername>,
}

impl FromRef<Api> for Arc<Gate> {
    fn from_ref(api: &Api) -> Self {
        api.gate.clone()
    }
}

impl FromRef<Api> for Arc<BotUsername> {
    fn from_ref(api: &Api) -> Self {
        api.bot.clone()
    }
}
