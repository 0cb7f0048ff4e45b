//! Withdrawals: money that members ask to be paid out, and its destinations.
mod destination;
mod withdrawal;

pub use destination::{Destination, DestinationError, PayoutMethod, SealedDestination};
pub use withdrawal::{Claim, Step, Withdrawal, WithdrawalRules, WithdrawalState, WrongState};
