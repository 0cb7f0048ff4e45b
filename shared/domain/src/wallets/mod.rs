//! Wallets, their statements, and the double entry behind both.
mod adjustment;
mod entry;
mod ledger;
mod wallet;

pub use adjustment::Adjustment;
pub use entry::{Buckets, Deltas, Entry, EntryKind, StatementError, verify_statement};
pub use ledger::{Account, Bucket, House, LedgerError, Leg, Operation, WalletKind};
pub use wallet::{Wallet, WalletError};
