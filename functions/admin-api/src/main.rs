//! Lambda entry point of the operators' API.

use admin_api::{routes::router, state::Api};
use guerdon_api::gate::{Gate, Limits, origins};
use guerdon_runtime::{
    env::{self, ConfigError},
    function::Function,
};
use lambda_http::{Request, run, service_fn};
use tokio::sync::OnceCell;
use tower::ServiceExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let function = Function::start()?;
    let (limits, origins, super_admin) = (Limits::from_env()?, origins()?, env::super_admin()?);
    let routes = &OnceCell::new();
    let make = async || {
        let (app, secrets) = (function.app().await?.clone(), function.secrets.clone());
        let gate = Gate { app, secrets, limits, origins: origins.clone() };
        Ok::<_, ConfigError>(router(Api { gate, super_admin }))
    };
    run(service_fn(|request: Request| async {
        let routes = routes.get_or_try_init(&make).await?;
        Ok::<_, lambda_http::Error>(routes.clone().oneshot(request).await?)
    }))
    .await
}
