//! Limits: the most that one beneficiary, or the whole program, may be released within a period.

use crate::{
    ids::{MemberId, RuleId},
    programs::{Cap, RuleSnapshot},
    time::Timestamp,
};

/// The scope of a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limit {
    /// For one beneficiary under one rule.
    Member(MemberId, RuleId),
    /// For the whole program.
    Budget,
}

impl RuleSnapshot {
    /// Lists the limits that bind a commission of `beneficiary` for a payment at `paid_at`, each with the
    /// period that the payment falls into.
    pub fn limits(&self, beneficiary: &MemberId, paid_at: Timestamp) -> Vec<(Limit, Cap, String)> {
        let member = Limit::Member(beneficiary.clone(), self.rule.id.clone());
        let own = self.rule.cap_member.map(|cap| (member, cap));
        let budget = self.budget.map(|cap| (Limit::Budget, cap));
        let dated = |(limit, cap): (Limit, Cap)| (limit, cap, cap.per.key(paid_at));
        own.into_iter().chain(budget).map(dated).collect()
    }
}
