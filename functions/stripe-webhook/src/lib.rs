//! Stripe's webhook: checks an event's signature, queues the event, and answers Stripe. It writes nothing to the
//! ledger, so Stripe never waits for a write.
pub mod handler;
pub mod origin;
