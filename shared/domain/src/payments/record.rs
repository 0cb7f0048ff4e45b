//! A payment on record: recorded once, with its trace and all its reversals.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    ids::{MemberId, OrderId, PaymentKey},
    money::Money,
    payments::{Candidate, PaymentFacts, PaymentLine, Purpose, Refusal, Reversals, Verdict},
    stored::is_default,
    time::Timestamp,
};

/// Money that settled, recorded once, with its trace and all its reversals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRecord {
    /// The natural key.
    pub payment: PaymentKey,
    /// The payer.
    pub member: MemberId,
    /// The purpose.
    #[serde(default, skip_serializing_if = "Purpose::is_purchase")]
    pub purpose: Purpose,
    /// The amount that settled, tax included.
    pub paid: Money,
    /// The same amount as the payer saw it, where that was in another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presented: Option<Money>,
    /// The same amount in the currency of account, where it was paid in another one: by the rate of the program's version
    /// that decided it. Absent without a rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Money>,
    /// Tax within it.
    pub tax: Money,
    /// List price of the tier.
    pub tier: Money,
    /// What all that was bought costs to make, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// The products that were bought.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<PaymentLine>,
    /// The instant of settlement.
    pub paid_at: Timestamp,
    /// The instant at which we first knew of it.
    pub known_at: Timestamp,
    /// The instant at which it was recorded.
    pub recorded_at: Timestamp,
    /// The version of the program that decided it.
    pub program_version: u32,
    /// Each rule's decision.
    pub trace: Vec<Candidate>,
    /// The number of times that it was decided again. Every later decision is conditional on it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub decisions: u32,
    /// The reversals that undid it.
    #[serde(default, skip_serializing_if = "Reversals::is_empty")]
    pub reversals: Reversals,
    /// The order that it paid for, if a service made one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The id of the event that caused the record, for a search in the logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

impl PaymentRecord {
    /// True when a rule could not decide, because something is missing that an operator can supply, and something of the
    /// payment is left to decide about.
    pub fn is_undecided(&self) -> bool {
        let open = |candidate: &Candidate| match candidate.verdict {
            Verdict::Refused { reason } => reason.is_open(),
            Verdict::Granted { .. } => false,
        };
        self.trace.iter().any(open) && !self.is_undone()
    }

    /// True when the payment is undone as a whole.
    pub fn is_undone(&self) -> bool {
        self.paid.is_positive() && self.reversals.undone(self.paid).minor() >= self.paid.minor()
    }

    /// The facts that the decision was made on.
    pub fn facts(&self) -> PaymentFacts {
        PaymentFacts {
            key: self.payment.clone(),
            member: self.member.clone(),
            purpose: self.purpose,
            paid: self.paid,
            presented: self.presented,
            tax: self.tax,
            tier: self.tier,
            lines: self.lines.clone(),
            cost: self.cost,
            paid_at: self.paid_at,
            known_at: self.known_at,
        }
    }

    /// Converts a part of the payment to the currency of account, by the payment's own rate: all of it is all of
    /// `account`. Nothing for a payment in the currency of account, or without a rate.
    pub fn in_account(&self, part: Money) -> Option<Money> {
        let account = self.account.filter(|_| part.currency() == self.paid.currency())?;
        account.checked_share(part.minor(), self.paid.minor()).ok()
    }

    /// A digest of what settled, 16 hex digits. It never changes: neither a reversal nor a later decision of the rules
    /// is part of it.
    pub fn digest(&self) -> String {
        let money = |money: Money| format!("{} {}", money.minor(), money.currency());
        let content = [
            self.payment.to_string(),
            self.member.to_string(),
            self.purpose.as_str().to_owned(),
            money(self.paid),
            self.presented.map(money).unwrap_or_default(),
            money(self.tax),
            self.paid_at.millis().to_string(),
            self.known_at.millis().to_string(),
            self.recorded_at.millis().to_string(),
        ];
        hex::encode(&Sha256::digest(content.join("|").as_bytes())[..8])
    }

    /// The grants: rule, level, beneficiary and reward.
    pub fn grants(&self) -> impl Iterator<Item = (&Candidate, &MemberId, Money)> {
        self.trace.iter().filter_map(|candidate| match &candidate.verdict {
            Verdict::Granted { beneficiary, reward, .. } => Some((candidate, beneficiary, *reward)),
            Verdict::Refused { .. } => None,
        })
    }

    /// The reason why nothing was granted: the first rule's. A program without rules gives no reason.
    pub fn refusal(&self) -> Option<Refusal> {
        self.trace.iter().find_map(|candidate| match candidate.verdict {
            Verdict::Refused { reason } if self.grants().next().is_none() => Some(reason),
            _ => None,
        })
    }
}
