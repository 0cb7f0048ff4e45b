//! Projection of created and paid orders, and of their list by state.

use guerdon_domain::{
    payments::{Order, OrderState},
    statistics::Counter,
};
use guerdon_store::statistics::Listed;

use super::{Changed, plan::Plan};

pub(super) fn changed(plan: &mut Plan, change: &Changed<'_, Order>) {
    let Some(order) = change.after else { return };
    plan.lines.moved(change.before, change.after, lines_of);
    let before = change.before.map(|order| order.state());
    if before.is_none() {
        let adds = [(Counter::Orders, 1), (Counter::OrdersBy(order.method), 1)];
        plan.add_to_day(change.sequence, order.created_at, &adds);
    }
    if order.state() == OrderState::Paid && before != Some(OrderState::Paid) {
        // On the day of the order, so that no day has more paid orders than orders.
        let adds = [(Counter::OrdersPaid, 1), (Counter::OrdersPaidBy(order.method), 1)];
        plan.add_to_day(change.sequence, order.created_at, &adds);
    }
}

fn lines_of(order: &Order) -> Vec<Listed> {
    vec![Listed::order(order.state(), order.created_at, &order.id)]
}
