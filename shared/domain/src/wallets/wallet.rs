//! A member's wallet and its statement.
//!
//! Every change of a wallet is one [`Entry`]: the wallet's `seq` counts them, each entry holds the balance
//! after it and the hash of the one before, so a statement is gapless and tamper-evident.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{AdjustmentId, CommissionId, CustomerId, InvoiceId, MemberId, PostingId, WithdrawalId},
    money::{Currency, Money, MoneyError},
    stored::is_default,
    time::Timestamp,
    wallets::{Bucket, Buckets, Deltas, Entry, EntryKind, House, LedgerError, WalletKind},
};

/// The reason why a wallet refused a change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WalletError {
    /// The bucket holds less than the requested amount.
    #[error("{have} is {}, which is less than {asked}", bucket_word(*bucket))]
    Insufficient {
        /// The bucket that would have gone below zero.
        bucket: Bucket,
        /// The amount that it holds.
        have: Money,
        /// The requested amount.
        asked: Money,
    },
    /// The amount is zero or negative.
    #[error("the amount must be above zero")]
    NotPositive,
    /// The member owes something: nothing may leave before the debt is paid.
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
    /// The purpose.
    pub kind: WalletKind,
    /// Its currency.
    pub currency: Currency,
    /// The buckets.
    pub buckets: Buckets,
    /// The number of entries so far.
    pub seq: u64,
    /// Hash of the last entry, empty before the first.
    pub head: String,
    /// The sum that invoices have used so far, in minor units.
    pub applied: i64,
    /// The instant of the last entry. Entries never go back in time, whatever the machines' clocks show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_at: Option<Timestamp>,
    /// The open withdrawal; there is at most one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_withdrawal: Option<WithdrawalId>,
    /// The instant of the latest request for a withdrawal that was not rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrew_at: Option<Timestamp>,
    /// The number of times that a Stripe customer was taken from the member. A posting that was claimed by what was known
    /// before is refused.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fence: u32,
}

impl Wallet {
    /// A wallet without entries.
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
            fence: 0,
        }
    }

    /// The available money.
    pub const fn available(&self) -> Money {
        Money::new(self.buckets.available, self.currency)
    }

    /// The held money.
    pub const fn held(&self) -> Money {
        Money::new(self.buckets.held, self.currency)
    }

    /// The owed money.
    pub const fn owed(&self) -> Money {
        Money::new(self.buckets.owed, self.currency)
    }

    /// The credit used by invoices so far.
    pub const fn applied(&self) -> Money {
        Money::new(self.applied, self.currency)
    }

    /// Makes commissions spendable. A debt of the member is paid back first.
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

    /// Books credit that an operator gives. A debt of the member is paid back first.
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

    /// Books available credit that an operator takes back.
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

    /// Claims available credit for posting to Stripe.
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

    /// Returns the credit of a claimed posting that Stripe refused for good.
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

    /// Makes credit available again that was on the balance of a customer who gets no more bills, less what is owed.
    ///
    /// # Errors
    /// [`WalletError::Insufficient`] when less is held.
    pub fn recall(
        self,
        amount: Money,
        customer: CustomerId,
        at: Timestamp,
    ) -> Result<(Self, Entry), WalletError> {
        let minor = self.positive(amount)?;
        let repaid = minor.min(self.buckets.owed);
        let delta = Deltas { available: minor - repaid, held: -minor, owed: -repaid };
        self.post(delta, None, EntryKind::CreditRecalled { customer }, at)
    }

    /// Books credit that an invoice had used before it was recalled. The part that is no longer available becomes owed.
    ///
    /// # Errors
    /// [`WalletError::NotPositive`], or an amount that does not fit.
    pub fn apply_recalled(
        self,
        amount: Money,
        invoice: InvoiceId,
        at: Timestamp,
    ) -> Result<(Self, Entry), WalletError> {
        let minor = self.positive(amount)?;
        let taken = minor.min(self.buckets.available);
        let delta = Deltas { available: -taken, held: 0, owed: minor - taken };
        let house = Some((House::InvoiceRevenue, minor));
        let (mut wallet, entry) = self.post(delta, house, EntryKind::CreditApplied { invoice }, at)?;
        wallet.applied = wallet.applied.checked_add(minor).ok_or(MoneyError::Overflow)?;
        Ok((wallet, entry))
    }

    /// Books credit on the Stripe customer balance that an invoice used.
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

    /// Books credit that a voided invoice gave back to the Stripe customer balance.
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

    /// Takes back a released commission after a reversal. The part that is no longer available becomes owed;
    /// the held part is reserved and stays.
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

    /// Gives back what was clawed back. A debt of the member is paid back first.
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

    /// Holds `amount` for a withdrawal that the member requested.
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

    /// Makes the held money of a rejected or failed withdrawal available again, less what is owed.
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

    /// Books that the held money of a withdrawal was paid out.
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

    /// Applies the change and seals the entry. This is the only place where a wallet's numbers change.
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
