//! The worker behind the two money queues.
//!
//! **payments** holds Stripe's events as they came. Each becomes one use case: link a customer, record a
//! payment, reconcile an invoice. **credits** holds domain events that say "this member may have bill
//! credit to settle or post", or "the fraud rules may say something by now". This is the only function that calls Stripe.
mod balance;
pub mod handler;
mod stripe_events;

pub use balance::StripeBalance;
