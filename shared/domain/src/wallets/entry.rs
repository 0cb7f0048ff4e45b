//! Entries: the immutable lines of a wallet's statement.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    ids::{AdjustmentId, CommissionId, CustomerId, InvoiceId, MemberId, PostingId, WithdrawalId},
    money::{Currency, Money, MoneyError},
    time::Timestamp,
    wallets::{Account, Bucket, House, LedgerError, Leg, Operation, Wallet, WalletKind},
};

/// The event that an entry records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EntryKind {
    /// Due commissions became spendable, up to 97 in one entry; each names this entry's `seq`.
    CommissionsReleased {
        /// The number of commissions.
        commissions: u32,
        /// SHA-256 over their ids, so the entry commits to exactly these.
        digest: String,
    },
    /// Bill credit was claimed for posting to the member's Stripe customer balance.
    CreditPosted {
        /// The posting, which is also the idempotency key at Stripe.
        posting: PostingId,
    },
    /// Stripe refused a posting for good: the credit is available again.
    CreditUnposted {
        /// The posting.
        posting: PostingId,
    },
    /// A customer whose balance had bill credit gets no more bills: what was not used is available again.
    CreditRecalled {
        /// The customer.
        customer: CustomerId,
    },
    /// An invoice used bill credit up.
    CreditApplied {
        /// The invoice.
        invoice: InvoiceId,
    },
    /// An invoice was voided: the credit that it had used is back.
    CreditReturned {
        /// The invoice.
        invoice: InvoiceId,
    },
    /// An operator gave or took credit by hand.
    Adjusted {
        /// The adjustment, which holds the operator and the reason.
        adjustment: AdjustmentId,
    },
    /// A payment was undone after its commission had been released.
    ClawedBack {
        /// The commission.
        commission: CommissionId,
    },
    /// A claw-back was undone, because a dispute was won or a refund failed.
    Reinstated {
        /// The commission.
        commission: CommissionId,
    },
    /// The member requested a withdrawal: the money is held from now on.
    WithdrawalRequested {
        /// The withdrawal.
        withdrawal: WithdrawalId,
    },
    /// A withdrawal was rejected or failed: the money is available again.
    WithdrawalReturned {
        /// The withdrawal.
        withdrawal: WithdrawalId,
    },
    /// A withdrawal was paid: the money has left.
    WithdrawalPaid {
        /// The withdrawal.
        withdrawal: WithdrawalId,
    },
}

impl EntryKind {
    /// The kind's name in the API and in hashes.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CommissionsReleased { .. } => "commissions_released",
            Self::CreditPosted { .. } => "credit_posted",
            Self::CreditUnposted { .. } => "credit_unposted",
            Self::CreditRecalled { .. } => "credit_recalled",
            Self::CreditApplied { .. } => "credit_applied",
            Self::CreditReturned { .. } => "credit_returned",
            Self::Adjusted { .. } => "adjusted",
            Self::ClawedBack { .. } => "clawed_back",
            Self::Reinstated { .. } => "reinstated",
            Self::WithdrawalRequested { .. } => "withdrawal_requested",
            Self::WithdrawalReturned { .. } => "withdrawal_returned",
            Self::WithdrawalPaid { .. } => "withdrawal_paid",
        }
    }

    /// The id that the entry refers to: a posting, an invoice, an adjustment, or the digest of commissions.
    pub fn reference(&self) -> &str {
        match self {
            Self::CommissionsReleased { digest, .. } => digest,
            Self::CreditPosted { posting } | Self::CreditUnposted { posting } => posting.as_str(),
            Self::CreditRecalled { customer } => customer.as_str(),
            Self::CreditApplied { invoice } | Self::CreditReturned { invoice } => invoice.as_str(),
            Self::Adjusted { adjustment } => adjustment.as_str(),
            Self::ClawedBack { commission } | Self::Reinstated { commission } => commission.as_str(),
            Self::WithdrawalRequested { withdrawal }
            | Self::WithdrawalReturned { withdrawal }
            | Self::WithdrawalPaid { withdrawal } => withdrawal.as_str(),
        }
    }
}

/// Changes of the three buckets, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deltas {
    /// Change of `available`.
    pub available: i64,
    /// Change of `held`.
    pub held: i64,
    /// Change of `owed`; positive means more debt.
    pub owed: i64,
}

/// The three buckets, in minor units, none below zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buckets {
    /// Free to use.
    pub available: i64,
    /// The member's, but reserved for a withdrawal or a posting.
    pub held: i64,
    /// The member's debt.
    pub owed: i64,
}

