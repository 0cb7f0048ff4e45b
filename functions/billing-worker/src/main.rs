//! Lambda entry point of the billing worker.
// The runtime wraps the handler in many layers of futures; the default limit is just too low for them.
#![recursion_limit = "256"]

use std::sync::Arc;

use billing_worker::{account::StripeAccount, handler::handle, worker::Worker};
use guerdon_runtime::{
    env::{self, ConfigError},
    function::Function,
};
use lambda_runtime::{LambdaEvent, run, service_fn};
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let function = Function::start()?;
    let worker = &OnceCell::new();
    let make = &async || {
        let url = env::optional("GUERDON_STRIPE_URL");
        let stripe = Arc::new(StripeAccount::new(function.secrets.clone(), url));
        Ok::<_, ConfigError>(Worker {
            app: function.app().await?.clone(),
            stripe: stripe.clone(),
            intents: stripe,
        })
    };
    run(service_fn(move |event: LambdaEvent<_>| async move {
        let worker = worker.get_or_try_init(make).await?;
        Ok::<_, lambda_runtime::Error>(handle(worker, event.payload).await)
    }))
    .await
}
