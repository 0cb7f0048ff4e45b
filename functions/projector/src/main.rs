//! Lambda entry point of the projector.
// The runtime wraps the handler in many layers of futures; the default limit is just too low for them.
#![recursion_limit = "256"]

use guerdon_runtime::{Settings, aws, telemetry};
use lambda_runtime::{LambdaEvent, run, service_fn};
use projector::handler::handle;
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start()?;
    let settings = Settings::from_env()?;
    let client = aws::Aws::from_env(&settings.region)?;
    let secrets = client.secrets()?;
    let app = &OnceCell::new();
    let make = || aws::app(&settings, &client, &secrets);
    run(service_fn(move |event: LambdaEvent<_>| async move {
        let app = app.get_or_try_init(make).await?;
        Ok::<_, lambda_runtime::Error>(handle(app, event.payload).await)
    }))
    .await
}
