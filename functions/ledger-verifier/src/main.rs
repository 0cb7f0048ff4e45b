//! Lambda entry point of the ledger-verifier schedule.
// The runtime wraps the handler in many layers of futures; the default limit is just too low for them.
#![recursion_limit = "256"]

use guerdon_app::jobs::LEDGER_VERIFIER;
use guerdon_runtime::function::Function;
use ledger_verifier::handler::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    Function::scheduled(LEDGER_VERIFIER, handle).await
}
