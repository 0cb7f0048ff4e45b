//! Operators, the business's staff, and services, the programs that work for it.
mod operator;
mod service_key;
mod stamp;

pub use operator::Role;
pub use service_key::Scope;
pub use stamp::Stamp;
