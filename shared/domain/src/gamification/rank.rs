//! Ranks and experience points. They are functions of two counters, so they always agree with them.

use serde::{Deserialize, Serialize};

/// One step of the ranks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Milestone {
    /// The rank's name, shown to members.
    pub rank: String,
    /// The number of converted referrals it takes.
    pub referrals: u64,
    /// Points that it gives, once.
    pub xp: u64,
    /// The badge that it gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badge: Option<String>,
}

/// A multiplier: from this many converted referrals on, each further one gives `percent` of its base points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VeteranStep {
    /// The number of converted referrals before the first one that it applies to.
    pub from_referrals: u64,
    /// The percentage: 150 means 1.5 times.
    pub percent: u64,
}

/// A brand's ranks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranks {
    /// The rank of a member without milestones.
    pub start: String,
    /// Points for each converted referral.
    pub xp_per_referral: u64,
    /// Points for each full `earned_step_minor` earned.
    pub xp_per_earned_step: u64,
    /// The step, in minor units of the program's currency.
    pub earned_step_minor: i64,
    /// Milestones, fewest referrals first.
    pub milestones: Vec<Milestone>,
    /// Multipliers, fewest referrals first.
    #[serde(default)]
    pub veteran: Vec<VeteranStep>,
}

/// A member's rank, points and badges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing<'a> {
    /// The present rank.
    pub rank: &'a str,
    /// Points so far.
    pub xp: u64,
    /// Badges earned, oldest first.
    pub badges: Vec<&'a str>,
    /// The next milestone, if there is one.
    pub next: Option<&'a Milestone>,
}

impl Ranks {
    /// Computes the standing of a member with `converted` referrals who has earned `earned_minor` so far.
    pub fn standing(&self, converted: u64, earned_minor: i64) -> Standing<'_> {
        let reached = self.milestones.iter().take_while(|m| m.referrals <= converted);
        let milestone_xp: u64 = reached.clone().map(|m| m.xp).sum();
        let steps = earned_minor.max(0).checked_div(self.earned_step_minor).unwrap_or(0).unsigned_abs();
        Standing {
            rank: reached.clone().last().map_or(&self.start, |m| &m.rank),
            xp: milestone_xp
                .saturating_add(self.referral_xp(converted))
                .saturating_add(steps.saturating_mul(self.xp_per_earned_step)),
            badges: reached.filter_map(|m| m.badge.as_deref()).collect(),
            next: self.milestones.iter().find(|m| m.referrals > converted),
        }
    }

    /// Points for the referrals: each veteran step's percentage applies until the next step.
    fn referral_xp(&self, converted: u64) -> u64 {
        let starts =
            std::iter::once((0, 100)).chain(self.veteran.iter().map(|v| (v.from_referrals, v.percent)));
        let ends = self.veteran.iter().map(|v| v.from_referrals).chain([u64::MAX]);
        starts
            .zip(ends)
            .map(|((from, percent), to)| {
                let count = converted.min(to).saturating_sub(from);
                count.saturating_mul(self.xp_per_referral).saturating_mul(percent) / 100
            })
            .fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::Preset;

    #[test]
    fn bitten_ranks_come_out_exactly() {
        let ranks = Preset::builtin("bitten").unwrap().ranks.unwrap();
        let check = |converted, rank: &str, xp| {
            let earned = i64::try_from(converted).unwrap() * 1000;
            let standing = ranks.standing(converted, earned);
            assert_eq!((standing.rank, standing.xp), (rank, xp), "{converted} referrals");
        };
        check(0, "LONE_WOLF", 0);
        check(1, "FIRST_RECRUIT", 50 + 100);
        check(4, "FIRST_RECRUIT", 200 + 100);
        // Five referrals earned $50: one step of 5 points.
        check(5, "SQUAD_BUILDER", 250 + 600 + 5);
        check(10, "PLATOON_LEADER", 500 + 1600 + 10);
        // Referrals 11 to 25 count 1.1 times.
        check(25, "COMPANY_COMMANDER", 500 + 825 + 4100 + 25);
        check(50, "BATTALION_COLONEL", 500 + 825 + 1562 + 9100 + 50);
        check(100, "BRIGADE_GENERAL", 500 + 825 + 1562 + 3750 + 19100 + 100);
        assert_eq!(ranks.standing(1, 1000).badges, ["RECRUITER"]);
        assert_eq!(ranks.standing(100, 0).next, None);
    }
}
