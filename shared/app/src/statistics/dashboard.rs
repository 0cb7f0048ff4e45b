//! The figures of the business, today and over all. They cost the same at any size: counters that the stream keeps,
//! and the oldest withdrawal of each kind.

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

/// What happened within a day, or ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Clicks of people on shared links.
    pub clicks: i64,
    /// Of these, first ones.
    pub visitors: i64,
    /// Members who joined.
    pub members: i64,
    /// Of these, through a code.
    pub referrals: i64,
    /// Referrals that paid.
    pub converted: i64,
    /// Orders that services made.
    pub orders: i64,
    /// Orders that were paid.
    pub orders_paid: i64,
    /// Payments of all rails.
    pub payments: i64,
    /// What they came to, less what was undone.
    pub revenue: Money,
    /// What was undone: refunds and disputes, when they became known.
    pub refunded: Money,
    /// What was sold cost to make.
    pub cost: Money,
    /// Revenue less cost.
    pub profit: Money,
    /// Commissions booked.
    pub commissions: i64,
    /// What they come to, less what was taken back.
    pub commission_amount: Money,
    /// Profit less commissions.
    pub profit_after_commissions: Money,
    /// Withdrawals paid out.
    pub paid_out: Money,
}

/// Withdrawals of a state that is not final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The state.
    pub state: WithdrawalState,
    /// How many.
    pub count: i64,
    /// What they come to.
    pub amount: Money,
    /// Since when the longest waiting one waits.
    pub oldest: Option<Timestamp>,
}

/// The dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dashboard {
    /// The running UTC day.
    pub today: Figures,
    /// All time.
    pub overall: Figures,
    /// Commissions that are not released yet.
    pub pending_commissions: Money,
    /// Withdrawals with something left to do.
    pub waiting: Vec<Waiting>,
    /// Withdrawals that were paid out.
    pub withdrawals_paid: i64,
    /// From request to payment, on average; none before the first.
    pub withdrawal_seconds: Option<i64>,
    /// Codes that can be used now.
    pub active_codes: i64,
}

/// How a way of paying does, within a day or ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Success {
    /// Rail, or method of an order.
    pub way: &'static str,
    /// Attempts: orders made, or payments and failures that a provider told.
    pub attempts: i64,
    /// Of these, paid.
    pub paid: i64,
}

/// How each way of paying does, those that were never tried left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitoring {
    /// The running UTC day.
    pub today: Vec<Success>,
    /// All time.
    pub overall: Vec<Success>,
}

/// The dashboard's figures, in the preset's currency.
///
/// # Errors
/// [`AppError`].
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
            pending_commissions: totals.money(Sum::Held, currency),
            waiting,
            withdrawals_paid: paid,
            withdrawal_seconds: totals.get(Counter::WithdrawalSeconds).checked_div(paid),
            active_codes: totals.get(Counter::Codes).saturating_sub(totals.get(Counter::CodesExpired)),
        })
    })
    .await
}

/// How each way of paying does.
///
/// # Errors
/// [`AppError`].
pub async fn payment_monitoring(app: &App) -> Result<Monitoring, AppError> {
    metered("payment_monitoring", async {
        let (totals, today) = counters(app).await?;
        Ok(Monitoring { today: successes(&today), overall: successes(&totals) })
    })
    .await
}

/// Totals and today's.
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
    let revenue = sum(Sum::Paid).checked_sub(sum(Sum::Refunded))?;
    let profit = revenue.checked_sub(sum(Sum::Cost))?;
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
        refunded: sum(Sum::Refunded),
        cost: sum(Sum::Cost),
        profit,
        commissions: counters.get(Counter::Commissions),
        commission_amount,
        profit_after_commissions: profit.checked_sub(commission_amount)?,
        paid_out: sum(Sum::Withdrawn(WithdrawalState::Paid)),
    })
}
