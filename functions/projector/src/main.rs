//! Lambda entry point of the projector.
// The runtime wraps the handler in many layers of futures; the default limit is just too low for them.
#![recursion_limit = "256"]

use guerdon_runtime::function::Function;
use lambda_runtime::{LambdaEvent, run, service_fn};
use projector::handler::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let function = &Function::start()?;
    run(service_fn(move |event: LambdaEvent<_>| async move {
        let app = function.app().await?;
        Ok::<_, lambda_runtime::Error>(handle(app, event.payload).await)
    }))
    .await
}
