//! A payment on record: recorded once, with its trace and all that was ever said about its undoing.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{MemberId, OrderId, PaymentKey},
    money::Money,
    payments::{Candidate, PaymentFacts, PaymentLine, Purpose, Refusal, Reversals, Verdict},
    time::Timestamp,
};

/// Money that settled, recorded once, with its explain trace and all that was ever said about its undoing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRecord {
    /// The natural key.
    pub payment: PaymentKey,
    /// Who paid.
    pub member: MemberId,
    /// What it was for.
    #[serde(default, skip_serializing_if = "Purpose::is_purchase")]
    pub purpose: Purpose,
    /// What settled, tax included.
    pub paid: Money,
    /// Tax within it.
    pub tax: Money,
    /// List price of the tier.
    pub tier: Money,
    /// What it costs to make, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// What was bought, where a rule may ask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<PaymentLine>,
    /// When it settled.
    pub paid_at: Timestamp,
    /// When we first heard of it.
    pub known_at: Timestamp,
    /// When we recorded it.
    pub recorded_at: Timestamp,
    /// The program's version that decided.
    pub program_version: u32,
    /// What each rule said.
    pub trace: Vec<Candidate>,
    /// What undid it.
    #[serde(default, skip_serializing_if = "Reversals::is_empty")]
    pub reversals: Reversals,
    /// The order that it paid for, where a service made one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The event that it was recorded because of, for those who search the logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

impl PaymentRecord {
    /// What the payment was decided on.
    pub fn facts(&self) -> PaymentFacts {
        PaymentFacts {
            key: self.payment.clone(),
            member: self.member.clone(),
            purpose: self.purpose,
            paid: self.paid,
            tax: self.tax,
            tier: self.tier,
            lines: self.lines.clone(),
            cost: self.cost.unwrap_or(Money::zero(self.tier.currency())),
            paid_at: self.paid_at,
            known_at: self.known_at,
        }
    }

    /// What was granted: rule, level, beneficiary and reward.
    pub fn grants(&self) -> impl Iterator<Item = (&Candidate, &MemberId, Money)> {
        self.trace.iter().filter_map(|candidate| match &candidate.verdict {
            Verdict::Granted { beneficiary, reward, .. } => Some((candidate, beneficiary, *reward)),
            Verdict::Refused { .. } => None,
        })
    }

    /// Why nothing was granted: what the first rule said. A program without rules gives no reason.
    pub fn refusal(&self) -> Option<Refusal> {
        self.trace.iter().find_map(|candidate| match candidate.verdict {
            Verdict::Refused { reason } if self.grants().next().is_none() => Some(reason),
            _ => None,
        })
    }
}
