//! Bill credit: postings to a Stripe customer's balance, and the credit that invoices use of it.
mod invoice_credit;
mod posting;

pub use invoice_credit::{InvoiceCredit, InvoiceCreditState};
pub use posting::{Posting, PostingState};
