//! The settings of a simulator, and the reasons why they may not work.

use std::{fmt, io, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};

/// The settings that the stack gives its simulator.
#[derive(Clone)]
pub struct SimConfig {
    /// The URL of the stack's webhooks, for example `http://127.0.0.1:8080`. Must be a loopback address.
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
    /// The file that keeps the world between runs; `None` keeps it in memory. It belongs beside Guerdon's own data: a
    /// new world counts its Stripe ids from 1 again.
    pub state_file: Option<PathBuf>,
    /// Sent by the page as `X-Local-Token` with every change; the stack in front checks it.
    pub page_token: String,
    /// Unix seconds; the stack's test clock.
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// The plans on offer.
    pub plans: Vec<Plan>,
}

impl fmt::Debug for SimConfig {
    /// Without the secrets: even made-up ones give access to the local webhooks.
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

/// The reason why a simulator could not be made.
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
        /// The cause.
        source: io::Error,
    },
    /// The snapshot is not what this version writes.
    #[error("cannot make sense of the simulator's state in {path}: delete it to start over")]
    ParseState {
        /// The snapshot.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// The HTTP client did not start.
    #[error("cannot start the simulator's HTTP client")]
    Client(#[from] reqwest::Error),
}

/// Refuses settings that cannot work, or that would let updates leave the machine.
pub(crate) fn check(config: &SimConfig) -> Result<(), SimError> {
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
