//! Lambda entry point of the code-expiry schedule.
// The runtime wraps the handler in many layers of futures; the default limit is just too low for them.
#![recursion_limit = "256"]

use code_expiry::handler::handle;
use guerdon_app::jobs::CODE_EXPIRY;
use guerdon_runtime::function::Function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    Function::scheduled(CODE_EXPIRY, handle).await
}
