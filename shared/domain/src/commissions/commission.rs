//! The commission: one reward to one beneficiary for one payment by one rule.

use serde::{Deserialize, Serialize};

use crate::{
    commissions::clawback_target,
    ids::{CommissionId, MemberId, PaymentKey},
    money::{Money, MoneyError},
    payments::Place,
    programs::{Cap, Limit, RuleSnapshot},
    time::Timestamp,
};

/// The state of a commission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CommissionState {
    /// Booked, not spendable yet.
    Held,
    /// In the beneficiary's wallet since the entry `entry_seq` of it.
    Released {
        /// The wallet's entry.
        entry_seq: u64,
        /// The instant of the release.
        at: Timestamp,
    },
    /// No part of it reached, or will reach, the wallet.
    Void {
        /// The instant at which it became void.
        at: Timestamp,
        /// The reason.
        reason: VoidReason,
    },
}

/// The reason why a commission is void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidReason {
    /// Its payment was undone before the release. A won dispute brings it back.
    Reversed,
    /// A cap or the program's budget was used up at the time of release.
    Capped,
    /// It had to be claimed, and was not claimed in time.
    Unclaimed,
}

impl CommissionState {
    /// The state's name in the API.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Released { .. } => "released",
            Self::Void { .. } => "void",
        }
    }
}

/// One reward to one beneficiary for one payment. Its terms are frozen at payment time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commission {
    /// Deterministic id.
    pub id: CommissionId,
    /// The member who gets it.
    pub beneficiary: MemberId,
    /// The member who paid.
    pub referee: MemberId,
    /// The payment.
    pub payment: PaymentKey,
    /// The amount granted.
    pub amount: Money,
    /// The amount that the reward was computed from: the rule's part of the payment, net of tax.
    pub base: Money,
    /// The whole payment, tax included. Refunds and disputes are measured against it.
    pub paid: Money,
    /// The place: the key under which only one commission can exist.
    #[serde(default, skip_serializing_if = "Place::is_payment")]
    pub place: Place,
    /// The rule, frozen.
    pub snapshot: RuleSnapshot,
    /// The instant at which the payment settled.
    pub paid_at: Timestamp,
    /// The instant at which the commission was booked.
    pub booked_at: Timestamp,
    /// The instant from which it may be released.
    pub due_at: Timestamp,
    /// The part of `amount` that reversals have undone so far, in minor units: the cumulative target.
    #[serde(default)]
    pub clawed: i64,
    /// True while an open dispute keeps it from being released.
    #[serde(default)]
    pub frozen: bool,
    /// True when another payment took its place after its payment had been undone as a whole. It is not restored then,
    /// whatever is said of its payment later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub superseded: bool,
    /// The instant at which the beneficiary claimed it, under a rule that requires a claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Timestamp>,
    /// The amount that caps and the budget left of it at release, in minor units. Absent: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<i64>,
    /// The state.
    #[serde(flatten)]
    pub state: CommissionState,
}

impl Commission {
    /// Lists the limits that bind it, each with the period that its payment falls into.
    pub fn limits(&self) -> Vec<(Limit, Cap, String)> {
        self.snapshot.limits(&self.beneficiary, self.paid_at)
    }

    /// The beneficiary's part in minor units when `clawed` is undone: the rest, within what the caps allowed.
    const fn entitled(&self, clawed: i64) -> i64 {
        let rest = self.amount.minor().saturating_sub(clawed);
        match self.allowed {
            Some(allowed) if allowed < rest => allowed,
            _ => rest,
        }
    }

    /// The amount that the beneficiary is entitled to at present.
    pub const fn entitlement(&self) -> Money {
        Money::new(self.entitled(self.clawed), self.amount.currency())
    }

    /// True while it waits to be released.
    pub const fn is_releasable(&self) -> bool {
        matches!(self.state, CommissionState::Held) && !self.frozen && self.claim_ends_at().is_none()
    }

    /// The end of the time to claim it; nothing when it does not wait for a claim.
    pub const fn claim_ends_at(&self) -> Option<Timestamp> {
        match (&self.state, self.snapshot.rule.claim_within_days, self.claimed_at) {
            (CommissionState::Held, Some(days), None) => Some(self.due_at.plus_days(days)),
            _ => None,
        }
    }

    /// True when the beneficiary may claim it at `now`.
    pub fn is_claimable(&self, now: Timestamp) -> bool {
        !self.frozen && self.claim_ends_at().is_some_and(|end| now < end)
    }

    /// True when nothing of it is left, because its payment was undone as a whole.
    pub const fn is_undone(&self) -> bool {
        self.clawed == self.amount.minor()
    }

    /// Computes the commission after `undone` of its payment is undone in total, at `at`, with or without an
    /// open dispute. Also returns the change of the entitlement for a wallet that received the commission
    /// before.
    ///
    /// # Errors
    /// [`MoneyError`] when `undone` is in another currency than the payment.
    pub fn after_reversal(
        &self,
        undone: Money,
        disputed: bool,
        at: Timestamp,
    ) -> Result<(Self, Money), MoneyError> {
        if self.superseded {
            return Ok((self.clone(), Money::zero(self.amount.currency())));
        }
        let clawed = clawback_target(self.amount, self.paid, undone)?.minor();
        let mut after = Self { clawed, ..self.clone() };
        let all = clawed == self.amount.minor();
        let mut change = 0;
        match &self.state {
            CommissionState::Released { .. } => {
                change = self.entitled(clawed).saturating_sub(self.entitled(self.clawed))
            }
            CommissionState::Held | CommissionState::Void { reason: VoidReason::Reversed, .. } => {
                after.frozen = disputed && !all;
                if self.frozen && !after.frozen && self.claim_ends_at().is_some() {
                    // It could not be claimed in the meantime, so the time to claim it starts again.
                    after.due_at = self.due_at.max(at);
                }
                after.state = match &self.state {
                    CommissionState::Void { .. } if all => self.state.clone(),
                    _ if all => CommissionState::Void { at, reason: VoidReason::Reversed },
                    _ => CommissionState::Held,
                };
            }
            CommissionState::Void { reason: VoidReason::Capped | VoidReason::Unclaimed, .. } => {}
        }
        Ok((after, Money::new(change, self.amount.currency())))
    }
}
