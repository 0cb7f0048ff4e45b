//! Projection of payments, reversals and failed attempts, and of the lists of payments.

use guerdon_domain::{
    ids::Rail,
    money::Money,
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
    let foreign = in_account(Sum::ForeignPaid, payment, payment.paid);
    adds.extend(foreign);
    adds.extend(payment.cost.and_then(|cost| in_account(Sum::ForeignCost, payment, cost)));
    plan.add_to_day(sequence, at, &adds);
    let by_payer: Vec<_> = [(Counter::Payments, 1), paid].into_iter().chain(foreign).collect();
    plan.add(Projection::Payer(payment.member.clone()), sequence, &by_payer);
}

/// Counts a change of the reversed amount on the payment's day, as the commissions that it takes back are.
fn undone(plan: &mut Plan, sequence: &str, before: &PaymentRecord, after: &PaymentRecord) {
    costs(plan, sequence, before, after);
    if after.payment.rail == Rail::Manual {
        return;
    }
    let undone = |payment: &PaymentRecord| payment.reversals.undone(payment.paid);
    let more = undone(after).minor() - undone(before).minor();
    if more == 0 {
        return;
    }
    let mut refunded = vec![(Counter::of(Sum::Refunded, after.paid), more)];
    let in_account = |payment| in_account(Sum::ForeignRefunded, payment, undone(payment));
    if let (Some((_, was)), Some((counter, is))) = (in_account(before), in_account(after)) {
        refunded.push((counter, is - was));
    }
    plan.add_to_day(sequence, after.paid_at, &refunded);
    plan.add(Projection::Payer(after.member.clone()), sequence, &refunded);
}

/// What a part of a payment in another currency adds to a sum in the currency of account.
fn in_account(sum: Sum, payment: &PaymentRecord, part: Money) -> Option<(Counter, i64)> {
    let account = payment.in_account(part)?;
    Some((Counter::of(sum, account), account.minor()))
}

/// Counts a cost that became known after the payment, on the payment's day.
fn costs(plan: &mut Plan, sequence: &str, before: &PaymentRecord, after: &PaymentRecord) {
    if before.cost == after.cost || after.payment.rail == Rail::Manual {
        return;
    }
    let known = before.cost.map(|cost| (Counter::of(Sum::Cost, cost), -cost.minor()));
    let now = after.cost.map(|cost| (Counter::of(Sum::Cost, cost), cost.minor()));
    let mut adds: Vec<_> = known.into_iter().chain(now).collect();
    let foreign = |payment: &PaymentRecord| in_account(Sum::ForeignCost, payment, payment.cost?);
    adds.extend(foreign(before).map(|(counter, minor)| (counter, -minor)));
    adds.extend(foreign(after));
    plan.add_to_day(sequence, after.paid_at, &adds);
}
