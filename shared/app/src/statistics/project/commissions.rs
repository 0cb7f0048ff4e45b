//! Projection of commissions: booked, held, earned and clawed back amounts, and the sweep's markers.

use guerdon_domain::{
    commissions::{Commission, CommissionState},
    payments::Place,
    statistics::{Counter, Sum},
};
use guerdon_store::statistics::Projection;

use super::{Changed, plan::Plan};

pub(super) fn changed(plan: &mut Plan, change: &Changed<'_, Commission>) {
    match (change.before, change.after) {
        (None, Some(commission)) => booked(plan, change.sequence, commission),
        (Some(before), Some(after)) => moved(plan, change.sequence, before, after),
        _ => {}
    }
}

fn booked(plan: &mut Plan, sequence: &str, commission: &Commission) {
    if matches!(commission.place, Place::Conversion { .. }) {
        plan.convert(commission);
    }
    plan.add_to_day(sequence, commission.paid_at, &[(Counter::Commissions, 1)]);
    let beneficiary = Projection::Member(commission.beneficiary.clone());
    // A part of a payment that is decided again may be undone already.
    let reversed = i64::from(commission.clawed > 0);
    plan.add(beneficiary, sequence, &[(Counter::Rewards, 1), (Counter::Reversed, reversed)]);
    count(plan, sequence, commission, Standing::default());
    plan.mark_due(commission, commission.booked_at);
}

fn moved(plan: &mut Plan, sequence: &str, before: &Commission, after: &Commission) {
    let reversed = i64::from(after.clawed > 0) - i64::from(before.clawed > 0);
    if reversed != 0 {
        let beneficiary = Projection::Member(after.beneficiary.clone());
        plan.add(beneficiary, sequence, &[(Counter::Reversed, reversed)]);
    }
    if matches!(after.place, Place::Conversion { .. }) {
        match (before.is_undone(), after.is_undone()) {
            (false, true) => plan.reopen(after),
            (true, false) => plan.restore(after),
            _ => {}
        }
    }
    count(plan, sequence, after, Standing::of(before));
    if after.is_releasable() && !before.is_releasable() {
        plan.mark_due(after, plan.now);
    }
}

/// Adds the difference between the old and the new amounts of a commission.
fn count(plan: &mut Plan, sequence: &str, commission: &Commission, before: Standing) {
    let after = Standing::of(commission);
    if after == before {
        return;
    }
    let adds = |sum, more: i64| (Counter::of(sum, commission.amount), more);
    let (due, held) = (after.due - before.due, adds(Sum::Held, after.held - before.held));
    plan.add_to_day(sequence, commission.paid_at, &[adds(Sum::Issued, due)]);
    let clawed = adds(Sum::Clawed, after.clawed - before.clawed);
    plan.add(Projection::Totals, sequence, &[held, clawed]);
    let beneficiary = Projection::Member(commission.beneficiary.clone());
    plan.add(beneficiary, sequence, &[adds(Sum::Earned, due), held]);
}

/// The amounts of a commission that are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Standing {
    /// The amount that the beneficiary is entitled to, released or not.
    due: i64,
    /// The part of `due` that is not released yet.
    held: i64,
    /// The amount that reversals clawed back.
    clawed: i64,
}

impl Standing {
    fn of(commission: &Commission) -> Self {
        let due = match commission.state {
            CommissionState::Void { .. } => 0,
            CommissionState::Held | CommissionState::Released { .. } => commission.entitlement().minor(),
        };
        let held = if commission.state == CommissionState::Held { due } else { 0 };
        Self { due, held, clawed: commission.clawed }
    }
}
