//! Operators: signing in, accounts, the keys of services, and the audit trail.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod link;
pub(crate) mod service_keys;
pub(crate) mod sign_in;
