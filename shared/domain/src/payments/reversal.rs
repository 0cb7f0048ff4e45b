//! What undoes a payment: refunds, disputes, credit notes, invoices that came to nothing.
//!
//! Everything a payment's provider ever said about its undoing is merged into one [`Reversals`]. Of each
//! refund, dispute, note and invoice only the latest word counts, by the provider's clock and then by how
//! final it is. So the result depends on what was said, not on the order or the number of times it arrived.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    money::{Money, MoneyError},
    time::Timestamp,
};

/// How far a refund has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStage {
    /// On its way: it counts, for the money is about to leave.
    Pending,
    /// The money left.
    Succeeded,
    /// Failed or cancelled: the money stayed, so nothing is undone.
    Failed,
}

/// How far a dispute has come.
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

/// One thing that the provider said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// When, by the provider's clock.
    pub at: Timestamp,
    /// What.
    pub kind: ReversalKind,
}

/// What a provider says about the undoing of a payment. Amounts include tax, as the payment does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReversalKind {
    /// A refund, by its own id.
    Refund {
        /// The refund's natural key.
        id: String,
        /// This refund's amount.
        amount: Money,
        /// How far it has come.
        stage: RefundStage,
    },
    /// The total that was refunded so far. Counts only where refunds are not told one by one.
    RefundedTotal {
        /// The total.
        amount: Money,
    },
    /// A dispute, by its own id.
    Dispute {
        /// The dispute's natural key.
        id: String,
        /// What is disputed.
        amount: Money,
        /// How far it has come.
        stage: DisputeStage,
    },
    /// A credit note, by its own id.
    CreditNote {
        /// The note's natural key.
        id: String,
        /// The correction, less what was never paid.
        amount: Money,
        /// The refunds that pay it out. They speak for themselves.
        refunds: Vec<String>,
        /// It was taken back.
        voided: bool,
    },
    /// The whole invoice came to nothing, or was paid after all.
    Invoice {
        /// It is void or uncollectible.
        undone: bool,
    },
}

/// The latest word about one refund, dispute or credit note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Latest<W> {
    minor: i64,
    at: Timestamp,
    #[serde(flatten)]
    word: W,
}

/// How far a refund or a dispute has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Staged<S> {
    stage: S,
}

/// How a credit note stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Noted {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<String>,
    voided: bool,
}

/// Says which of two words about the same thing is the later one.
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

/// A word that is said once for the whole payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Said {
    minor: i64,
    at: Timestamp,
}

/// All that was said about the undoing of one payment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversals {
    /// Changes so far: conditions every write.
    pub seq: u32,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    refunds: BTreeMap<String, Latest<Staged<RefundStage>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<Said>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    disputes: BTreeMap<String, Latest<Staged<DisputeStage>>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    notes: BTreeMap<String, Latest<Noted>>,
    /// 1 when the whole invoice came to nothing, 0 when it was paid after all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invoice: Option<Said>,
}

impl Reversals {
    /// Nothing was ever said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes one word in. Gives back `None` when it says nothing new: it, or a later word about the same
    /// thing, was taken in before.
    ///
    /// # Errors
    /// [`MoneyError`] when an amount is negative or in another currency than `paid`.
    pub fn merged(&self, reversal: &Reversal, paid: Money) -> Result<Option<Self>, MoneyError> {
        let mut next = self.clone();
        let at = reversal.at;
        match &reversal.kind {
            ReversalKind::Refund { id, amount, stage } => {
                let said = Latest { minor: minor(*amount, paid)?, at, word: Staged { stage: *stage } };
                keep_latest(&mut next.refunds, id, said);
            }
            ReversalKind::Dispute { id, amount, stage } => {
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

    /// How much of `paid` is undone in all: refunds and disputes may overlap, so never more than was paid.
    pub fn undone(&self, paid: Money) -> Money {
        if self.invoice.as_ref().is_some_and(|said| said.minor == 1) {
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

    /// A dispute is open and undecided.
    pub fn is_disputed(&self) -> bool {
        self.disputes.values().any(|dispute| dispute.word.stage == DisputeStage::Opened)
    }

    /// What a note corrects beyond the refunds that pay it out, which count by themselves.
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
