//! Lambda entry point of the notifier.
// The runtime wraps the handler in many layers of futures; the default limit is just too low for them.
#![recursion_limit = "256"]

use guerdon_runtime::{
    env::{self, ConfigError},
    function::Function,
};
use lambda_runtime::{LambdaEvent, run, service_fn};
use notifier::handler::{Notifier, handle};
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let function = Function::start()?;
    let notifier = &OnceCell::new();
    let make = &async || {
        let (app, secrets) = (function.app().await?.clone(), function.secrets.clone());
        Ok::<_, ConfigError>(Notifier::new(app, secrets, env::optional("GUERDON_TELEGRAM_URL")))
    };
    run(service_fn(move |event: LambdaEvent<_>| async move {
        let notifier = notifier.get_or_try_init(make).await?;
        Ok::<_, lambda_runtime::Error>(handle(notifier, event.payload).await)
    }))
    .await
}
