//! Wallets, their statements, and the double entry behind both.
mod adjustment;
mod entry;
mod ledger;
#[allow(
    clippy::arithmetic_side_effects,
    reason = "each amount is positive, what is taken off one is part of it, and post() checks every bucket"
)]
mod wallet;

pub use adjustment::Adjustment;
pub use entry::{Buckets, Deltas, Entry, EntryKind, StatementError, verify_statement};
pub use ledger::{Account, Bucket, House, LedgerError, Leg, Operation, WalletKind};
pub use wallet::{Wallet, WalletError};
