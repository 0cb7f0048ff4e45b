//! Lambda entry point of the hold-release schedule.
// The runtime wraps the handler in many layers of futures; the default limit is just too low for them.
#![recursion_limit = "256"]

use guerdon_app::observe::correlated;
use guerdon_runtime::{Function, Scheduled};
use hold_release::handler::handle;
use lambda_runtime::{LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let function = &Function::start()?;
    run(service_fn(move |event: LambdaEvent<Scheduled>| async move {
        let app = function.app().await?;
        Ok::<_, lambda_runtime::Error>(correlated(event.payload.execution_id, handle(app)).await?)
    }))
    .await
}
