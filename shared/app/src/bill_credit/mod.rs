//! Bill credit: posted to a Stripe customer's balance, and reconciled with invoices.
mod post;
mod reconcile;

pub use post::{BalanceError, CustomerBalance, LEASE_SECONDS, Posted, credit_waits, post_bill_credit};
pub use reconcile::{InvoiceFacts, Reconciled, reconcile_invoice};
