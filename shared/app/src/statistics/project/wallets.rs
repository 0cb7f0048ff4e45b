//! Projection of wallet entries: adjustments by operators, credit used by invoices, paid withdrawals and owed
//! amounts.

use guerdon_domain::{
    statistics::{Counter, Sum},
    wallets::{Entry, EntryKind},
};
use guerdon_store::statistics::Projection;

use super::{Changed, plan::Plan};

pub(super) fn changed(plan: &mut Plan, change: &Changed<'_, Entry>) {
    let (None, Some(entry)) = (change.before, change.after) else { return };
    let house = entry.house.map_or(0, |(_, minor)| minor);
    let counter = |sum| Counter::Sum(sum, entry.currency);
    match entry.kind {
        EntryKind::Adjusted { .. } => {
            let given = [(counter(Sum::Adjusted), house.saturating_neg())];
            plan.add(Projection::Totals, change.sequence, &given);
            plan.add(Projection::Member(entry.member.clone()), change.sequence, &given);
        }
        EntryKind::CreditApplied { .. } | EntryKind::CreditReturned { .. } => {
            plan.add(Projection::Totals, change.sequence, &[(counter(Sum::Applied), house)]);
        }
        EntryKind::WithdrawalPaid { .. } => {
            plan.add(Projection::Totals, change.sequence, &[(counter(Sum::PaidOut), house)]);
        }
        _ => {}
    }
    if entry.delta.owed != 0 {
        plan.add(Projection::Totals, change.sequence, &[(counter(Sum::Owed), entry.delta.owed)]);
    }
}
