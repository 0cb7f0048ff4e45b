//! The worker behind the queue of payments.
//!
//! **payments** holds the providers' events as they came. Each becomes one use case: link a customer, record a payment,
//! reverse one, reconcile an invoice. An event that came before what it builds on is parked in the table, and goes back
//! into the queue once that is known. The bus tells the queue when that happened elsewhere.
//! [`message`](message::Message) is the queue's format. Nothing here calls a provider: bill credit is billing-worker's.
// The futures of a message nest deep; the default limit is just too low for them.
#![recursion_limit = "256"]

pub mod handler;
pub mod message;
mod parked;
mod stripe_events;
pub mod worker;
