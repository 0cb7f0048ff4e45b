//! Tiers: levels by a member's referral earnings.

use serde::{Deserialize, Serialize};

/// One tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// The name that members see.
    pub name: String,
    /// The least that was earned so far, in minor units of the preset's currency.
    pub from_minor: i64,
}

/// The tier of a member who has earned `earned_minor` so far, if the brand has tiers.
pub fn tier_of(tiers: &[Tier], earned_minor: i64) -> Option<&Tier> {
    tiers.iter().rev().find(|tier| tier.from_minor <= earned_minor.max(0))
}
