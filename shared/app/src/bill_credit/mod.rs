//! Bill credit: posted to the balance of the Stripe customer that is billed, and reconciled with invoices.
mod customers;
mod post;
mod reconcile;
mod relink;

pub(crate) use customers::customers_of;
pub use customers::note_billing;
pub use post::{BalanceError, CustomerBalance, LEASE_SECONDS, Posted, credit_waits, post_bill_credit};
pub use reconcile::{InvoiceFacts, Reconciled, reconcile_invoice};
pub use relink::{CustomerView, RelinkRefusal, customers_view, relink_customer};
