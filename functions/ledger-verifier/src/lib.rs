//! The hourly verification of the ledger: part after part, until everything was recomputed, and again.
pub mod handler;
