//! A referrer's counters.

use guerdon_domain::{
    money::{Currency, Money},
    statistics::{Counter, Counters, Sum},
};

use crate::context::App;

/// A referrer's counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferralStats {
    /// Members they brought.
    pub recruits: i64,
    /// Of these, how many have not paid yet.
    pub pending: i64,
    /// Of these, how many have paid.
    pub converted: i64,
    /// Of these, how many ran out of time.
    pub expired: i64,
    /// Rewards booked for them.
    pub rewards: i64,
    /// All commissions booked so far.
    pub earned: Money,
    /// Of these, what is still on hold.
    pub held: Money,
}

/// Reads the counters, rewards in the preset's currency.
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
