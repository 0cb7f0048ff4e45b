//! The operators' API: credit, the program, payments and why they earned what they did, statements, withdrawals.
//!
//! A call brings `X-Admin-Token`, or the access token of somebody who signed in by password under `/admin/auth`.
//! [`routes::ROUTES`] says who may call what. Calls count against a rate limit; every write of money needs an
//! `Idempotency-Key`, is audited, and answers the same when it is repeated. Errors are RFC 9457 problems.
mod attribution;
mod audit;
mod bank;
mod batch;
mod csv;
mod dashboard;
mod fraud;
mod input;
mod jobs;
mod link;
mod lists;
mod parked;
mod payments;
mod people;
mod program;
mod read;
mod request;
pub mod routes;
mod service_keys;
mod settings;
mod sign_in;
mod statement;
mod steps;
mod withdrawals;
mod write;
