//! Stripe posts events here: the signature is checked, the event is queued, Stripe gets its answer. No
//! ledger write happens here, so Stripe never waits for one.
pub mod handler;
