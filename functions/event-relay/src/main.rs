//! Lambda entry point of the event relay.

use std::sync::Arc;

use event_relay::handler::handle;
use guerdon_runtime::{
    aws::Aws,
    bus::{EventBridgeBus, EventBus},
    env, telemetry,
};
use lambda_runtime::{LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start()?;
    let aws = Aws::from_env()?;
    let name = env::required("GUERDON_EVENT_BUS", "the name of the event bus")?;
    let bus: Arc<dyn EventBus> = Arc::new(EventBridgeBus::new(&aws, name));
    let bus = &bus;
    run(service_fn(move |event: LambdaEvent<_>| async move {
        Ok::<_, lambda_runtime::Error>(handle(bus, event.payload).await)
    }))
    .await
}
