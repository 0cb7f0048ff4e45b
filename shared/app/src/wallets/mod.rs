//! Wallets: the view of members, statements, and credit adjustments by operators.
mod adjust;
mod credits;
mod statement;

pub use adjust::{apply_credit, revoke_credit};
pub use credits::{CreditsView, ToClaim, claim_and_view, credits_view};
pub use statement::{BalanceAt, balance_at, entries_of, wallet_of};
