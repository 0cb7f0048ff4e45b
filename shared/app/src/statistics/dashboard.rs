//! The figures of the business, today and over all. They cost the same at any size: counters that the stream keeps,
//! and the oldest withdrawal of each kind.

use guerdon_domain::{
    ids::Rail,
    money::{Currency, Money},
    payments::PaymentMethod,
    time::Timestamp,
    withdrawals::WithdrawalState,
};
use guerdon_store::{
    statistics::{Counters, Projection},
    table::metered,
};

use crate::{context::App, error::AppError, statistics::count};

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
                count: count(&totals, &format!("withdrawals_{}", state.as_str())),
                amount: money(&totals, &format!("withdrawn_{}", state.as_str()), currency),
                oldest: oldest.first().map(|withdrawal| withdrawal.requested_at),
            });
        }
        let paid = count(&totals, "withdrawals_paid");
        Ok(Dashboard {
            today: figures(&today, currency)?,
            overall: figures(&totals, currency)?,
            pending_commissions: money(&totals, "held", currency),
            waiting,
            withdrawals_paid: paid,
            withdrawal_seconds: count(&totals, "withdrawal_seconds").checked_div(paid),
            active_codes: count(&totals, "codes").saturating_sub(count(&totals, "codes_expired")),
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
        let way = method.as_str();
        let of = |word: &str| count(counters, &format!("{word}_{way}"));
        Success { way, attempts: of("orders"), paid: of("orders_paid") }
    });
    let rails = [Rail::Stripe, Rail::Stars, Rail::Btc, Rail::Ltc].into_iter().map(|rail| {
        let way = rail.as_str();
        let paid = count(counters, &format!("payments_{way}"));
        Success { way, attempts: paid.saturating_add(count(counters, &format!("failed_{way}"))), paid }
    });
    rails.chain(methods).filter(|way| way.attempts > 0 || way.paid > 0).collect()
}

fn figures(counters: &Counters, currency: Currency) -> Result<Figures, AppError> {
    let of = |name: &str| count(counters, name);
    let sum = |word: &str| money(counters, word, currency);
    let revenue = sum("paid").checked_sub(sum("refunded"))?;
    let profit = revenue.checked_sub(sum("cost"))?;
    let commission_amount = sum("issued");
    Ok(Figures {
        clicks: of("clicks"),
        visitors: of("visitors"),
        members: of("members"),
        referrals: of("referrals"),
        converted: of("converted"),
        orders: of("orders"),
        orders_paid: of("orders_paid"),
        payments: of("payments"),
        revenue,
        refunded: sum("refunded"),
        cost: sum("cost"),
        profit,
        commissions: of("commissions"),
        commission_amount,
        profit_after_commissions: profit.checked_sub(commission_amount)?,
        paid_out: sum("withdrawn_paid"),
    })
}

fn money(counters: &Counters, word: &str, currency: Currency) -> Money {
    Money::new(count(counters, &format!("{word}_{currency}")), currency)
}
