//! Operators, who are the business's staff, and services, which are programs that work for it.
mod audit;
mod operator;
mod service_key;
mod session;
mod stamp;

pub use audit::AuditRecord;
pub use operator::{Operator, Role};
pub use service_key::{Scope, ServiceKey};
pub use session::{Session, SignInLink};
pub use stamp::Stamp;
