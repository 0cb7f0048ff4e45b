//! Withdrawals: one item each, indexed by state until the state is final.

use guerdon_domain::{
    ids::{MemberId, WithdrawalId},
    time::Timestamp,
    wallets::Wallet,
    withdrawals::{Step, Withdrawal, WithdrawalState},
};

use crate::table::{
    Fragment, Guarded, Range, StoreError, Update, handle,
    item::{Index, Key, Record, number, string},
    keys,
    prefixes::Prefix,
};

impl Record for Withdrawal {
    const TYPE: &'static str = "withdrawal";
    fn key(&self) -> Key {
        keys::withdrawal(&self.member, self.seq)
    }
    fn index(&self) -> Index {
        let listed = (keys::withdrawals(self.state()), self.requested_at.millis());
        Index { gsi2: (!self.state().is_final()).then_some(listed), ..Index::default() }
    }
}

/// Guards a step by the state only: the instant since which the outcome is unknown may change within a state.
const IN_STATE: &str = "#state = :state";

fn in_state(before: &Withdrawal) -> Update {
    Update::default().name("#state", "state").value(":state", string(before.state().as_str()))
}

handle! {
    /// The handle for withdrawals.
    Withdrawals, withdrawals
}

impl Withdrawals<'_> {
    /// Reads the withdrawal.
    pub async fn find(self, id: &WithdrawalId) -> Result<Option<Withdrawal>, StoreError> {
        match keys::withdrawal_key(id) {
            Some(key) => self.store.get(&key).await,
            None => Ok(None),
        }
    }

    /// Reads up to 100 withdrawals, in the order of `ids`; unknown ones are left out.
    pub async fn find_all(self, ids: &[WithdrawalId]) -> Result<Vec<Withdrawal>, StoreError> {
        self.store.get_all(&ids.iter().filter_map(keys::withdrawal_key).collect::<Vec<_>>()).await
    }

    /// Reads a member's withdrawals, newest first, before the one of entry `before_seq`, at most `limit`.
    pub async fn of(
        self,
        member: &MemberId,
        before_seq: Option<u64>,
        limit: i32,
    ) -> Result<Vec<Withdrawal>, StoreError> {
        let start = before_seq.map(|seq| keys::withdrawal(member, seq).attributes());
        let range = Range::partition(keys::member_pk(member))
            .prefix(Prefix::Withdrawal.as_str())
            .newest_first()
            .limit(limit)
            .start_after(start);
        let (items, _) = self.store.page(range).await?;
        items.into_iter().map(crate::table::item::decode).collect()
    }

    /// Reads withdrawals that the index shows in a state that is not final, the longest waiting first, after
    /// `after` in that order, at most `limit` and no more than 100. One whose state has just changed may
    /// still be among them.
    pub async fn in_state(
        self,
        state: WithdrawalState,
        after: Option<&Withdrawal>,
        limit: i32,
    ) -> Result<Vec<Withdrawal>, StoreError> {
        let start = after.map(|withdrawal| {
            let mut key = withdrawal.key().attributes();
            key.insert("gsi2pk".to_owned(), string(keys::withdrawals(state)));
            key.insert("gsi2sk".to_owned(), number(withdrawal.requested_at.millis()));
            key
        });
        // No more than the table reads at once.
        let range = Range::index("gsi2", keys::withdrawals(state)).limit(limit.min(100)).start_after(start);
        let (items, _) = self.store.page(range).await?;
        self.store.get_all(&items.iter().map(keys::of_item).collect::<Vec<_>>()).await
    }

    /// Inserts a new withdrawal.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert<E>(self, withdrawal: &Withdrawal, exists: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(withdrawal, exists)
    }

    /// Writes the withdrawal after a step, if it is still in the state of `before`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn replace<E>(
        self,
        before: &Withdrawal,
        after: &Withdrawal,
        moved: E,
    ) -> Result<Fragment<E>, StoreError> {
        Fragment::put(after, IN_STATE, &in_state(before), moved)
    }

    /// Like `replace`, outside of a transaction. [`Guarded::Moved`] when the state has changed in the
    /// meantime.
    pub async fn step(self, before: &Withdrawal, after: &Withdrawal) -> Result<Guarded, StoreError> {
        Ok(self.store.put_under(after, IN_STATE, &in_state(before)).await?.guarded())
    }

    /// Adds a check that the wallet owes nothing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn owes_nothing<E>(self, wallet: &Wallet, owes: E) -> Result<Fragment<E>, StoreError> {
        Fragment::check(&wallet.key(), "buckets.owed = :zero", &[(":zero", number(0))], owes)
    }

    /// Reads withdrawals that were claimed before `since` and not ended. Their payment must be looked up.
    pub async fn stuck(self, since: Timestamp, limit: i32) -> Result<Vec<Withdrawal>, StoreError> {
        const PAGE: i32 = 100;
        let stuck = |w: &Withdrawal| matches!(&w.step, Step::Paying(claim) if claim.claimed.at < since);
        let (mut found, mut last) = (Vec::new(), None);
        loop {
            let page = self.in_state(WithdrawalState::Paying, last.as_ref(), PAGE).await?;
            last = page.last().cloned();
            let end = page.len() < PAGE as usize;
            found.extend(page.into_iter().filter(stuck));
            found.truncate(usize::try_from(limit).unwrap_or_default());
            if end || found.len() >= usize::try_from(limit).unwrap_or_default() {
                return Ok(found);
            }
        }
    }
}
