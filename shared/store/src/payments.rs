//! Payments and the commissions they earn. A payment touches no item that another payment touches.

use guerdon_domain::{
    Commission, CommissionId, CommissionState, MemberId, Money, PaymentKey, Refusal, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{
    Fragment, Store, StoreError,
    item::{Index, Key, Record, number, string},
    keys,
    table::{Range, Update},
};

/// What a payment led to: the short form of its explain trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum PaymentOutcome {
    /// A commission was booked.
    Granted {
        /// The commission.
        commission: CommissionId,
        /// Who gets it.
        beneficiary: MemberId,
        /// How much.
        reward: Money,
    },
    /// Nothing was booked.
    Refused {
        /// Why.
        reason: Refusal,
    },
}

/// Money that settled, recorded once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRecord {
    /// The natural key.
    pub payment: PaymentKey,
    /// Who paid.
    pub member: MemberId,
    /// What settled, tax included.
    pub paid: Money,
    /// Tax within it.
    pub tax: Money,
    /// List price of the tier.
    pub tier: Money,
    /// When it settled.
    pub paid_at: Timestamp,
    /// When we recorded it.
    pub recorded_at: Timestamp,
    /// The program's version that decided.
    pub program_version: u32,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: PaymentOutcome,
}

impl Record for PaymentRecord {
    const TYPE: &'static str = "payment";
    fn key(&self) -> Key {
        keys::payment(&self.payment)
    }
}

impl Record for Commission {
    const TYPE: &'static str = "commission";
    fn key(&self) -> Key {
        keys::commission(&self.beneficiary, self.paid_at, self.id.as_str())
    }
    fn index(&self) -> Index {
        let due = (keys::held(&self.beneficiary), self.due_at.millis());
        Index { gsi2: matches!(self.state, CommissionState::Held).then_some(due), ..Index::default() }
    }
}

/// Commissions released in one transaction: 100 items less the wallet, its entry, and one to spare.
pub const RELEASE_BATCH: i32 = 97;

/// Some of a referrer's due commissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueCommissions {
    /// Those that are really held.
    pub held: Vec<Commission>,
    /// The index had a full page: there may be more behind it.
    pub may_be_more: bool,
}

/// A referrer has commissions that fall due by the end of `hour`: what the sweep looks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseDue {
    /// The beneficiary.
    pub member: MemberId,
    /// The hour's end.
    pub hour: Timestamp,
}

impl ReleaseDue {
    /// The marker for a commission of `member` that is due at `due_at` and was booked at `booked_at`.
    ///
    /// A commission booked after it was due goes to the running hour: no marker is ever made behind a
    /// sweep that has passed.
    pub fn of(member: MemberId, due_at: Timestamp, booked_at: Timestamp) -> Self {
        const HOUR_MILLIS: i64 = 3_600_000;
        let latest = due_at.max(booked_at).millis();
        let end = latest.div_euclid(HOUR_MILLIS).saturating_add(1).saturating_mul(HOUR_MILLIS);
        Self { member, hour: Timestamp::from_millis(end) }
    }
}

impl Record for ReleaseDue {
    const TYPE: &'static str = "release_due";
    fn key(&self) -> Key {
        Key::new(keys::referrer_pk(&self.member), format!("DUE#{:013}", self.hour.millis().max(0)))
    }
    fn index(&self) -> Index {
        let due = (keys::release_due(keys::shard(self.member.as_str())), self.hour.millis());
        Index { gsi2: Some(due), ..Index::default() }
    }
}

impl Store {
    /// The payment, if it is recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn payment(&self, key: &PaymentKey) -> Result<Option<PaymentRecord>, StoreError> {
        self.get(&keys::payment(key)).await
    }

    /// A new payment.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert_payment<E>(&self, payment: &PaymentRecord, recorded: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(payment, recorded)
    }

    /// A new commission.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert_commission<E>(
        &self,
        commission: &Commission,
        booked: E,
    ) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(commission, booked)
    }

    /// Held commissions of `member` that are due by `now`, the longest due first, at most [`RELEASE_BATCH`].
    /// The index is eventually consistent, so each is read again from the table.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due_commissions(
        &self,
        member: &MemberId,
        now: Timestamp,
    ) -> Result<DueCommissions, StoreError> {
        let found: Vec<Commission> = self.due(keys::held(member), now, RELEASE_BATCH).await?;
        let may_be_more = found.len() >= RELEASE_BATCH as usize;
        let held = found.into_iter().filter(|c| c.state == CommissionState::Held).collect();
        Ok(DueCommissions { held, may_be_more })
    }

    /// The commission enters the wallet with the entry `entry_seq`, if it is still held.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn release_commission<E>(
        &self,
        commission: &Commission,
        entry_seq: u64,
        at: Timestamp,
        not_held: E,
    ) -> Result<Fragment<E>, StoreError> {
        let update = Update::new("SET #state = :released, entry_seq = :seq, #at = :at REMOVE gsi2pk, gsi2sk")
            .only_if("#state = :held")
            .name("#state", "state")
            .name("#at", "at")
            .value(":released", string("released"))
            .value(":held", string("held"))
            .value(":seq", number(entry_seq))
            .value(":at", number(at.millis()));
        Fragment::update(&commission.key(), &update, not_held)
    }

    /// Commissions of `member`, newest first, older than `before`, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn commissions(
        &self,
        member: &MemberId,
        before: Option<(Timestamp, &CommissionId)>,
        limit: i32,
    ) -> Result<Vec<Commission>, StoreError> {
        let start = before.map(|(at, id)| keys::commission(member, at, id.as_str()).attributes());
        let range = Range::partition(keys::referrer_pk(member))
            .prefix("COMMISSION#")
            .newest_first()
            .limit(limit)
            .start_after(start);
        let (items, _) = self.page(range).await?;
        items.into_iter().map(crate::item::decode).collect()
    }

    /// Remembers that `member` has commissions falling due within the marker's hour.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mark_release_due(&self, marker: &ReleaseDue) -> Result<(), StoreError> {
        self.put(marker).await
    }

    /// Referrers of one shard whose marked hour ended by `until`, the longest due first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn releases_due(
        &self,
        shard: u8,
        until: Timestamp,
        limit: i32,
    ) -> Result<Vec<ReleaseDue>, StoreError> {
        self.due(keys::release_due(shard), until, limit).await
    }

    /// Takes a marker away once its commissions are released.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unmark_release_due(&self, marker: &ReleaseDue) -> Result<(), StoreError> {
        self.delete(&marker.key()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_never_behind_the_running_hour() {
        let at = Timestamp::from_seconds;
        let check = |due: i64, booked: i64, hour: i64| {
            let member = MemberId::parse("m").unwrap();
            assert_eq!(ReleaseDue::of(member, at(due), at(booked)).hour, at(hour), "{due} {booked}");
        };
        check(3600 * 10 + 5, 3600 * 9, 3600 * 11);
        check(3600 * 10, 3600 * 10, 3600 * 11);
        check(3600 * 2, 3600 * 10 + 1, 3600 * 11);
    }
}
