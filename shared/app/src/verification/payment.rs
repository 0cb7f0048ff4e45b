//! Verification of payments: their commissions, their line in the member's list, and their order.

use std::collections::BTreeMap;

use guerdon_domain::{
    commissions::{Commission, CommissionState, VoidReason, clawback_target},
    ids::OrderId,
    payments::{Order, OrderStep, PaymentRecord},
    time::Timestamp,
};
use guerdon_store::{payments::PaymentLink, verification::Verification};

use super::difference::{Difference, Problems};
use crate::{context::App, error::AppError};

/// Time within which the stream brings a change to the items that follow from it, in seconds.
pub(super) const STREAM_SECONDS: i64 = 3600;

fn subject(app: &App, payment: &str) -> String {
    format!("payment {}", app.pseudonyms.log_tag(payment))
}

/// Compares payments with their commissions, and checks that each is listed and belongs to its order.
pub(super) async fn payment_differences(
    (app, reads): (&App, Verification<'_>),
    payments: &[PaymentRecord],
) -> Result<Vec<Difference>, AppError> {
    let links = reads.links(payments).await?;
    let ids: Vec<OrderId> = payments.iter().filter_map(|payment| payment.order.clone()).collect();
    let orders = reads.orders(&ids).await?.into_iter().flatten();
    let orders: BTreeMap<OrderId, Order> = orders.map(|order| (order.id.clone(), order)).collect();
    let mut found = Vec::new();
    for (payment, link) in payments.iter().zip(&links) {
        let commissions =
            if payment.grants().next().is_some() { reads.commissions_of(payment).await? } else { Vec::new() };
        let mut problems = Problems::default();
        grants(payment, &commissions, &mut problems);
        listed(payment, link.as_ref(), app.now(), &mut problems);
        if let Some(id) = &payment.order {
            let paid = orders.get(id).and_then(Order::payment);
            problems.check(paid == Some(&payment.payment), || {
                "the order that it paid for says otherwise".to_owned()
            });
        }
        found.extend(problems.of(&subject(app, &payment.payment.to_string())));
    }
    Ok(found)
}

/// Checks that each grant has its commission, and that its clawback equals the reversed amount.
fn grants(payment: &PaymentRecord, commissions: &[Commission], problems: &mut Problems) {
    let undone = payment.reversals.undone(payment.paid);
    for (candidate, beneficiary, reward) in payment.grants() {
        let rule = &candidate.rule;
        let id = payment.payment.commission(rule, candidate.level).ok();
        let Some(commission) = commissions.iter().find(|commission| Some(&commission.id) == id.as_ref())
        else {
            problems.add(format!("the commission of rule {rule} is missing"));
            continue;
        };
        problems.check(commission.amount == reward && commission.beneficiary == *beneficiary, || {
            format!("the commission of rule {rule} is another")
        });
        let target = match clawback_target(reward, payment.paid, undone) {
            _ if commission.superseded => reward.minor(),
            Ok(target) => target.minor(),
            Err(error) => {
                problems.add(format!("rule {rule}: what was undone cannot be computed: {error}"));
                continue;
            }
        };
        let clawed = commission.clawed;
        problems
            .check(clawed == target, || format!("rule {rule}: {clawed} was clawed back and not {target}"));
        let all = target == reward.minor();
        let void = matches!(commission.state, CommissionState::Void { reason: VoidReason::Reversed, .. });
        problems.check(!void || all, || format!("the commission of rule {rule} is void without a reason"));
        let held = commission.state == CommissionState::Held;
        problems.check(!held || !all, || {
            format!("the commission of rule {rule} is held, and all of it is undone")
        });
        let frozen = held && payment.reversals.is_disputed();
        problems.check(commission.frozen == frozen, || {
            let is =
                if frozen { "not frozen, and its payment is disputed" } else { "frozen without a dispute" };
            format!("the commission of rule {rule} is {is}")
        });
    }
}

/// Checks that the payment is in the list of its member. The stream writes the list a moment later.
fn listed(payment: &PaymentRecord, link: Option<&PaymentLink>, now: Timestamp, problems: &mut Problems) {
    let may_come = now < payment.recorded_at.plus_seconds(STREAM_SECONDS);
    problems
        .check(link.is_some() || may_come, || "it is not in the list of its member's payments".to_owned());
}

/// Compares the lines of lists with the payments that they list. A line has a digest of what settled, which the stream
/// wrote when the payment was new.
pub(super) async fn link_differences(
    (app, reads): (&App, Verification<'_>),
    links: &[PaymentLink],
) -> Result<Vec<Difference>, AppError> {
    let keys: Vec<_> = links.iter().map(|link| link.payment.clone()).collect();
    let payments = reads.payments(&keys).await?;
    let mut found = Vec::new();
    for (link, payment) in links.iter().zip(payments) {
        let mut problems = Problems::default();
        match payment {
            None => problems.add("it is listed, and not on record"),
            Some(payment) => {
                let now = payment.digest();
                let changed = link.digest.as_ref().filter(|digest| **digest != now);
                problems.check(changed.is_none(), || {
                    let then = changed.map(String::as_str).unwrap_or_default();
                    format!("what settled has digest {now}, it was listed with {then}")
                });
                let same = (&payment.member, payment.paid_at) == (&link.member, link.paid_at);
                problems.check(same, || "it is listed for another member or another time".to_owned());
            }
        }
        found.extend(problems.of(&subject(app, &link.payment.to_string())));
    }
    Ok(found)
}

/// Checks that the payment of each paid order is on record, of the order's price and member, and names the order.
pub(super) async fn order_differences(
    (app, reads): (&App, Verification<'_>),
    orders: &[Order],
) -> Result<Vec<Difference>, AppError> {
    let paid = |order: &Order| match &order.step {
        OrderStep::Paid { payment, .. } => Some((order.clone(), payment.clone())),
        OrderStep::Pending => None,
    };
    let (orders, keys): (Vec<Order>, Vec<_>) = orders.iter().filter_map(paid).unzip();
    let payments = reads.payments(&keys).await?;
    let mut found = Vec::new();
    for (order, payment) in orders.iter().zip(payments) {
        let mut problems = Problems::default();
        match payment {
            None => problems.add("its payment is not on record"),
            Some(payment) => {
                problems.check(payment.order.as_ref() == Some(&order.id), || {
                    "its payment names another".to_owned()
                });
                problems
                    .check(payment.member == order.member, || "its payment is another member's".to_owned());
                problems.check(payment.paid == order.price, || {
                    format!("its price is {}, {} was paid", order.price, payment.paid)
                });
            }
        }
        found.extend(problems.of(&format!("order {}", app.pseudonyms.log_tag(order.id.as_str()))));
    }
    Ok(found)
}
