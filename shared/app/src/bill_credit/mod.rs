//! Bill credit: posted to the balance of a Stripe customer and reconciled with invoices.
mod post;
mod reconcile;

pub use post::{BalanceError, CustomerBalance, LEASE_SECONDS, Posted, credit_waits, post_bill_credit};
pub use reconcile::{InvoiceFacts, Reconciled, reconcile_invoice};
