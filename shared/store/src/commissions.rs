//! Commissions, and the markers of due ones.

use aws_sdk_dynamodb::types::AttributeValue;
use guerdon_domain::{
    commissions::{Commission, CommissionState},
    ids::{MemberId, RuleId},
    payments::{PaymentRecord, Verdict},
    referrals::Referral,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::table::{
    Fragment, Range, StoreError, Update, handle,
    item::{Index, Key, Record, decode, number, string},
    keys::{self, CommissionOf},
    prefixes::Prefix,
};

impl Record for Commission {
    const TYPE: &'static str = "commission";
    fn key(&self) -> Key {
        let snapshot = &self.snapshot;
        let of = CommissionOf { referee: &self.referee, rule: &snapshot.rule.id, level: snapshot.level };
        keys::commission(&self.beneficiary, self.place, self.paid_at, &self.id, &of)
    }
    fn index(&self) -> Index {
        // A frozen commission cannot be claimed, so its time to be claimed does not run out either.
        let Some(end) = self.claim_ends_at().filter(|_| !self.frozen) else {
            let held = self.is_releasable().then(|| (keys::held(&self.beneficiary), self.due_at.millis()));
            return Index { gsi2: held, ..Index::default() };
        };
        Index {
            gsi1: Some((keys::to_claim(&self.beneficiary), format!("{}#{}", keys::sortable(end), self.id))),
            gsi2: Some((keys::claim_due(keys::shard(self.id.as_str())), end.millis())),
            ttl: None,
        }
    }
}

/// The position of a commission in its beneficiary's list: its sort key, at most 1000 bytes long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommissionCursor(String);

/// The reason why a text is not the position of a commission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the position of a commission")]
pub struct NotACommissionCursor;

impl CommissionCursor {
    /// Returns the position of `commission`.
    pub fn of(commission: &Commission) -> Self {
        Self(commission.key().sk)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CommissionCursor {
    type Error = NotACommissionCursor;

    fn try_from(text: String) -> Result<Self, NotACommissionCursor> {
        let is_one = text.len() <= 1000 && Prefix::Commission.strip(&text).is_some();
        is_one.then_some(Self(text)).ok_or(NotACommissionCursor)
    }
}

impl From<CommissionCursor> for String {
    fn from(cursor: CommissionCursor) -> Self {
        cursor.0
    }
}

/// The most commissions released in one transaction: 100 items less the wallet, its entry, and the check that
/// no flag holds them.
pub const RELEASE_BATCH: i32 = 97;

/// Some of a referrer's due commissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueCommissions {
    /// Those that the table still shows as held.
    pub held: Vec<Commission>,
    /// The index returned a full page, so there may be more.
    pub may_be_more: bool,
}

/// A marker: a referrer has commissions that are due by the end of `hour`. The sweep reads these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseDue {
    /// The beneficiary.
    pub member: MemberId,
    /// The hour's end.
    pub hour: Timestamp,
}

impl ReleaseDue {
    /// Makes the marker for a commission of `member` that is due at `due_at` and was booked at `booked_at`.
    ///
    /// A commission that is booked after it was due goes to the running hour, so no marker is made for an
    /// hour that the sweep has already passed.
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
        Key::new(keys::referrer_pk(&self.member), Prefix::ReleaseDue.with(keys::sortable(self.hour)))
    }
    fn index(&self) -> Index {
        let due = (keys::release_due(keys::shard(self.member.as_str())), self.hour.millis());
        Index { gsi2: Some(due), ..Index::default() }
    }
}

/// The keys of the payment's commissions.
pub(crate) fn keys_of(record: &PaymentRecord) -> Result<Vec<Key>, StoreError> {
    let mut found = Vec::new();
    for candidate in &record.trace {
        if let Verdict::Granted { beneficiary, place, .. } = &candidate.verdict {
            let id = record.payment.commission(&candidate.rule, candidate.level)?;
            let of = CommissionOf { referee: &record.member, rule: &candidate.rule, level: candidate.level };
            found.push(keys::commission(beneficiary, *place, record.paid_at, &id, &of));
        }
    }
    Ok(found)
}

