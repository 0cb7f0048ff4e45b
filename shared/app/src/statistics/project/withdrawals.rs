//! Projection of withdrawals: counters by state, the list, and audit lines of operators' actions.

use guerdon_domain::{
    statistics::{Counter, Sum},
    withdrawals::{Step, Withdrawal, WithdrawalState},
};
use guerdon_store::statistics::{Listed, Projection};

use crate::audit::{Line, line as audit_line};

use super::{Changed, plan::Plan};

pub(super) fn changed(plan: &mut Plan, change: &Changed<'_, Withdrawal>) {
    let Some(after) = change.after else { return };
    plan.lines.moved(change.before, change.after, lines_of);
    if let Some(before) = change.before {
        audit(plan, before, after);
    }
    let before = change.before.map(|withdrawal| withdrawal.state());
    if before != Some(after.state()) {
        count(plan, change.sequence, before, after);
    }
}

fn lines_of(withdrawal: &Withdrawal) -> Vec<Listed> {
    vec![Listed::withdrawal(withdrawal)]
}

/// Writes the audit line of an operator who changed a withdrawal's state.
fn audit(plan: &mut Plan, before: &Withdrawal, after: &Withdrawal) {
    let stamp = match &after.step {
        Step::Approved { approved } => Some(approved),
        Step::Paying(claim) => Some(&claim.claimed),
        ended => ended.closed(),
    };
    let Some(stamp) = stamp.filter(|_| before.state() != after.state()) else { return };
    let (from, to) = (before.state().as_str(), after.state().as_str());
    let reason = after.step.reason().or_else(|| after.step.proof()).unwrap_or_default();
    let line = Line::new(format!("withdrawal.{to}")).about(after.member.clone()).because(reason);
    let line = line.states([from, to].map(|state| format!("\"{state}\"")));
    plan.audit(audit_line(format!("{}-{to}", after.id), stamp.at, &stamp.by, line));
}

/// Counts withdrawals and their amounts by state, and the time from request to payment.
fn count(plan: &mut Plan, sequence: &str, before: Option<WithdrawalState>, after: &Withdrawal) {
    let minor = after.amount.minor();
    let counters = |state| (Counter::Withdrawals(state), Counter::of(Sum::Withdrawn(state), after.amount));
    let (number, sum) = counters(after.state());
    let mut adds = vec![(number, 1), (sum, minor)];
    if let Some(before) = before {
        let (number, sum) = counters(before);
        adds.extend([(number, -1), (sum, -minor)]);
    }
    if let Step::Paid { closed, .. } = &after.step {
        let millis = closed.at.millis().saturating_sub(after.requested_at.millis());
        adds.push((Counter::WithdrawalSeconds, millis / 1000));
    }
    plan.add(Projection::Totals, sequence, &adds);
    if let Step::Paid { closed, .. } = &after.step {
        plan.add(Projection::Day(closed.at.day()), sequence, &[(number, 1), (sum, minor)]);
    }
}
