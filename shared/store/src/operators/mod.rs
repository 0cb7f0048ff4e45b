//! Operators, services, and the audit trail.
mod audit;
mod operators;
mod service_keys;

pub use audit::Audit;
pub use operators::Operators;
pub use service_keys::ServiceKeys;
