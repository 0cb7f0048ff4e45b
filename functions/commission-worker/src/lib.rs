//! The worker that consumes the payments queue.
//!
//! **payments** holds the providers' events as received. Each leads to one use case: link a customer, record a
//! payment, reverse one, reconcile an invoice. An event that arrived before what it depends on is parked in the table,
//! and returns to the queue once that exists. The bus announces it when another function created it.
//! [`message`](message::Message) is the queue's format. Nothing here calls a provider: billing-worker posts bill
//! credit.
// The futures of a message nest deep; the default limit is just too low for them.
#![recursion_limit = "256"]

pub mod handler;
pub mod message;
mod parked;
mod stripe_events;
pub mod worker;
