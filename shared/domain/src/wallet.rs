//! A member's wallet and its statement.
//!
//! Every change of a wallet is one [`Entry`]: the wallet's `seq` counts them, each entry holds the balance
//! after it and the hash of the one before, so a statement is gapless and tamper-evident.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Account, AdjustmentId, Bucket, Currency, House, InvoiceId, LedgerError, Leg, MemberId, Money, MoneyError,
    Operation, PostingId, Timestamp, WalletKind,
};

/// Why a wallet refused a change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WalletError {
    /// The bucket holds less than was to be taken.
    #[error("{have} is {}, which is less than {asked}", bucket_word(*bucket))]
    Insufficient {
        /// The bucket that would have gone below zero.
        bucket: Bucket,
        /// What it holds.
        have: Money,
        /// What was asked of it.
        asked: Money,
    },
    /// The amount is zero or negative.
    #[error("the amount must be above zero")]
    NotPositive,
    /// The legs do not balance or do not fit.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<MoneyError> for WalletError {
    fn from(error: MoneyError) -> Self {
        Self::Ledger(error.into())
    }
}

const fn bucket_word(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Available => "available",
        Bucket::Held => "held",
        Bucket::Owed => "owed",
    }
}

/// What an entry records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EntryKind {
    /// Due commissions became spendable, up to 97 in one entry; each names this entry's `seq`.
    CommissionsReleased {
        /// How many.
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
    /// An invoice used bill credit up.
    CreditApplied {
        /// The invoice.
        invoice: InvoiceId,
    },
    /// An invoice was voided: what it had used is back.
    CreditReturned {
        /// The invoice.
        invoice: InvoiceId,
    },
    /// An operator gave or took credit by hand.
    Adjusted {
        /// The adjustment, which holds who and why.
        adjustment: AdjustmentId,
    },
}

impl EntryKind {
    /// The word used in the API and in hashes.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CommissionsReleased { .. } => "commissions_released",
            Self::CreditPosted { .. } => "credit_posted",
            Self::CreditUnposted { .. } => "credit_unposted",
            Self::CreditApplied { .. } => "credit_applied",
            Self::CreditReturned { .. } => "credit_returned",
            Self::Adjusted { .. } => "adjusted",
        }
    }

    /// What the entry points at: a posting, an invoice, an adjustment, or the digest of commissions.
    pub fn reference(&self) -> &str {
        match self {
            Self::CommissionsReleased { digest, .. } => digest,
            Self::CreditPosted { posting } | Self::CreditUnposted { posting } => posting.as_str(),
            Self::CreditApplied { invoice } | Self::CreditReturned { invoice } => invoice.as_str(),
            Self::Adjusted { adjustment } => adjustment.as_str(),
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
    /// Change of `owed`; a positive change is more debt.
    pub owed: i64,
}

/// The three buckets, in minor units, none below zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buckets {
    /// Free to use.
    pub available: i64,
    /// The member's, but promised.
    pub held: i64,
    /// What the member must give back.
    pub owed: i64,
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
    /// When it was booked.
    pub at: Timestamp,
    /// What it records.
    #[serde(flatten)]
    pub kind: EntryKind,
    /// What it changed.
    pub delta: Deltas,
    /// The house account's leg that balances the change, if the money crossed the wallet's border.
    pub house: Option<(House, i64)>,
    /// The buckets after it.
    pub after: Buckets,
    /// Hash of the entry before, empty for the first.
    pub prev_hash: String,
    /// SHA-256 over everything above.
    pub hash: String,
}

impl Entry {
    /// The operation behind the entry: its legs sum to zero.
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

/// The present state of a wallet. `seq` is also the version that conditions every write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// The owner.
    pub member: MemberId,
    /// What it is for.
    pub kind: WalletKind,
    /// Its currency.
    pub currency: Currency,
    /// The buckets.
    pub buckets: Buckets,
    /// Entries so far.
    pub seq: u64,
    /// Hash of the last entry, empty before the first.
    pub head: String,
    /// All that invoices have used up so far, minor units.
    pub applied: i64,
}

