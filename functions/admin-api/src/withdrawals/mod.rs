//! Withdrawals: requests, steps, lists, and the file for the bank.

pub(crate) mod export;
pub(crate) mod list;
pub(crate) mod request;
pub(crate) mod steps;
pub(crate) mod view;
