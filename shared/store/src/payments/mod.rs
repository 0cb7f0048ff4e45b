//! Payments, orders, customers, and parked events.
mod customers;
mod orders;
mod parked;
mod record;

pub use customers::{CustomerLink, Customers, PaymentReference};
pub use orders::Orders;
pub use parked::{Parked, ParkedEvent, WaitsFor};
pub use record::{FailedPayment, PaymentLink, Payments};
