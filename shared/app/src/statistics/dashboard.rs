//! Business figures for today and for all time. The cost does not depend on the amount of data: the figures
//! come from counters that the stream updates, and from the oldest withdrawal of each state.

use std::collections::BTreeMap;

use guerdon_domain::{
    ids::Rail,
    money::{Currency, Money},
    payments::PaymentMethod,
    statistics::{Counter, Counters, Sum},
    time::Timestamp,
    withdrawals::WithdrawalState,
};
use guerdon_store::{statistics::Projection, table::metered};

use crate::{context::App, error::AppError};

/// Figures of one day or of all time.
///
/// Everything counts on the UTC day of what it began with: a conversion on the day of the joining, a paid order on the
/// day of the order, a refund, a cost and a commission, less what is taken back of it, on the day of the payment. So no rate
/// of a day exceeds 100%, and a day's profit is that of its own payments, whenever they are refunded.
///
/// Amounts are in the preset's currency, the currency of account. A payment in another one counts by its own rate, which is
/// that of the program's version that decided it; without a rate it is among the sums by currency only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Number of clicks on shared links.
    pub clicks: i64,
    /// Number of those clicks that were a visitor's first click.
    pub visitors: i64,
    /// Number of members who joined.
    pub members: i64,
    /// Number of those members who joined with a code.
    pub referrals: i64,
    /// Number of those referrals that have converted by now.
    pub converted: i64,
    /// Number of orders that services created.
    pub orders: i64,
    /// Number of those orders that are paid by now.
    pub orders_paid: i64,
    /// Number of payments on all rails.
    pub payments: i64,
    /// Sum of the payments minus reversals.
    pub revenue: Money,
    /// Sum of what was undone of these payments.
    pub refunded: Money,
    /// Cost of the sold products.
    pub cost: Money,
    /// Revenue minus cost.
    pub profit: Money,
    /// Number of booked commissions.
    pub commissions: i64,
    /// Sum of the commissions minus clawbacks.
    pub commission_amount: Money,
    /// Profit minus commissions.
    pub profit_after_commissions: Money,
    /// Sum of the paid withdrawals.
    pub paid_out: Money,
    /// The sums of each currency, as they were paid and granted.
    pub by_currency: Vec<Sums>,
}

/// The sums of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    /// Sum of the payments minus reversals.
    pub revenue: Money,
    /// Sum of what was undone of these payments.
    pub refunded: Money,
    /// Cost of the sold products.
    pub cost: Money,
    /// Sum of the commissions minus clawbacks.
    pub commission_amount: Money,
}

/// Withdrawals of a state that is not final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The state.
    pub state: WithdrawalState,
    /// Number of withdrawals in this state.
    pub count: i64,
    /// Sum of these withdrawals.
    pub amount: Money,
    /// Request time of the oldest of these withdrawals.
    pub oldest: Option<Timestamp>,
}

/// Figures for today and for all time, and the open withdrawals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dashboard {
    /// The current UTC day.
    pub today: Figures,
    /// All time.
    pub overall: Figures,
    /// Sum of the commissions that are not released yet.
    pub pending_commissions: Money,
    /// The withdrawals that are not final, by state.
    pub waiting: Vec<Waiting>,
    /// Number of paid withdrawals.
    pub withdrawals_paid: i64,
    /// Average time from request to payment, in seconds; `None` before the first payment.
    pub withdrawal_seconds: Option<i64>,
    /// Number of clicks that were not kept, because their source made too many.
    pub clicks_not_kept: i64,
    /// Number of valid codes.
    pub active_codes: i64,
}

/// Success of one payment method, for one day or for all time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Success {
    /// The rail, or the payment method of an order.
    pub way: &'static str,
    /// Number of attempts: created orders, or payments and failures that a provider reported.
    pub attempts: i64,
    /// Number of paid attempts.
    pub paid: i64,
}

/// Success of each payment method. Methods without attempts are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitoring {
    /// The current UTC day.
    pub today: Vec<Success>,
    /// All time.
    pub overall: Vec<Success>,
}