impl Buckets {
    /// The buckets after a change; nothing when a number does not fit.
    fn plus(self, delta: &Deltas) -> Option<Self> {
        Some(Self {
            available: self.available.checked_add(delta.available)?,
            held: self.held.checked_add(delta.held)?,
            owed: self.owed.checked_add(delta.owed)?,
        })
    }
}

/// An immutable line of a wallet's statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The wallet's owner.
    pub member: MemberId,
    /// The wallet's kind.
    pub wallet: WalletKind,
    /// The wallet's currency.
    pub currency: Currency,
    /// 1 for the wallet's first entry, then without gaps.
    pub seq: u64,
    /// The instant at which it was booked.
    pub at: Timestamp,
    /// The event that it records.
    #[serde(flatten)]
    pub kind: EntryKind,
    /// The changes of the buckets.
    pub delta: Deltas,
    /// The house account's leg that balances the change, if money entered or left the wallet.
    pub house: Option<(House, i64)>,
    /// The buckets after it.
    pub after: Buckets,
    /// Hash of the entry before, empty for the first.
    pub prev_hash: String,
    /// SHA-256 over everything above.
    pub hash: String,
    /// The id of the event that caused it, for a search in the logs. It is not part of the books or of the
    /// hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

impl Entry {
    /// The double-entry operation that the entry records: its legs sum to zero.
    ///
    /// # Errors
    /// [`LedgerError`] when the stored line does not balance, which only tampering or a bug can cause.
    pub fn operation(&self) -> Result<Operation, LedgerError> {
        let money = |minor| Money::new(minor, self.currency);
        let wallet = |bucket| Account::Wallet(self.member.clone(), self.wallet, bucket);
        let owed = self.delta.owed.checked_neg().ok_or(MoneyError::Overflow)?;
        let mut legs = vec![
            Leg { account: wallet(Bucket::Available), amount: money(self.delta.available) },
            Leg { account: wallet(Bucket::Held), amount: money(self.delta.held) },
            Leg { account: wallet(Bucket::Owed), amount: money(owed) },
        ];
        legs.extend(
            self.house.map(|(house, minor)| Leg { account: Account::House(house), amount: money(minor) }),
        );
        legs.retain(|leg| !leg.amount.is_zero());
        Operation::try_new(legs)
    }

    /// Recomputes the hash from the line's content: SHA-256 over its fields, joined by `|`, in this order.
    pub fn compute_hash(&self) -> String {
        let (house, house_minor) = self.house.map_or(("", 0), |(house, minor)| (house.as_str(), minor));
        let content = format!(
            "{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{house}|{house_minor}|{}|{}|{}|{}",
            self.member,
            self.wallet.as_str(),
            self.currency,
            self.seq,
            self.at.millis(),
            self.kind.name(),
            self.kind.reference(),
            self.delta.available,
            self.delta.held,
            self.delta.owed,
            self.after.available,
            self.after.held,
            self.after.owed,
            self.prev_hash,
        );
        hex::encode(Sha256::digest(content.as_bytes()))
    }
}

/// The first error in a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// An entry is missing or doubled.
    #[error("entry {found} stands where {expected} should")]
    Gap {
        /// The expected number.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// An entry's content or its link to the one before was changed.
    #[error("entry {0} does not match its hash")]
    Tampered(u64),
    /// An entry's running balance is not the sum of the changes.
    #[error("entry {0} shows a balance that its changes do not give")]
    WrongBalance(u64),
    /// The wallet differs from the sum of its entries.
    #[error("the wallet does not match its last entry")]
    WalletDiffers,
}

/// Recomputes a whole statement, oldest entry first, and compares it with the wallet.
///
/// # Errors
/// [`StatementError`] with the first difference.
pub fn verify_statement(wallet: &Wallet, entries: &[Entry]) -> Result<(), StatementError> {
    let mut sum = Buckets::default();
    let mut head = String::new();
    for (entry, expected) in entries.iter().zip(1_u64..) {
        if entry.seq != expected {
            return Err(StatementError::Gap { expected, found: entry.seq });
        }
        let sound =
            entry.prev_hash == head && entry.hash == entry.compute_hash() && entry.operation().is_ok();
        if !sound {
            return Err(StatementError::Tampered(entry.seq));
        }
        sum = sum
            .plus(&entry.delta)
            .filter(|sum| *sum == entry.after)
            .ok_or(StatementError::WrongBalance(entry.seq))?;
        head.clone_from(&entry.hash);
    }
    let same = wallet.buckets == sum && wallet.seq == entries.len() as u64 && wallet.head == head;
    if same { Ok(()) } else { Err(StatementError::WalletDiffers) }
}
