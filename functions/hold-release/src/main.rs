//! Lambda entry point of the hold-release schedule.
// The runtime wraps the handler in many layers of futures; the default limit is just too low for them.
#![recursion_limit = "256"]

use guerdon_runtime::{Settings, aws, telemetry};
use hold_release::handler::handle;
use lambda_runtime::{LambdaEvent, run, service_fn};
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start()?;
    let settings = Settings::from_env()?;
    let client = aws::Aws::from_env(&settings.region)?;
    let secrets = client.secrets()?;
    let app = &OnceCell::new();
    let make = || aws::app(&settings, &client, &secrets);
    run(service_fn(move |_: LambdaEvent<serde_json::Value>| async move {
        let app = app.get_or_try_init(make).await?;
        Ok::<_, lambda_runtime::Error>(handle(app).await?)
    }))
    .await
}
