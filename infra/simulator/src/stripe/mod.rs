//! The stand-in Stripe: customers with their bills, the API, and signed events.

pub(crate) mod api;
mod billing;
pub(crate) mod controls;
mod events;
mod invoices;
mod objects;
pub(crate) mod overview;
mod resources;
pub(crate) mod state;
