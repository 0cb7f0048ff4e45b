//! Lambda entry point of the Stripe webhook.

use std::sync::Arc;

use guerdon_app::{context::SystemClock, memory::Failures};
use guerdon_runtime::{aws::Aws, env, queue::SqsQueue, secrets::Secrets, telemetry};
use lambda_http::{run, service_fn};
use stripe_webhook::{
    handler::{Webhook, handle},
    origin::Origin,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::start()?;
    let aws = Aws::from_env()?;
    let url = env::required("GUERDON_PAYMENTS_QUEUE_URL", "the queue for verified events")?;
    let webhook = Webhook {
        secrets: Secrets::from_env(&aws)?,
        payments: Arc::new(SqsQueue::new(&aws, url)),
        origin: Origin::from_env(true)?,
        clock: Arc::new(SystemClock::default()),
        failures: Failures::default(),
    };
    run(service_fn(|request| async { Ok::<_, lambda_http::Error>(handle(&webhook, request).await) })).await
}
