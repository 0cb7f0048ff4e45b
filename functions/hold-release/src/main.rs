//! Lambda entry point of the hold-release schedule.
// The runtime wraps the handler in many layers of futures; the default limit is just too low for them.
#![recursion_limit = "256"]

use guerdon_app::jobs::HOLD_RELEASE;
use guerdon_runtime::function::Function;
use hold_release::handler::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    Function::scheduled(HOLD_RELEASE, handle).await
}
