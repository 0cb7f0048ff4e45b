//! Commissions: released when due, redeemed by members, listed for operators.
mod list;
mod redeem;
mod settle;
mod sweep;

pub use list::{AdminCommission, Export, commissions_of, export_credits, rewards_of};
pub use redeem::{ClaimRefusal, ShownClaim, claim_reward, claim_shown, offer_claim};
pub use settle::{Settled, settle_wallet};
pub use sweep::{Swept, sweep_releases};

pub(crate) use redeem::{claimable_rewards, sums_of};
pub(crate) use settle::{digest, settle_for_view, settle_these};
