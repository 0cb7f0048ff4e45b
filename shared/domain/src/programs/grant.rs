//! Grants: commissions that are to be booked, each with its rule frozen.

use serde::{Deserialize, Serialize};

use crate::{
    exchange::ExchangeRate,
    ids::{CommissionId, MemberId},
    money::{Money, MoneyError},
    payments::{PaymentFacts, Place},
    programs::{Cap, Program, Rule},
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

impl RuleSnapshot {
    /// Computes the base and the reward of a payment again, by the frozen rule and rate.
    ///
    /// # Errors
    /// [`MoneyError`] when amounts do not fit or combine.
    pub fn recompute(&self, payment: &PaymentFacts) -> Result<(Money, Money), MoneyError> {
        let net = payment.net_of(&self.rule.products)?;
        let base = self.exchange.map_or(Ok(net), |rate| rate.convert(net))?;
        let cost = self.rule.cost_of(payment, base, self.exchange)?;
        Ok((base, self.rule.amount_for(base, cost.unwrap_or(Money::zero(base.currency())))?))
    }

    /// True when the snapshot is that of one of the program's rules.
    pub fn is_of(&self, program: &Program) -> bool {
        let rate_is_known = |rate: &ExchangeRate| program.rates.contains(rate);
        self.version == program.version
            && self.level == self.rule.beneficiary.level()
            && program.rules.contains(&self.rule)
            && self.budget == program.budget
            && self.exchange.as_ref().is_none_or(rate_is_known)
    }
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
