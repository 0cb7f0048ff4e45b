//! The glue between Lambda and the use cases: configuration, secrets, telemetry, AWS clients, the SQS
//! partial-batch runner, the stream's decoding.
//!
//! A function's `main` reads its [`Settings`], builds an [`App`](guerdon_app::App) with [`aws::app`], and
//! hands its handler to the Lambda runtime. Everything here is read or opened at most once per process.
pub mod aws;
pub mod batch;
pub mod bus;
pub mod env;
pub mod http_body;
pub mod problem;
pub mod queue;
pub mod secrets;
mod ssm;
pub mod stream;
pub mod telemetry;

pub use env::{ConfigError, Settings};
