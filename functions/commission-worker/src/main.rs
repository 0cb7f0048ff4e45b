//! Lambda entry point of the commission worker.
// The runtime wraps the handler in many layers of futures; the default limit is just too low for them.
#![recursion_limit = "256"]

use std::sync::Arc;

use commission_worker::{handler::handle, worker::Worker};
use guerdon_runtime::{
    bus::EventBridgeBus,
    env::{self, ConfigError},
    function::Function,
    queue::SqsQueue,
};
use lambda_runtime::{LambdaEvent, run, service_fn};
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let function = Function::start()?;
    let url = env::required("GUERDON_PAYMENTS_QUEUE_URL", "the queue that parked events go back to")?;
    let bus = env::required("GUERDON_EVENT_BUS", "the name of the event bus")?;
    let worker = &OnceCell::new();
    let make = &async || {
        Ok::<_, ConfigError>(Worker {
            app: function.app().await?.clone(),
            payments: Arc::new(SqsQueue::new(&function.aws, url.clone())),
            bus: Arc::new(EventBridgeBus::new(&function.aws, bus.clone())),
        })
    };
    run(service_fn(move |event: LambdaEvent<_>| async move {
        let worker = worker.get_or_try_init(make).await?;
        Ok::<_, lambda_runtime::Error>(handle(worker, event.payload).await)
    }))
    .await
}
