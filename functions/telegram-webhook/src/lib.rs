//! The bot: Telegram posts updates here, and the answer rides in the response.
//!
//! An update is answered in three steps: work out the reply (every use case behind it is idempotent),
//! remember the `update_id`, answer. A redelivery finds the id and gets a bare 200; a crash in between
//! costs nothing, because Telegram delivers again and the work comes out the same.
//!
//! An update goes one way down: [`handler`] checks it, `parse` says what it asks for, `dispatch` calls the one
//! concern that answers, and that makes the page of `reply`.

mod commissions;
mod dispatch;
pub mod handler;
mod intents;
mod members;
mod operators;
mod parse;
mod payments;
mod programs;
mod referrals;
mod reply;
pub mod state;
mod statistics;
mod support;
mod wallets;
mod withdrawals;