impl Wallet {
    /// A wallet nobody has posted to yet.
    pub const fn empty(member: MemberId, kind: WalletKind, currency: Currency) -> Self {
        let buckets = Buckets { available: 0, held: 0, owed: 0 };
        Self { member, kind, currency, buckets, seq: 0, head: String::new(), applied: 0 }
    }

    /// Available, as money.
    pub const fn available(&self) -> Money {
        Money::new(self.buckets.available, self.currency)
    }

    /// Held, as money.
    pub const fn held(&self) -> Money {
        Money::new(self.buckets.held, self.currency)
    }

    /// Owed, as money.
    pub const fn owed(&self) -> Money {
        Money::new(self.buckets.owed, self.currency)
    }

    /// Used up by invoices so far, as money.
    pub const fn applied(&self) -> Money {
        Money::new(self.applied, self.currency)
    }

    /// Commissions become spendable. What the member owes is paid back first.
    ///
    /// # Errors
    /// [`WalletError::NotPositive`], or an amount that does not fit.
    pub fn release(
        self,
        amount: Money,
        commissions: u32,
        digest: String,
        at: Timestamp,
    ) -> Result<(Self, Entry), WalletError> {
        self.grant(
            amount,
            House::CommissionExpense,
            EntryKind::CommissionsReleased { commissions, digest },
            at,
        )
    }

    /// An operator gives credit. What the member owes is paid back first.
    ///
    /// # Errors
    /// [`WalletError::NotPositive`], or an amount that does not fit.
    pub fn give(
        self,
        amount: Money,
        adjustment: AdjustmentId,
        at: Timestamp,
    ) -> Result<(Self, Entry), WalletError> {
        self.grant(amount, House::ManualAdjustment, EntryKind::Adjusted { adjustment }, at)
    }

    /// An operator takes available credit back.
    ///
    /// # Errors
    /// [`WalletError::Insufficient`] when less is available.
    pub fn take(
        self,
        amount: Money,
        adjustment: AdjustmentId,
        at: Timestamp,
    ) -> Result<(Self, Entry), WalletError> {
        let minor = self.positive(amount)?;
        let delta = Deltas { available: -minor, ..Deltas::default() };
        self.post(delta, Some((House::ManualAdjustment, minor)), EntryKind::Adjusted { adjustment }, at)
    }

    /// Available credit is claimed for posting to Stripe.
    ///
    /// # Errors
    /// [`WalletError::Insufficient`] when less is available.
    pub fn claim_posting(
        self,
        amount: Money,
        posting: PostingId,
        at: Timestamp,
    ) -> Result<(Self, Entry), WalletError> {
        let minor = self.positive(amount)?;
        let delta = Deltas { available: -minor, held: minor, ..Deltas::default() };
        self.post(delta, None, EntryKind::CreditPosted { posting }, at)
    }

    /// A claimed posting that Stripe refused for good goes back.
    ///
    /// # Errors
    /// [`WalletError::Insufficient`] when less is held.
    pub fn undo_posting(
        self,
        amount: Money,
        posting: PostingId,
        at: Timestamp,
    ) -> Result<(Self, Entry), WalletError> {
        let minor = self.positive(amount)?;
        let delta = Deltas { available: minor, held: -minor, ..Deltas::default() };
        self.post(delta, None, EntryKind::CreditUnposted { posting }, at)
    }

    /// An invoice used up credit that lay on the Stripe customer balance.
    ///
    /// # Errors
    /// [`WalletError::Insufficient`] when less is held.
    pub fn apply_to_invoice(
        self,
        amount: Money,
        invoice: InvoiceId,
        at: Timestamp,
    ) -> Result<(Self, Entry), WalletError> {
        let minor = self.positive(amount)?;
        let delta = Deltas { held: -minor, ..Deltas::default() };
        let (mut wallet, entry) =
            self.post(delta, Some((House::InvoiceRevenue, minor)), EntryKind::CreditApplied { invoice }, at)?;
        wallet.applied = wallet.applied.checked_add(minor).ok_or(MoneyError::Overflow)?;
        Ok((wallet, entry))
    }

