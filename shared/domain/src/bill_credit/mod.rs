//! Bill credit: what is posted to a Stripe customer's balance, and what invoices use of it.
mod invoice_credit;
mod posting;

pub use invoice_credit::{InvoiceCredit, InvoiceCreditState};
pub use posting::{Posting, PostingState};
