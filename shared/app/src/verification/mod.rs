//! Verification of the ledger: recomputed from the stored data, page by page, also while the business runs.
mod acknowledge;
mod commission;
mod credit;
mod difference;
mod known;
mod limits;
mod payment;
mod payout;
mod referral;
mod standing;
mod statement;
mod verify;
mod wallet;

pub use acknowledge::{AcknowledgeRefusal, Findings, acknowledge_difference, acknowledge_found, findings};
pub use difference::Difference;
pub use verify::{Verified, verify_all, verify_ledger, verify_next, verify_payment, verify_wallet};
