//! Lambda entry point of the notifier.
// The runtime wraps the handler in many layers of futures; the default limit is just too low for them.
#![recursion_limit = "256"]

use guerdon_runtime::{ConfigError, Settings, aws, env, telemetry};
use lambda_runtime::{LambdaEvent, run, service_fn};
use notifier::handler::{Notifier, handle};
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start()?;
    let settings = Settings::from_env()?;
    let client = aws::Aws::from_env(&settings.region)?;
    let secrets = client.secrets()?;
    let notifier = &OnceCell::new();
    let make = &async || {
        let app = aws::app(&settings, &client, &secrets).await?;
        Ok::<_, ConfigError>(Notifier::new(app, secrets.clone(), env::optional("GUERDON_TELEGRAM_URL")))
    };
    run(service_fn(move |event: LambdaEvent<_>| async move {
        let notifier = notifier.get_or_try_init(make).await?;
        Ok::<_, lambda_runtime::Error>(handle(notifier, event.payload).await)
    }))
    .await
}
