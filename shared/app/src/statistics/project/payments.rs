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
        (Some(before), Some(after)) => moved(plan, change.sequence, before, after),
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
    let foreign = in_account(Sum::ForeignPaid, payment, payment.paid);
    adds.extend(foreign);
    adds.extend(cost_of(payment));
    plan.add_to_day(sequence, at, &adds);
    let by_payer: Vec<_> = [(Counter::Payments, 1), paid].into_iter().chain(foreign).collect();
    plan.add(Projection::Payer(payment.member.clone()), sequence, &by_payer);
}

/// Counts a change of the reversed amount, or of the cost, on the payment's day, as the commissions are.
fn moved(plan: &mut Plan, sequence: &str, before: &PaymentRecord, after: &PaymentRecord) {
    if after.payment.rail == Rail::Manual {
        return;
    }
    if before.cost != after.cost {
        // The cost became known after the payment. It counts on the payment's day, too.
        let was = cost_of(before).map(|(counter, minor)| (counter, -minor));
        plan.add_to_day(sequence, after.paid_at, &was.chain(cost_of(after)).collect::<Vec<_>>());
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

/// What the cost of a payment adds, in its own currency and, from another one, in the currency of account.
fn cost_of(payment: &PaymentRecord) -> impl Iterator<Item = (Counter, i64)> {
    let own = payment.cost.map(|cost| (Counter::of(Sum::Cost, cost), cost.minor()));
    let foreign = payment.cost.and_then(|cost| in_account(Sum::ForeignCost, payment, cost));
    own.into_iter().chain(foreign)
}
