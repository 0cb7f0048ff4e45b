//! The hourly verification of the ledger: one part after the other, and from the start again after the last one.
pub mod handler;
