//! Reversals of a payment: refunds, disputes, credit notes, and invoices that were voided or written off.
//!
//! All reports of a payment's provider about its undoing are merged into one [`Reversals`]. Of each refund,
//! dispute, note and invoice only the latest report counts, by the provider's clock and then by how final it
//! is. So the result depends on the content of the reports, not on the order or the number of their arrivals.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    money::{Money, MoneyError},
    time::Timestamp,
};

/// The stage of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStage {
    /// On its way: it counts, because the money is about to leave.
    Pending,
    /// The money left.
    Succeeded,
    /// Failed or cancelled: the money stayed, so nothing is undone.
    Failed,
}

/// The stage of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStage {
    /// An inquiry: no money has moved, nothing is frozen.
    Inquiry,
    /// Opened: what is not released yet is frozen.
    Opened,
    /// The provider took the money.
    Withdrawn,
    /// Won, reinstated, or dropped: nothing is undone.
    Won,
    /// Lost: the money is gone.
    Lost,
}

/// One report of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// The instant, by the provider's clock.
    pub at: Timestamp,
    /// The content.
    pub kind: ReversalKind,
}

/// The content of a provider's report about the undoing of a payment. Amounts include tax, as the payment
/// does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReversalKind {
    /// A refund, by its own id.
    Refund {
        /// The refund's natural key.
        id: String,
        /// This refund's amount.
        amount: Money,
        /// The stage.
        stage: RefundStage,
    },
    /// The total that was refunded so far. It counts only if single refunds are not reported.
    RefundedTotal {
        /// The total.
        amount: Money,
    },
    /// A dispute, by its own id.
    Dispute {
        /// The dispute's natural key.
        id: String,
        /// The disputed amount.
        amount: Money,
        /// The stage.
        stage: DisputeStage,
    },
    /// A credit note, by its own id.
    CreditNote {
        /// The note's natural key.
        id: String,
        /// The correction, less the part that was never paid and the part that stays on the customer's balance.
        amount: Money,
        /// The refunds that pay it out. They are reported and counted by themselves.
        refunds: Vec<String>,
        /// True when the note was voided.
        voided: bool,
    },
    /// The whole invoice was voided or written off, or was paid after all.
    Invoice {
        /// True when it is void or uncollectible.
        undone: bool,
    },
}

impl Reversal {
    /// The same report with its amount in the currency of `paid`, if it is in the one in which the payer saw the
    /// payment, as `presented`. The rate is the payment's own, so all of it undoes all.
    ///
    /// # Errors
    /// [`MoneyError`] when the amount does not fit.
    pub fn in_currency_of(&self, paid: Money, presented: Option<Money>) -> Result<Self, MoneyError> {
        let mut reversal = self.clone();
        let (Some(presented), Some(amount)) = (presented, reversal.kind.amount_mut()) else {
            return Ok(reversal);
        };
        if amount.currency() == presented.currency() && presented.is_positive() {
            *amount = paid.checked_share(amount.minor(), presented.minor())?;
        }
        Ok(reversal)
    }
}

impl ReversalKind {
    const fn amount_mut(&mut self) -> Option<&mut Money> {
        match self {
            Self::Refund { amount, .. }
            | Self::RefundedTotal { amount }
            | Self::Dispute { amount, .. }
            | Self::CreditNote { amount, .. } => Some(amount),
            Self::Invoice { .. } => None,
        }
    }
}

/// The latest report about one refund, dispute or credit note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Latest<W> {
    minor: i64,
    at: Timestamp,
    #[serde(flatten)]
    word: W,
}

/// The amount and the stage of a refund or a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Staged<S> {
    stage: S,
}

/// The content of a credit note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Noted {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<String>,
    voided: bool,
}

/// Decides which of two reports about the same thing is the later one.
trait Word {
    type Rank: Ord;
    fn rank(said: &Latest<Self>) -> Self::Rank
    where
        Self: Sized;
}

impl<S: Ord + Copy> Word for Staged<S> {
    type Rank = (Timestamp, S, i64);
    fn rank(said: &Latest<Self>) -> Self::Rank {
        (said.at, said.word.stage, said.minor)
    }
}

impl Word for Noted {
    type Rank = (bool, Timestamp, i64);
    fn rank(said: &Latest<Self>) -> Self::Rank {
        (said.word.voided, said.at, said.minor)
    }
}

/// A report that exists once for the whole payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Said {
    minor: i64,
    at: Timestamp,
}

/// All reports about the undoing of one payment, merged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversals {
    /// The number of changes so far. Every write is conditional on it.
    pub seq: u32,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    refunds: BTreeMap<String, Latest<Staged<RefundStage>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<Said>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    disputes: BTreeMap<String, Latest<Staged<DisputeStage>>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    notes: BTreeMap<String, Latest<Noted>>,
    /// 1 when the whole invoice is void or uncollectible, 0 when it was paid after all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invoice: Option<Said>,
}

