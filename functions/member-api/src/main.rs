//! Lambda entry point of the services' and members' API.

use guerdon_api::gate::{Gate, Limits, origins};
use guerdon_runtime::{
    env::{ConfigError, required},
    function::Function,
};
use guerdon_telegram::username::BotUsername;
use lambda_http::{Request, run, service_fn};
use member_api::routes::router;
use tokio::sync::OnceCell;
use tower::ServiceExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let function = Function::start()?;
    let (limits, origins, bot) = (Limits::from_env()?, origins()?, bot_username()?);
    let routes = &OnceCell::new();
    let make = async || {
        let (app, secrets) = (function.app().await?.clone(), function.secrets.clone());
        let gate = Gate { app, secrets, limits, origins: origins.clone() };
        Ok::<_, ConfigError>(router(gate, bot.clone()))
    };
    run(service_fn(|request: Request| async {
        let routes = routes.get_or_try_init(&make).await?;
        Ok::<_, lambda_http::Error>(routes.clone().oneshot(request).await?)
    }))
    .await
}

fn bot_username() -> Result<BotUsername, ConfigError> {
    const NAME: &str = "GUERDON_BOT_USERNAME";
    let name = required(NAME, "the bot's user name, for links")?;
    BotUsername::parse(&name).map_err(|error| ConfigError::Invalid { name: NAME, problem: error.to_string() })
}
