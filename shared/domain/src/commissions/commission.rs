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

/// Where a commission stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CommissionState {
    /// Booked, not spendable yet.
    Held,
    /// In the beneficiary's wallet since the entry `entry_seq` of it.
    Released {
        /// The wallet's entry.
        entry_seq: u64,
        /// When.
        at: Timestamp,
    },
    /// Nothing of it reached, or will reach, the wallet.
    Void {
        /// When.
        at: Timestamp,
        /// Why.
        reason: VoidReason,
    },
}

/// Why a commission came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidReason {
    /// Its payment was undone before the release. A won dispute brings it back.
    Reversed,
    /// A cap or the program's budget was used up when it came to be released.
    Capped,
    /// It had to be claimed, and nobody did in time.
    Unclaimed,
}

impl CommissionState {
    /// The word used in the API.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Released { .. } => "released",
            Self::Void { .. } => "void",
        }
    }
}

/// One reward to one beneficiary for one payment. Everything but its state is frozen at payment time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commission {
    /// Deterministic id.
    pub id: CommissionId,
    /// Who gets it.
    pub beneficiary: MemberId,
    /// Whose payment it is for.
    pub referee: MemberId,
    /// The payment.
    pub payment: PaymentKey,
    /// How much.
    pub amount: Money,
    /// What the amount was computed on: the rule's part of the payment, net of tax.
    pub base: Money,
    /// The whole payment, tax included: what refunds and disputes are measured against.
    pub paid: Money,
    /// What guards it.
    #[serde(default, skip_serializing_if = "Place::is_payment")]
    pub place: Place,
    /// The rule, frozen.
    pub snapshot: RuleSnapshot,
    /// When the payment settled.
    pub paid_at: Timestamp,
    /// When it was booked.
    pub booked_at: Timestamp,
    /// When it may be released.
    pub due_at: Timestamp,
    /// How much of `amount` reversals have undone so far, minor units: the cumulative target.
    #[serde(default)]
    pub clawed: i64,
    /// An open dispute keeps it from being released.
    #[serde(default)]
    pub frozen: bool,
    /// When the beneficiary claimed it, where they have to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Timestamp>,
    /// What caps and the budget left of it at release, minor units. Absent: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<i64>,
    /// Where it stands.
    #[serde(flatten)]
    pub state: CommissionState,
}

impl Commission {
    /// The limits that bind it: each with the period that its payment falls into.
    pub fn limits(&self) -> Vec<(Limit, Cap, String)> {
        self.snapshot.limits(&self.beneficiary, self.paid_at)
    }

    /// What the beneficiary is entitled to with `clawed` undone: the rest, within what caps allowed.
    const fn entitled(&self, clawed: i64) -> i64 {
        let rest = self.amount.minor().saturating_sub(clawed);
        match self.allowed {
            Some(allowed) if allowed < rest => allowed,
            _ => rest,
        }
    }

    /// What the beneficiary is entitled to at present.
    pub const fn entitlement(&self) -> Money {
        Money::new(self.entitled(self.clawed), self.amount.currency())
    }

    /// Waits to be released.
    pub const fn is_releasable(&self) -> bool {
        matches!(self.state, CommissionState::Held) && !self.frozen && self.claim_ends_at().is_none()
    }

    /// Waits to be claimed, until this instant.
    pub const fn claim_ends_at(&self) -> Option<Timestamp> {
        match (&self.state, self.snapshot.rule.claim_within_days, self.claimed_at) {
            (CommissionState::Held, Some(days), None) => Some(self.due_at.plus_days(days)),
            _ => None,
        }
    }

    /// The beneficiary may claim it at `now`.
    pub fn is_claimable(&self, now: Timestamp) -> bool {
        !self.frozen && self.claim_ends_at().is_some_and(|end| now < end)
    }

    /// The commission once `undone` of its payment is undone in all, at `at`, with or without a dispute
    /// that is open; and by how much its entitlement changes for a wallet that has it already.
    ///
    /// # Errors
    /// [`MoneyError`] when `undone` is in another currency than the payment.
    pub fn after_reversal(
        &self,
        undone: Money,
        disputed: bool,
        at: Timestamp,
    ) -> Result<(Self, Money), MoneyError> {
        let clawed = clawback_target(self.amount, self.paid, undone)?.minor();
        let mut after = Self { clawed, ..self.clone() };
        let all = clawed == self.amount.minor();
        let mut change = 0;
        match &self.state {
            CommissionState::Released { .. } => change = self.entitled(clawed) - self.entitled(self.clawed),
            CommissionState::Held | CommissionState::Void { reason: VoidReason::Reversed, .. } => {
                after.frozen = disputed && !all;
                if self.frozen && !after.frozen && self.claim_ends_at().is_some() {
                    // Nobody could claim it meanwhile: the time for it starts anew.
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
