//! Lambda entry point of the ledger-verifier schedule.
// The runtime wraps the handler in many layers of futures; the default limit is just too low for them.
#![recursion_limit = "256"]

use guerdon_runtime::{Settings, aws, telemetry};
use lambda_runtime::{LambdaEvent, run, service_fn};
use ledger_verifier::handler::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start()?;
    let settings = Settings::from_env()?;
    let client = aws::Aws::from_env(&settings.region)?;
    let app = aws::app(&settings, &client, &client.secrets()?).await?;
    let app = &app;
    run(service_fn(move |_: LambdaEvent<serde_json::Value>| async move {
        Ok::<_, lambda_runtime::Error>(handle(app).await?)
    }))
    .await
}
