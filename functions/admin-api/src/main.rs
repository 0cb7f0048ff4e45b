//! Lambda entry point of the operators' API.

use admin_api::handler::{Desk, router};
use guerdon_runtime::{Settings, aws, env, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::start()?;
    let settings = Settings::from_env()?;
    let client = aws::Aws::from_env(&settings.region)?;
    let secrets = client.secrets()?;
    let desk = Desk {
        app: aws::app(&settings, &client, &secrets).await?,
        secrets,
        calls_per_minute: env::number("GUERDON_ADMIN_CALLS_PER_MINUTE", 120, 1..=100_000)?,
    };
    lambda_http::run(router(desk)).await
}
