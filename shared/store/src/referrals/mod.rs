//! Referrals, codes, and clicks on shared links.
mod clicks;
mod codes;
mod edges;

pub use clicks::Clicks;
pub use codes::Codes;
pub use edges::Referrals;

pub(crate) use edges::referral_key;
