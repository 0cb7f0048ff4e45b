//! Ranks by referrals and tiers by earnings.
mod rank;
mod tier;

pub use rank::{Milestone, Ranks, Standing, VeteranStep};
pub use tier::{Tier, tier_of};