    /// A voided invoice gave the credit back to the Stripe customer balance.
    ///
    /// # Errors
    /// [`WalletError::NotPositive`], or an amount that does not fit.
    pub fn return_from_invoice(
        self,
        amount: Money,
        invoice: InvoiceId,
        at: Timestamp,
    ) -> Result<(Self, Entry), WalletError> {
        let minor = self.positive(amount)?;
        let delta = Deltas { held: minor, ..Deltas::default() };
        let house = Some((House::InvoiceRevenue, -minor));
        let (mut wallet, entry) = self.post(delta, house, EntryKind::CreditReturned { invoice }, at)?;
        wallet.applied = wallet.applied.checked_sub(minor).ok_or(MoneyError::Overflow)?;
        Ok((wallet, entry))
    }

    fn grant(
        self,
        amount: Money,
        house: House,
        kind: EntryKind,
        at: Timestamp,
    ) -> Result<(Self, Entry), WalletError> {
        let minor = self.positive(amount)?;
        let repaid = minor.min(self.buckets.owed);
        let delta = Deltas { available: minor - repaid, held: 0, owed: -repaid };
        self.post(delta, Some((house, -minor)), kind, at)
    }

    fn positive(&self, amount: Money) -> Result<i64, WalletError> {
        if amount.currency() != self.currency {
            return Err(MoneyError::CurrencyMismatch { left: self.currency, right: amount.currency() }.into());
        }
        if amount.is_positive() { Ok(amount.minor()) } else { Err(WalletError::NotPositive) }
    }

    /// Applies the change and seals the entry: the one place where a wallet's numbers move.
    fn post(
        mut self,
        delta: Deltas,
        house: Option<(House, i64)>,
        kind: EntryKind,
        at: Timestamp,
    ) -> Result<(Self, Entry), WalletError> {
        let moved = |bucket, have: i64, change: i64| match have.checked_add(change) {
            Some(after) if after >= 0 => Ok(after),
            Some(_) => Err(WalletError::Insufficient {
                bucket,
                have: Money::new(have, self.currency),
                asked: Money::new(change.saturating_neg(), self.currency),
            }),
            None => Err(MoneyError::Overflow.into()),
        };
        self.buckets = Buckets {
            available: moved(Bucket::Available, self.buckets.available, delta.available)?,
            held: moved(Bucket::Held, self.buckets.held, delta.held)?,
            owed: moved(Bucket::Owed, self.buckets.owed, delta.owed)?,
        };
        self.seq += 1;
        let mut entry = Entry {
            member: self.member.clone(),
            wallet: self.kind,
            currency: self.currency,
            seq: self.seq,
            at,
            kind,
            delta,
            house,
            after: self.buckets,
            prev_hash: self.head.clone(),
            hash: String::new(),
        };
        entry.operation()?;
        entry.hash = entry.compute_hash();
        self.head.clone_from(&entry.hash);
        Ok((self, entry))
    }
}

/// The first thing wrong with a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// An entry is missing or doubled.
    #[error("entry {found} stands where {expected} should")]
    Gap {
        /// The number that should stand here.
        expected: u64,
        /// The number that does.
        found: u64,
    },
    /// An entry's content or its link to the one before was changed.
    #[error("entry {0} does not match its hash")]
    Tampered(u64),
    /// An entry's running balance is not the sum of the changes.
    #[error("entry {0} shows a balance that its changes do not give")]
    WrongBalance(u64),
    /// The wallet is not what its entries add up to.
    #[error("the wallet does not match its last entry")]
    WalletDiffers,
}

/// Recomputes a whole statement, oldest entry first, and compares it with the wallet.
///
/// # Errors
/// The first difference.
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
        sum.available += entry.delta.available;
        sum.held += entry.delta.held;
        sum.owed += entry.delta.owed;
        if sum != entry.after {
            return Err(StatementError::WrongBalance(entry.seq));
        }
        head.clone_from(&entry.hash);
    }
    let same = wallet.buckets == sum && wallet.seq == entries.len() as u64 && wallet.head == head;
    if same { Ok(()) } else { Err(StatementError::WalletDiffers) }
}

#[cfg(test)]
#[path = "wallet_tests.rs"]
mod tests;
