//! Verification: recomputes the ledger.
mod verify;

pub use verify::{
    Difference, Verified, verify_all, verify_ledger, verify_next, verify_payment, verify_wallet,
};
