//! Grants: commissions that are to be booked, each with its rule frozen.

use serde::{Deserialize, Serialize};

use crate::{
    exchange::ExchangeRate,
    ids::{CommissionId, MemberId},
    money::Money,
    payments::Place,
    programs::{Cap, Rule},
    time::Timestamp,
};

/// The rule that granted a commission, frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSnapshot {
    /// The program's version.
    pub version: u32,
    /// 1 for the referrer, 2 for the upline, 0 for the payer.
    pub level: u8,
    /// The rule.
    pub rule: Rule,
    /// The program's budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Cap>,
    /// The rate by which the payment was converted, if it was in another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<ExchangeRate>,
}

/// A commission that is to be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Deterministic: the same payment and rule give the same id.
    pub commission: CommissionId,
    /// The member who gets it.
    pub beneficiary: MemberId,
    /// The amount.
    pub amount: Money,
    /// The amount that the reward was computed from: the rule's part of the payment, net of tax.
    pub base: Money,
    /// The instant from which it may be released.
    pub due_at: Timestamp,
    /// The place: the key under which only one commission can exist.
    pub place: Place,
    /// The rule at the time of the payment, with the program's version.
    pub snapshot: RuleSnapshot,
}
