//! Commissions: rewards for payments, and how much of one is taken back.
mod clawback;
mod commission;

pub use clawback::clawback_target;
pub use commission::{Commission, CommissionState, VoidReason};
