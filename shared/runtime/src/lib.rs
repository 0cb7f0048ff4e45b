//! The glue between Lambda and the use cases: configuration, secrets, telemetry, AWS clients, the SQS
//! partial-batch runner, the stream's decoding.
//!
//! A function's `main` starts a [`Function`] and passes its handler to the Lambda runtime. Clients that need a secret
//! are made at the first call. Everything here is read or opened at most once per process; secrets are read every
//! ten minutes.
pub mod aws;
pub mod batch;
pub mod bus;
pub mod env;
pub mod function;
pub mod headers;
#[cfg(feature = "tokens")]
mod hs256;
pub mod http_body;
mod https;
mod metrics;
pub mod problem;
pub mod queue;
pub mod secrets;
#[cfg(feature = "source")]
pub mod source;
mod ssm;
pub mod stream;
pub mod telemetry;
#[cfg(feature = "tokens")]
pub mod tokens;
