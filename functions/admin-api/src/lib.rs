//! The operators' API: credit, the program, payments and why they earned what they did, statements, withdrawals.
//!
//! A call brings `X-Admin-Token`, or the access token of an operator who signed in by password under `/admin/auth`.
//! [`routes::ROUTES`] says who may call what. Calls count against a rate limit; every write of money needs an
//! `Idempotency-Key`, is audited, and answers the same when it is repeated. Errors are RFC 9457 problems.
//!
//! One module for each concern. They stand on [`state`], `input` and `csv`; `routes` stands on all of them.
mod commissions;
mod csv;
mod fraud;
mod input;
mod jobs;
mod members;
mod operators;
mod payments;
mod programs;
mod referrals;
pub mod routes;
mod settings;
pub mod state;
mod statistics;
mod verification;
mod wallets;
mod withdrawals;
