//! The stand-in Stripe.

pub(crate) mod api;
pub(crate) mod billing;
pub(crate) mod events;
pub(crate) mod invoices;
pub(crate) mod ledger;
pub(crate) mod objects;
pub(crate) mod resources;
