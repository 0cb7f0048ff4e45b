//! Fraud: the findings of the rules, flags, and the decisions of operators.
mod by_hand;
mod chain;
mod inspect;
mod list;
mod raise;
mod rates;
mod refusal;
mod resolve;
mod self_paid;
mod shared;

pub use by_hand::{ByHand, block_member, flag_by_hand, unblock_member};
pub use inspect::{
    Checked, inspect_destination, inspect_joined, inspect_payer, inspect_prints, inspect_withdrawal,
    run_checks,
};
pub use list::{flags_in, flags_of};
pub use rates::{inspect_refunded, inspect_reversed, refunds_of};
pub use refusal::FraudRefusal;
pub use resolve::resolve_flag;
