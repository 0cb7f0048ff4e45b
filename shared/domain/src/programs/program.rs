//! The program: the rules in force, with the rates that convert other currencies.

use serde::{Deserialize, Serialize};

use crate::{
    exchange::ExchangeRate,
    money::{Currency, Money},
    programs::{Beneficiary, Cap, Rule},
};

/// The rules in force. A change makes a new version and never changes booked commissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The version: 1 for the preset's own rules, then one more for each change.
    pub version: u32,
    /// The rules. Each is considered for every payment, in this order. Without rules there are no referral
    /// rewards.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Switches level 2 on: uplines are rewarded too. Off by default, because Telegram forbids schemes of
    /// many levels; there is no level 3.
    #[serde(default)]
    pub second_level: bool,
    /// An upline who has not paid within this many days before the payment is skipped. Absent: no upline is
    /// skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upline_active_days: Option<i64>,
    /// The most that the whole program may release within a period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Cap>,
    /// The rates for payments in other currencies. A payment in a currency without a rate earns nothing, and
    /// its trace gives that reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<ExchangeRate>,
}

impl Program {
    /// Returns the rule that texts describe: the first that rewards the referrer.
    pub fn headline(&self) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.beneficiary == Beneficiary::Referrer)
    }

    /// The rate by which amounts in `from` count in `to`.
    pub fn rate(&self, from: Currency, to: Currency) -> Option<ExchangeRate> {
        self.rates.iter().find(|rate| rate.from == from && rate.to == to).copied()
    }

    /// The same program with some of its rules.
    #[must_use]
    pub fn with_rules(&self, wanted: impl Fn(&Rule) -> bool) -> Self {
        let rules = self.rules.iter().filter(|rule| wanted(rule)).cloned().collect();
        Self { rules, ..self.clone() }
    }

    /// Converts an amount in another currency to `account`, by the program's rate. Nothing for an amount in `account`
    /// itself, and without a rate that gives a number.
    pub fn convert(&self, amount: Money, account: Currency) -> Option<Money> {
        let foreign = amount.currency() != account;
        self.rate(amount.currency(), account).filter(|_| foreign)?.convert(amount).ok()
    }
}
