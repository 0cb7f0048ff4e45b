//! A member's wallet and its statement.
//!
//! Every change of a wallet is one [`Entry`]: the wallet's `seq` counts them, each entry holds the balance
//! after it and the hash of the one before, so a statement is gapless and tamper-evident.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{AdjustmentId, CommissionId, InvoiceId, MemberId, PostingId, WithdrawalId},
    money::{Currency, Money, MoneyError},
    time::Timestamp,
    wallets::{Bucket, Buckets, Deltas, Entry, EntryKind, House, LedgerError, WalletKind},
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
    /// The member owes something: nothing may leave before that is netted.
    #[error("{0} is owed")]
    Owes(Money),
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
    /// When the last entry was booked. Entries never go back in time, whatever the machines' clocks say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_at: Option<Timestamp>,
    /// The withdrawal under way; there is at most one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_withdrawal: Option<WithdrawalId>,
    /// When the latest withdrawal was asked for that was not turned down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrew_at: Option<Timestamp>,
}

impl Wallet {
    /// A wallet nobody has posted to yet.
    pub const fn empty(member: MemberId, kind: WalletKind, currency: Currency) -> Self {
        let buckets = Buckets { available: 0, held: 0, owed: 0 };
        Self {
            member,
            kind,
            currency,
            buckets,
            seq: 0,
            head: String::new(),
            applied: 0,
            moved_at: None,
            open_withdrawal: None,
            withdrew_at: None,
        }
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

    /// A reversal takes back what a released commission brought. What is no longer available becomes owed;
    /// what is held is promised to somebody and stays.
    ///
    /// # Errors
    /// [`WalletError::NotPositive`], or an amount that does not fit.
    pub fn claw_back(
        self,
        amount: Money,
        commission: CommissionId,
        at: Timestamp,
    ) -> Result<(Self, Entry), WalletError> {
        let minor = self.positive(amount)?;
        let taken = minor.min(self.buckets.available);
        let delta = Deltas { available: -taken, held: 0, owed: minor - taken };
        self.post(delta, Some((House::CommissionExpense, minor)), EntryKind::ClawedBack { commission }, at)
    }

    /// What was clawed back is the member's again. What they owe is paid back first.
    ///
    /// # Errors
    /// [`WalletError::NotPositive`], or an amount that does not fit.
    pub fn reinstate(
        self,
        amount: Money,
        commission: CommissionId,
        at: Timestamp,
    ) -> Result<(Self, Entry), WalletError> {
        self.grant(amount, House::CommissionExpense, EntryKind::Reinstated { commission }, at)
    }

    /// The member asks for `amount`: it is held for the withdrawal.
    ///
    /// # Errors
    /// [`WalletError::Owes`] while anything is owed, [`WalletError::Insufficient`] when less is available.
    pub fn request_withdrawal(
        self,
        amount: Money,
        withdrawal: WithdrawalId,
        at: Timestamp,
    ) -> Result<(Self, Entry), WalletError> {
        let minor = self.positive(amount)?;
        if self.buckets.owed > 0 {
            return Err(WalletError::Owes(self.owed()));
        }
        let delta = Deltas { available: -minor, held: minor, owed: 0 };
        let kind = EntryKind::WithdrawalRequested { withdrawal: withdrawal.clone() };
        let (mut wallet, entry) = self.post(delta, None, kind, at)?;
        wallet.open_withdrawal = Some(withdrawal);
        wallet.withdrew_at = Some(at);
        Ok((wallet, entry))
    }

    /// A withdrawal was rejected or failed: what it held is available again, less what is owed.
    ///
    /// # Errors
    /// [`WalletError::Insufficient`] when less is held.
    pub fn return_withdrawal(
        self,
        amount: Money,
        withdrawal: WithdrawalId,
        at: Timestamp,
    ) -> Result<(Self, Entry), WalletError> {
        let minor = self.positive(amount)?;
        let repaid = minor.min(self.buckets.owed);
        let delta = Deltas { available: minor - repaid, held: -minor, owed: -repaid };
        let (mut wallet, entry) = self.post(delta, None, EntryKind::WithdrawalReturned { withdrawal }, at)?;
        wallet.open_withdrawal = None;
        wallet.withdrew_at = None;
        Ok((wallet, entry))
    }

    /// A withdrawal was paid: what it held has left.
    ///
    /// # Errors
    /// [`WalletError::Insufficient`] when less is held.
    pub fn pay_withdrawal(
        self,
        amount: Money,
        withdrawal: WithdrawalId,
        at: Timestamp,
    ) -> Result<(Self, Entry), WalletError> {
        let minor = self.positive(amount)?;
        let delta = Deltas { available: 0, held: -minor, owed: 0 };
        let house = Some((House::Payout, minor));
        let (mut wallet, entry) = self.post(delta, house, EntryKind::WithdrawalPaid { withdrawal }, at)?;
        wallet.open_withdrawal = None;
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
        let at = self.moved_at.map_or(at, |last| last.max(at));
        self.moved_at = Some(at);
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
            correlation_id: None,
        };
        entry.operation()?;
        entry.hash = entry.compute_hash();
        self.head.clone_from(&entry.hash);
        Ok((self, entry))
    }
}

#[cfg(test)]
#[path = "wallet_tests.rs"]
mod tests;
