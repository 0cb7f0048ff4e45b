//! A referrer's counters.

use guerdon_domain::money::{Currency, Money};
use guerdon_store::statistics::Counters;

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

/// Reads the counters' names, rewards in the preset's currency.
pub(crate) fn referral_stats(app: &App, counters: &Counters) -> ReferralStats {
    stats_in(app.preset.currency, counters)
}

pub(crate) fn stats_in(currency: Currency, counters: &Counters) -> ReferralStats {
    let count = |name: &str| counters.get(name).copied().unwrap_or_default();
    let money = |word: &str| Money::new(count(&format!("{word}_{currency}")), currency);
    ReferralStats {
        recruits: count("recruits"),
        pending: count("pending"),
        converted: count("converted"),
        expired: count("expired"),
        rewards: count("rewards"),
        earned: money("earned"),
        held: money("held"),
    }
}
