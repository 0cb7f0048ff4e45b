//! Lambda entry point of the Telegram webhook.

use guerdon_runtime::{
    env::{self, ConfigError},
    function::Function,
};
use guerdon_telegram::username::BotUsername;
use lambda_http::{run, service_fn};
use telegram_webhook::{
    handler::handle,
    state::{Bot, Telegram},
};
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let function = Function::start()?;
    let username = BotUsername::parse(env::required("GUERDON_BOT_USERNAME", "the bot's name without @")?)?;
    let bot = &OnceCell::new();
    let make = async || {
        Ok::<_, ConfigError>(Bot {
            app: function.app().await?.clone(),
            secrets: function.secrets.clone(),
            username: username.clone(),
            payment_link: env::optional("GUERDON_PAYMENT_LINK_URL"),
            public_url: env::optional("GUERDON_PUBLIC_URL"),
            telegram: Telegram::new(env::optional("GUERDON_TELEGRAM_URL")),
        })
    };
    run(service_fn(|request| async {
        let bot = bot.get_or_try_init(&make).await?;
        Ok::<_, lambda_http::Error>(handle(bot, request).await)
    }))
    .await
}
