//! The state that every module of the webhook shares.

use guerdon_app::context::App;
use guerdon_runtime::secrets::Secrets;
use guerdon_telegram::username::BotUsername;

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
}
