//! What a rule grants: a commission that is to be booked, with the rule frozen in it.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{CommissionId, MemberId},
    money::Money,
    payments::Place,
    programs::{Cap, ExchangeRate, Rule},
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
    /// The rate at which the payment counted, when it was in another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<ExchangeRate>,
}

/// A commission that is to be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Deterministic: the same payment and rule give the same id.
    pub commission: CommissionId,
    /// Who gets it.
    pub beneficiary: MemberId,
    /// How much.
    pub amount: Money,
    /// What the amount was computed on: the rule's part of the payment, net of tax.
    pub base: Money,
    /// When it may be released.
    pub due_at: Timestamp,
    /// What guards it.
    pub place: Place,
    /// The rule as it was, with the program's version.
    pub snapshot: RuleSnapshot,
}
