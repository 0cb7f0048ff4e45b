//! Lambda entry point of the notifier.
// The runtime wraps the handler in many layers of futures; the default limit is just too low for them.
#![recursion_limit = "256"]

use guerdon_runtime::{Settings, aws, env, telemetry};
use lambda_runtime::{LambdaEvent, run, service_fn};
use notifier::handler::{Notifier, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start()?;
    let settings = Settings::from_env()?;
    let client = aws::Aws::from_env(&settings.region)?;
    let secrets = client.secrets()?;
    let app = aws::app(&settings, &client, &secrets).await?;
    let notifier = Notifier::new(app, secrets, env::optional("GUERDON_TELEGRAM_URL"));
    let notifier = &notifier;
    run(service_fn(move |event: LambdaEvent<_>| async move {
        Ok::<_, lambda_runtime::Error>(handle(notifier, event.payload).await)
    }))
    .await
}