impl Reversals {
    /// True when nothing was ever reported.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Merges one report. Returns `None` when it changes nothing, because it, or a later report about the
    /// same thing, was merged before.
    ///
    /// A dispute in another currency than `paid` disputes the whole payment: the bank of a card takes back what the
    /// cardholder paid in their own currency. Of a refund or a note in another currency the share is not known.
    ///
    /// # Errors
    /// [`MoneyError`] when an amount is negative, or in another currency than `paid` and no dispute's.
    pub fn merged(&self, reversal: &Reversal, paid: Money) -> Result<Option<Self>, MoneyError> {
        let mut next = self.clone();
        let at = reversal.at;
        match &reversal.kind {
            ReversalKind::Refund { id, amount, stage } => {
                let said = Latest { minor: minor(*amount, paid)?, at, word: Staged { stage: *stage } };
                keep_latest(&mut next.refunds, id, said);
            }
            ReversalKind::Dispute { id, amount, stage } => {
                let amount = if amount.currency() == paid.currency() { amount } else { &paid };
                let said = Latest { minor: minor(*amount, paid)?, at, word: Staged { stage: *stage } };
                keep_latest(&mut next.disputes, id, said);
            }
            ReversalKind::CreditNote { id, amount, refunds, voided } => {
                let word = Noted { refunds: refunds.clone(), voided: *voided };
                let said = Latest { minor: minor(*amount, paid)?, at, word };
                keep_latest(&mut next.notes, id, said);
            }
            ReversalKind::RefundedTotal { amount } => {
                let said = Said { minor: minor(*amount, paid)?, at };
                keep_later(&mut next.total, said);
            }
            ReversalKind::Invoice { undone } => {
                keep_later(&mut next.invoice, Said { minor: i64::from(*undone), at });
            }
        }
        if next == *self {
            return Ok(None);
        }
        next.seq = next.seq.saturating_add(1);
        Ok(Some(next))
    }

    /// Merges the refunds and disputes of `other` into these. Returns `None` when they change nothing.
    pub fn with_those_of(&self, other: &Self) -> Option<Self> {
        let mut next = self.clone();
        for (id, said) in &other.refunds {
            keep_latest(&mut next.refunds, id, said.clone());
        }
        for (id, said) in &other.disputes {
            keep_latest(&mut next.disputes, id, said.clone());
        }
        if let Some(total) = &other.total {
            keep_later(&mut next.total, total.clone());
        }
        if next == *self {
            return None;
        }
        next.seq = next.seq.saturating_add(1);
        Some(next)
    }

    /// The part of `paid` that is undone in total. Refunds and disputes may overlap, so it is never more than
    /// was paid.
    pub fn undone(&self, paid: Money) -> Money {
        if self.is_void() {
            return paid;
        }
        let refunds = if self.refunds.is_empty() {
            self.total.as_ref().map_or(0, |said| said.minor)
        } else {
            sum(self.refunds.values().filter(|r| r.word.stage != RefundStage::Failed).map(|r| r.minor))
        };
        let taken = |stage| matches!(stage, DisputeStage::Withdrawn | DisputeStage::Lost);
        let disputes = sum(self.disputes.values().filter(|d| taken(d.word.stage)).map(|d| d.minor));
        let notes = sum(self.notes.values().filter(|n| !n.word.voided).map(|note| self.beyond_refunds(note)));
        let all = refunds.saturating_add(disputes).saturating_add(notes);
        Money::new(all.min(paid.minor()), paid.currency())
    }

    /// True when the whole invoice is void or uncollectible.
    pub fn is_void(&self) -> bool {
        self.invoice.as_ref().is_some_and(|said| said.minor == 1)
    }

    /// True while a dispute is open and undecided.
    pub fn is_disputed(&self) -> bool {
        self.disputes.values().any(|dispute| dispute.word.stage == DisputeStage::Opened)
    }

    /// True when a dispute was ever reported, however it ended.
    pub fn was_disputed(&self) -> bool {
        !self.disputes.is_empty()
    }

    /// The part of a note's correction beyond the refunds that pay it out, which count by themselves.
    fn beyond_refunds(&self, note: &Latest<Noted>) -> i64 {
        let told = note.word.refunds.iter().filter_map(|id| self.refunds.get(id)).map(|refund| refund.minor);
        note.minor.saturating_sub(sum(told)).max(0)
    }
}

fn minor(amount: Money, paid: Money) -> Result<i64, MoneyError> {
    paid.checked_sub(amount)?;
    if amount.minor() < 0 { Err(MoneyError::Malformed(amount.to_string())) } else { Ok(amount.minor()) }
}

fn sum(minors: impl Iterator<Item = i64>) -> i64 {
    minors.fold(0, i64::saturating_add)
}

fn keep_latest<W: Word>(known: &mut BTreeMap<String, Latest<W>>, id: &str, said: Latest<W>) {
    match known.get(id) {
        Some(before) if W::rank(before) >= W::rank(&said) => {}
        _ => {
            known.insert(id.to_owned(), said);
        }
    }
}

fn keep_later(known: &mut Option<Said>, said: Said) {
    if known.as_ref().is_none_or(|before| (before.at, before.minor) < (said.at, said.minor)) {
        *known = Some(said);
    }
}

#[cfg(test)]
#[path = "reversal_tests.rs"]
mod tests;
