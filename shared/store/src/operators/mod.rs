//! Operators, services, and the audit trail.
mod accounts;
mod audit;
mod service_keys;

pub use accounts::Operators;
pub use audit::Audit;
pub use service_keys::ServiceKeys;
