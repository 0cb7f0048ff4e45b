//! Lambda entry point of the operators' API.

use admin_api::handler::{Desk, router};
use guerdon_runtime::{ConfigError, Function, env};
use lambda_http::{Request, run, service_fn};
use tokio::sync::OnceCell;
use tower::ServiceExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let function = Function::start()?;
    let calls_per_minute = env::number("GUERDON_ADMIN_CALLS_PER_MINUTE", 120, 1..=100_000)?;
    let super_admin = env::super_admin()?;
    let routes = &OnceCell::new();
    let make = async || {
        let (app, secrets) = (function.app().await?.clone(), function.secrets.clone());
        Ok::<_, ConfigError>(router(Desk { app, secrets, calls_per_minute, super_admin }))
    };
    run(service_fn(|request: Request| async {
        let routes = routes.get_or_try_init(&make).await?;
        Ok::<_, lambda_http::Error>(routes.clone().oneshot(request).await?)
    }))
    .await
}
