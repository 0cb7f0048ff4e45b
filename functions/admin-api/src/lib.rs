//! The operators' API under `/api/admin`: credit, the program, payments and why they earned what they did,
//! statements, withdrawals.
//!
//! Every call needs `X-Admin-Token` and counts against a rate limit; every write needs an
//! `Idempotency-Key`, is audited, and answers the same when it is repeated. Errors are RFC 9457 problems.
mod auth;
mod bank;
mod batch;
pub mod handler;
mod input;
mod output;
mod payments;
mod program;
mod read;
mod request;
mod statement;
mod steps;
mod withdrawals;
mod write;
