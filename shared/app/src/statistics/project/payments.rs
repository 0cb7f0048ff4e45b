//! Projection of payments, reversals and failed attempts, and of the lists of payments.

use guerdon_domain::{
    ids::Rail,
    payments::PaymentRecord,
    statistics::{Counter, Sum},
};
use guerdon_store::{
    payments::{FailedPayment, PaymentLink},
    statistics::Projection,
};

use super::{Changed, plan::Plan};

pub(super) fn changed(plan: &mut Plan, change: &Changed<'_, PaymentRecord>) {
    match (change.before, change.after) {
        (None, Some(payment)) => paid(plan, change.sequence, payment),
        (Some(before), Some(after)) => undone(plan, change.sequence, before, after),
        _ => {}
    }
}

pub(super) fn failed(plan: &mut Plan, change: &Changed<'_, FailedPayment>) {
    let (None, Some(failed)) = (change.before, change.after) else { return };
    plan.add_to_day(change.sequence, failed.at, &[(Counter::FailedBy(failed.rail), 1)]);
}

fn paid(plan: &mut Plan, sequence: &str, payment: &PaymentRecord) {
    let at = payment.paid_at;
    plan.list_payment(PaymentLink::of(payment));
    // A payment that only an operator confirmed is not counted as revenue.
    if payment.payment.rail == Rail::Manual {
        return;
    }
    let paid = (Counter::of(Sum::Paid, payment.paid), payment.paid.minor());
    let mut adds = vec![(Counter::Payments, 1), (Counter::PaymentsBy(payment.payment.rail), 1), paid];
    adds.extend(payment.cost.map(|cost| (Counter::of(Sum::Cost, cost), cost.minor())));
    plan.add_to_day(sequence, at, &adds);
    plan.add(Projection::Payer(payment.member.clone()), sequence, &[(Counter::Payments, 1), paid]);
}

/// Counts a change of the reversed amount on the current day, when it became known.
fn undone(plan: &mut Plan, sequence: &str, before: &PaymentRecord, after: &PaymentRecord) {
    let undone = |payment: &PaymentRecord| payment.reversals.undone(payment.paid).minor();
    costs(plan, sequence, before, after);
    let more = undone(after) - undone(before);
    if more != 0 && after.payment.rail != Rail::Manual {
        let refunded = [(Counter::of(Sum::Refunded, after.paid), more)];
        plan.add_to_day(sequence, plan.now, &refunded);
        plan.add(Projection::Payer(after.member.clone()), sequence, &refunded);
    }
}

/// Counts a cost that became known after the payment, on the payment's day.
fn costs(plan: &mut Plan, sequence: &str, before: &PaymentRecord, after: &PaymentRecord) {
    if before.cost == after.cost || after.payment.rail == Rail::Manual {
        return;
    }
    let known = before.cost.map(|cost| (Counter::of(Sum::Cost, cost), -cost.minor()));
    let now = after.cost.map(|cost| (Counter::of(Sum::Cost, cost), cost.minor()));
    let adds: Vec<_> = known.into_iter().chain(now).collect();
    plan.add_to_day(sequence, after.paid_at, &adds);
}
