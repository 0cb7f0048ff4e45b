//! The state that every module of the webhook shares.

use std::time::Duration;

use guerdon_app::context::App;
use guerdon_runtime::secrets::{Built, Secret, Secrets};
use guerdon_telegram::{client::BotApi, outbound::Outgoing, username::BotUsername};

/// Time for a call that ends a button's progress indicator. The member's page waits for it.
const PATIENCE: Duration = Duration::from_secs(3);

/// Everything that the webhook needs.
pub struct Bot {
    /// The use cases' context.
    pub app: App,
    /// The deployment's secrets.
    pub secrets: Secrets,
    /// The bot's name, for deep links.
    pub username: BotUsername,
    /// Stripe Payment Link; `{plan}` in it stands for the plan's id.
    pub payment_link: Option<String>,
    /// The URL of the HTTP API, such as `https://api.example.com`, for operators' links.
    pub public_url: Option<String>,
    /// The Bot API.
    pub telegram: Telegram,
}

/// The Bot API, for what cannot ride in the webhook's answer. The client is built at the first call, and again when
/// the token changes.
pub struct Telegram {
    url: Option<String>,
    api: Built<BotApi>,
}

impl Telegram {
    /// Uses Telegram's own address, or the stand-in at `url`.
    pub fn new(url: Option<String>) -> Self {
        Self { url, api: Built::default() }
    }
}

impl Bot {
    /// Ends the progress indicator of a tapped button. The page in the answer says what happened, so a failure is
    /// only logged.
    pub(crate) async fn end_progress(&self, tap_id: &str) {
        let call = Outgoing::answer_callback(tap_id, None);
        let token = match self.secrets.get(Secret::TelegramBotToken).await {
            Ok(token) => token,
            Err(error) => {
                return tracing::warn!(%error, "cannot read the bot's token; a tap was not answered");
            }
        };
        let build = |token: &str| BotApi::at(token, self.telegram.url.as_deref());
        let api = match self.telegram.api.of(token, build) {
            Ok(api) => api,
            Err(error) => return tracing::warn!(%error, "no Bot API client; a tap was not answered"),
        };
        match tokio::time::timeout(PATIENCE, api.send(&call)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a tap was not answered"),
            Err(_) => tracing::warn!("a tap was not answered in time"),
        }
    }
}
