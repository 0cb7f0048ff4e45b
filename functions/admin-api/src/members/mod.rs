//! Members: who they are, the list of them, barring one, and their Stripe customers.

pub(crate) mod bar;
pub(crate) mod customers;
pub(crate) mod known;
pub(crate) mod list;
pub(crate) mod view;
