//! Tiers: what a member's referral earnings make them.

use serde::{Deserialize, Serialize};

/// A step of the ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// What members see.
    pub name: String,
    /// Earned so far at least, minor units of the preset's currency.
    pub from_minor: i64,
}

/// The tier of a member who has earned `earned_minor` so far, if the brand has tiers.
pub fn tier_of(tiers: &[Tier], earned_minor: i64) -> Option<&Tier> {
    tiers.iter().rev().find(|tier| tier.from_minor <= earned_minor.max(0))
}
