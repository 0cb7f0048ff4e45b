//! Recomputation of what members used of the caps of rules.

use std::collections::BTreeMap;

use guerdon_domain::{
    commissions::{Commission, CommissionState, VoidReason},
    programs::Limit,
};
use guerdon_store::programs::LimitUse;

use super::difference::Problems;

/// Compares the used part of each cap with the commissions that used it. A whole grant uses the cap, also where a part
/// of it is taken back.
pub(super) fn limit_problems(stored: &[LimitUse], commissions: &[Commission]) -> Problems {
    let mut used: BTreeMap<(String, String), i128> = BTreeMap::new();
    for commission in commissions.iter().filter(|commission| has_used(commission)) {
        let allowed = commission.allowed.unwrap_or_else(|| commission.amount.minor());
        for (limit, _, period) in commission.limits() {
            if let Limit::Member(_, rule) = limit {
                *used.entry((rule.to_string(), period)).or_default() += i128::from(allowed);
            }
        }
    }
    let mut problems = Problems::default();
    for limit in stored {
        let Some((rule, period)) = limit.of_rule() else { continue };
        let should = used.remove(&(rule.to_owned(), period.to_owned())).unwrap_or_default();
        let more = i128::from(limit.used) - should;
        problems.check(more == 0, || {
            format!("of the cap of {rule} in {period} {more:+} is used that no commission used")
        });
    }
    for ((rule, period), should) in used.into_iter().filter(|(_, should)| *should != 0) {
        problems.add(format!("of the cap of {rule} in {period} {should} was used, and nothing says so"));
    }
    problems
}

/// True for a commission that went through a release, with whatever its limits left.
const fn has_used(commission: &Commission) -> bool {
    match commission.state {
        CommissionState::Released { .. } => true,
        CommissionState::Void { reason, .. } => matches!(reason, VoidReason::Capped),
        CommissionState::Held => false,
    }
}