/// Returns the dashboard's figures, in the preset's currency.
pub async fn dashboard(app: &App) -> Result<Dashboard, AppError> {
    metered("dashboard", async {
        let (totals, today) = counters(app).await?;
        let currency = app.preset.currency;
        let mut waiting = Vec::new();
        for state in [WithdrawalState::Requested, WithdrawalState::Approved, WithdrawalState::Paying] {
            let oldest = app.store.withdrawals().in_state(state, None, 1).await?;
            waiting.push(Waiting {
                state,
                count: totals.get(Counter::Withdrawals(state)),
                amount: totals.money(Sum::Withdrawn(state), currency),
                oldest: oldest.first().map(|withdrawal| withdrawal.requested_at),
            });
        }
        let paid = totals.get(Counter::Withdrawals(WithdrawalState::Paid));
        Ok(Dashboard {
            today: figures(&today, currency)?,
            overall: figures(&totals, currency)?,
            clicks_not_kept: totals.get(Counter::ClicksNotKept),
            pending_commissions: totals.money(Sum::Held, currency),
            waiting,
            withdrawals_paid: paid,
            withdrawal_seconds: totals.get(Counter::WithdrawalSeconds).checked_div(paid),
            active_codes: totals.get(Counter::Codes).saturating_sub(totals.get(Counter::CodesExpired)),
        })
    })
    .await
}

/// Returns the success of each payment method, for today and for all time.
pub async fn payment_monitoring(app: &App) -> Result<Monitoring, AppError> {
    metered("payment_monitoring", async {
        let (totals, today) = counters(app).await?;
        Ok(Monitoring { today: successes(&today), overall: successes(&totals) })
    })
    .await
}

/// Reads the total counters and the counters of today.
async fn counters(app: &App) -> Result<(Counters, Counters), AppError> {
    let totals = app.store.statistics().counters(&Projection::Totals).await?;
    Ok((totals, app.store.statistics().counters(&Projection::Day(app.now().day())).await?))
}

fn successes(counters: &Counters) -> Vec<Success> {
    let methods = PaymentMethod::ALL.into_iter().map(|method| {
        let attempts = counters.get(Counter::OrdersBy(method));
        Success { way: method.as_str(), attempts, paid: counters.get(Counter::OrdersPaidBy(method)) }
    });
    let rails = [Rail::Stripe, Rail::Stars, Rail::Btc, Rail::Ltc].into_iter().map(|rail| {
        let paid = counters.get(Counter::PaymentsBy(rail));
        let attempts = paid.saturating_add(counters.get(Counter::FailedBy(rail)));
        Success { way: rail.as_str(), attempts, paid }
    });
    rails.chain(methods).filter(|way| way.attempts > 0 || way.paid > 0).collect()
}

fn figures(counters: &Counters, currency: Currency) -> Result<Figures, AppError> {
    let sum = |sum| counters.money(sum, currency);
    let with_foreign = |own, foreign| sum(own).checked_add(sum(foreign));
    let refunded = with_foreign(Sum::Refunded, Sum::ForeignRefunded)?;
    let revenue = with_foreign(Sum::Paid, Sum::ForeignPaid)?.checked_sub(refunded)?;
    let cost = with_foreign(Sum::Cost, Sum::ForeignCost)?;
    let profit = revenue.checked_sub(cost)?;
    let commission_amount = sum(Sum::Issued);
    Ok(Figures {
        clicks: counters.get(Counter::Clicks),
        visitors: counters.get(Counter::Visitors),
        members: counters.get(Counter::Members),
        referrals: counters.get(Counter::Referrals),
        converted: counters.get(Counter::Converted),
        orders: counters.get(Counter::Orders),
        orders_paid: counters.get(Counter::OrdersPaid),
        payments: counters.get(Counter::Payments),
        revenue,
        refunded,
        cost,
        profit,
        commissions: counters.get(Counter::Commissions),
        commission_amount,
        profit_after_commissions: profit.checked_sub(commission_amount)?,
        paid_out: sum(Sum::Withdrawn(WithdrawalState::Paid)),
        by_currency: by_currency(counters)?,
    })
}

/// The sums of each currency, by its code.
fn by_currency(counters: &Counters) -> Result<Vec<Sums>, AppError> {
    let known = [Sum::Paid, Sum::Refunded, Sum::Cost, Sum::Issued].map(|sum| counters.sums(sum));
    let moved = known.into_iter().flatten().filter(|money| !money.is_zero());
    let currencies: BTreeMap<String, Currency> =
        moved.map(|money| (money.currency().to_string(), money.currency())).collect();
    let of = |currency| {
        let sum = |sum| counters.money(sum, currency);
        let refunded = sum(Sum::Refunded);
        let revenue = sum(Sum::Paid).checked_sub(refunded)?;
        Ok(Sums { revenue, refunded, cost: sum(Sum::Cost), commission_amount: sum(Sum::Issued) })
    };
    currencies.into_values().map(of).collect()
}
