//! Bill credit: the customers that are billed, postings to a customer's balance, and the credit that invoices use of it.
mod customers;
mod invoice_credit;
mod posting;

pub use customers::{BilledCustomer, BilledCustomers, BillingReport, SubscriptionState};
pub use invoice_credit::{InvoiceCredit, InvoiceCreditState};
pub use posting::{Posting, PostingState};
