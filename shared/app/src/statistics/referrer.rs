//! A referrer's counters.

use guerdon_domain::{
    money::{Currency, Money},
    statistics::{Counter, Counters, Sum},
};

use crate::context::App;

/// A referrer's counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferralStats {
    /// Number of members whom the referrer referred.
    pub recruits: i64,
    /// Number of those members who have not paid yet.
    pub pending: i64,
    /// Number of those members who have paid.
    pub converted: i64,
    /// Number of those members whose referral expired before a payment.
    pub expired: i64,
    /// Number of rewards booked for the referrer.
    pub rewards: i64,
    /// Sum of all booked commissions minus clawbacks.
    pub earned: Money,
    /// The part of `earned` that is still on hold.
    pub held: Money,
}

/// Reads the statistics from the counters, with rewards in the preset's currency.
pub(crate) fn referral_stats(app: &App, counters: &Counters) -> ReferralStats {
    stats_in(app.preset.currency, counters)
}

pub(crate) fn stats_in(currency: Currency, counters: &Counters) -> ReferralStats {
    ReferralStats {
        recruits: counters.get(Counter::Recruits),
        pending: counters.get(Counter::Pending),
        converted: counters.get(Counter::Converted),
        expired: counters.get(Counter::Expired),
        rewards: counters.get(Counter::Rewards),
        earned: counters.money(Sum::Earned, currency),
        held: counters.money(Sum::Held, currency),
    }
}