/// The own place of a rule that rewards a first payment.
fn first_place(
    beneficiary: &MemberId,
    (joined_at, attempt): (Timestamp, u32),
    (referee, rule, level): (&MemberId, &RuleId, u8),
) -> Key {
    let of = CommissionOf { referee, rule, level };
    keys::first(beneficiary, (joined_at, attempt), &of)
}

handle! {
    /// The handle for commissions and the markers of due ones.
    Commissions, commissions
}

impl Commissions<'_> {
    /// Inserts a new commission.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert<E>(self, commission: &Commission, booked: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(commission, booked)
    }

    /// Reads the held commissions of `member` that are due by `now`, the longest due first, at most
    /// [`RELEASE_BATCH`]. The index is eventually consistent, so each is read again from the table.
    pub async fn due(self, member: &MemberId, now: Timestamp) -> Result<DueCommissions, StoreError> {
        let found: Vec<Commission> = self.store.due(keys::held(member), now, RELEASE_BATCH).await?;
        let may_be_more = found.len() >= RELEASE_BATCH as usize;
        let held = found.into_iter().filter(Commission::is_releasable).collect();
        Ok(DueCommissions { held, may_be_more })
    }

    /// Writes the commission after a settlement, released or void, if it still equals `before`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when `after` is neither.
    pub fn settle<E>(
        self,
        before: &Commission,
        after: &Commission,
        moved: E,
    ) -> Result<Fragment<E>, StoreError> {
        let mut set = "SET #state = :next, #at = :at".to_owned();
        let mut update = Update::default()
            .name("#state", "state")
            .name("#at", "at")
            .value(":next", string(after.state.as_str()))
            .value(":held", string("held"))
            .value(":clawed", number(before.clawed))
            .value(":thawed", AttributeValue::Bool(false));
        let at = match &after.state {
            CommissionState::Released { entry_seq, at } => {
                set.push_str(", entry_seq = :seq");
                update = update.value(":seq", number(entry_seq));
                at
            }
            CommissionState::Void { at, reason } => {
                let reason = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(reason)?;
                set.push_str(", reason = :reason");
                update = update.value(":reason", reason);
                at
            }
            CommissionState::Held => {
                return Err(StoreError::Corrupt("a settlement that settles nothing".into()));
            }
        };
        if let Some(allowed) = after.allowed {
            set.push_str(", allowed = :allowed");
            update = update.value(":allowed", number(allowed));
        }
        update.expression = format!("{set} REMOVE gsi2pk, gsi2sk");
        let update = update
            .value(":at", number(at.millis()))
            .only_if("#state = :held AND clawed = :clawed AND frozen = :thawed");
        Fragment::update(&before.key(), &update, moved)
    }

    /// Writes the commission after a reversal, if it still equals `before`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn replace<E>(
        self,
        before: &Commission,
        after: &Commission,
        moved: E,
    ) -> Result<Fragment<E>, StoreError> {
        let terms = Update::default()
            .name("#state", "state")
            .value(":state", string(before.state.as_str()))
            .value(":clawed", number(before.clawed))
            .value(":frozen", AttributeValue::Bool(before.frozen));
        let (claimed, terms) = match before.claimed_at {
            Some(at) => ("claimed_at = :claimed", terms.value(":claimed", number(at.millis()))),
            None => ("attribute_not_exists(claimed_at)", terms),
        };
        let condition = format!("#state = :state AND clawed = :clawed AND frozen = :frozen AND {claimed}");
        Fragment::put(after, &condition, &terms, moved)
    }

    /// Reads a commission of `member` by its position.
    pub async fn at(
        self,
        member: &MemberId,
        position: &CommissionCursor,
    ) -> Result<Option<Commission>, StoreError> {
        self.store.get(&Key::new(keys::referrer_pk(member), position.as_str())).await
    }

    /// Reads up to `limit` commissions that `member` can still claim after `now`, the first to expire first,
    /// without frozen ones.
    pub async fn redeemable(
        self,
        member: &MemberId,
        now: Timestamp,
        limit: i32,
    ) -> Result<Vec<Commission>, StoreError> {
        let range = Range::index("gsi1", keys::to_claim(member)).limit(limit);
        let range = range.sort("#sk > :now", &[(":now", string(keys::sortable(now)))]);
        let (items, _) = self.store.page(range).await?;
        self.store.get_all(&items.iter().map(keys::of_item).collect::<Vec<_>>()).await
    }

    /// Reads commissions of one shard whose time to be claimed ended by `now`, the longest due first.
    pub async fn unredeemed(
        self,
        shard: u8,
        now: Timestamp,
        limit: i32,
    ) -> Result<Vec<Commission>, StoreError> {
        self.store.due(keys::claim_due(shard), now, limit).await
    }

    /// Reads the commissions of a payment, in the order of its trace.
    pub async fn of(self, payment: &PaymentRecord) -> Result<Vec<Commission>, StoreError> {
        match keys_of(payment)?.as_slice() {
            [] => Ok(Vec::new()),
            keys => self.store.get_all(keys).await,
        }
    }

    /// Reads the commission that converted a referral, if there is one. The referral itself becomes converted
    /// a moment later, through the stream.
    pub async fn conversion(self, referral: &Referral) -> Result<Option<Commission>, StoreError> {
        let place = (referral.joined_at, referral.undone);
        self.store.get(&keys::conversion(&referral.referrer, place, &referral.referee)).await
    }

    /// Reads the commission of a rule that rewards a first payment, in the rule's own place.
    pub async fn first(
        self,
        beneficiary: &MemberId,
        (joined_at, attempt): (Timestamp, u32),
        (referee, rule, level): (&MemberId, &RuleId, u8),
    ) -> Result<Option<Commission>, StoreError> {
        self.store.get(&first_place(beneficiary, (joined_at, attempt), (referee, rule, level))).await
    }

    /// Requires that a rule has never rewarded a first payment in its own place.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn never_first<E>(
        self,
        commission: &Commission,
        joined_at: Timestamp,
        taken: E,
    ) -> Result<Fragment<E>, StoreError> {
        let of = (&commission.referee, &commission.snapshot.rule.id, commission.snapshot.level);
        Fragment::absent(&first_place(&commission.beneficiary, (joined_at, 0), of), taken)
    }

    /// Reads the commission in the place of `commission`, whichever it is.
    pub async fn in_place_of(self, commission: &Commission) -> Result<Option<Commission>, StoreError> {
        self.store.get(&commission.key()).await
    }

    /// Requires that the place of `commission` is free.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn place_is_free<E>(self, commission: &Commission, taken: E) -> Result<Fragment<E>, StoreError> {
        Fragment::absent(&commission.key(), taken)
    }

    /// Requires that nothing is left of `commission`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn still_undone<E>(self, commission: &Commission, restored: E) -> Result<Fragment<E>, StoreError> {
        Fragment::check(&commission.key(), "clawed = amount.minor", &[], restored)
    }

    /// Reads commissions of `member`, newest first, after the position `before` in that order, at most
    /// `limit`. The one that converted a referral is sorted by the time of joining, the others by the
    /// time of payment.
    pub async fn list(
        self,
        member: &MemberId,
        before: Option<&CommissionCursor>,
        limit: i32,
    ) -> Result<Vec<Commission>, StoreError> {
        let start = before.map(|before| Key::new(keys::referrer_pk(member), before.as_str()).attributes());
        let range = Range::partition(keys::referrer_pk(member))
            .prefix(Prefix::Commission.as_str())
            .newest_first()
            .limit(limit)
            .start_after(start);
        let (items, _) = self.store.page(range).await?;
        items.into_iter().map(decode).collect()
    }

    /// Reads all commissions of `member`. For verification, not for requests.
    pub async fn all(self, member: &MemberId) -> Result<Vec<Commission>, StoreError> {
        self.store.all(Range::partition(keys::referrer_pk(member)).prefix(Prefix::Commission.as_str())).await
    }

    /// Writes a marker: `member` has commissions that are due within its hour.
    pub async fn mark_due(self, marker: &ReleaseDue) -> Result<(), StoreError> {
        self.store.put(marker).await
    }

    /// Reads the markers of one shard whose hour ended by `until`, the longest due first.
    pub async fn marked(
        self,
        shard: u8,
        until: Timestamp,
        limit: i32,
    ) -> Result<Vec<ReleaseDue>, StoreError> {
        self.store.due(keys::release_due(shard), until, limit).await
    }

    /// Deletes a marker after its commissions are released.
    pub async fn unmark(self, marker: &ReleaseDue) -> Result<(), StoreError> {
        self.store.delete(&marker.key()).await
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
