//! Lambda entry point of the Telegram webhook.

use guerdon_runtime::{Settings, aws, env, telemetry};
use guerdon_telegram::BotUsername;
use lambda_http::{run, service_fn};
use telegram_webhook::handler::{Bot, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::start()?;
    let settings = Settings::from_env()?;
    let client = aws::Aws::from_env(&settings.region)?;
    let secrets = client.secrets()?;
    let bot = Bot {
        app: aws::app(&settings, &client, &secrets).await?,
        secrets,
        username: BotUsername::parse(env::required("GUERDON_BOT_USERNAME", "the bot's name without @")?)?,
        payment_link: env::optional("GUERDON_PAYMENT_LINK_URL"),
    };
    run(service_fn(|request| async { Ok::<_, lambda_http::Error>(handle(&bot, request).await) })).await
}
