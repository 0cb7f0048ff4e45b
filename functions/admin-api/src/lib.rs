//! The operators' API under `/api/admin/credits`: statistics, look-ups, exports, and manual changes.
//!
//! Every call needs `X-Admin-Token` and counts against a rate limit; every write needs an
//! `Idempotency-Key`, is audited, and answers the same when it is repeated. Errors are RFC 9457 problems.
mod auth;
pub mod handler;
mod input;
mod output;
mod read;
mod write;
