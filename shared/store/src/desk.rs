//! What the operators' side needs: idempotent requests, the audit trail, adjustments, rate counters; and
//! the two small guards of the messaging side, seen updates and claimed notifications.

use guerdon_domain::{operators::AuditRecord, time::Timestamp, wallets::Adjustment};
use serde::{Deserialize, Serialize};

use crate::{
    Fragment, Store, StoreError,
    item::{Attributes, Index, Key, Record, number, string},
    keys,
    prefixes::Prefix,
    table::{Range, Update, Written},
};

/// The stored answer of a write that carried an `Idempotency-Key`. Permanent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredResponse {
    /// Who asked.
    pub principal: String,
    /// The key they chose.
    pub key: String,
    /// SHA-256 of route and body: the same key with another input is refused.
    pub input_hash: String,
    /// The answer's JSON.
    pub body: String,
    /// When.
    pub at: Timestamp,
}

fn response_key(principal: &str, key: &str) -> Key {
    Key::new(Prefix::Idempotency.with(format_args!("{principal}#{key}")), Prefix::Response)
}

impl Record for StoredResponse {
    const TYPE: &'static str = "response";
    fn key(&self) -> Key {
        response_key(&self.principal, &self.key)
    }
}

impl Record for AuditRecord {
    const TYPE: &'static str = "audit";
    fn key(&self) -> Key {
        Key::new(Prefix::Audit.with(self.at.month()), audit_sk(self.at, &self.id))
    }
}

fn audit_sk(at: Timestamp, id: &str) -> String {
    format!("{:013}#{id}", at.millis().max(0))
}

impl Record for Adjustment {
    const TYPE: &'static str = "adjustment";
    fn key(&self) -> Key {
        Key::new(keys::member_pk(&self.member), Prefix::Adjustment.with(&self.id))
    }
}

/// A Telegram update that was answered. Kept for two days: Telegram redelivers for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SeenUpdate {
    update_id: i64,
    seen_at: Timestamp,
}

impl Record for SeenUpdate {
    const TYPE: &'static str = "update";
    fn key(&self) -> Key {
        Prefix::Update.item(self.update_id)
    }
    fn index(&self) -> Index {
        Index { ttl: Some(self.seen_at.plus_days(2).seconds()), ..Index::default() }
    }
}

/// A notification that is being or was sent, by the event that caused it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The event's natural key.
    pub event: String,
    /// When sending was claimed.
    pub claimed_at: Timestamp,
    /// The message that claimed it.
    pub claimed_by: String,
    /// When the Bot API took it.
    pub sent_at: Option<Timestamp>,
}

/// What came of claiming a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Ours to send.
    Ours,
    /// It was sent.
    Sent,
    /// Another message has claimed it and may still be sending.
    Others,
}

impl Record for Notification {
    const TYPE: &'static str = "notification";
    fn key(&self) -> Key {
        Prefix::Notification.item(&self.event)
    }
    fn index(&self) -> Index {
        Index { ttl: Some(self.claimed_at.plus_days(30).seconds()), ..Index::default() }
    }
}

impl Store {
    /// Writes an audit line that the stream tells, again if need be.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_audit(&self, audit: &AuditRecord) -> Result<(), StoreError> {
        self.put(audit).await
    }

    /// A new audit line, for what has no key to be asked for again under.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert_audit<E>(&self, audit: &AuditRecord, exists: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(audit, exists)
    }

    /// The stored answer to `key` of `principal`, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stored_response(
        &self,
        principal: &str,
        key: &str,
    ) -> Result<Option<StoredResponse>, StoreError> {
        self.get(&response_key(principal, key)).await
    }

    /// The fragments of an audited write: the trail, and the answer under its key.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn audited<E: Clone>(
        &self,
        audit: &AuditRecord,
        response: &StoredResponse,
        repeated: E,
    ) -> Result<[Fragment<E>; 2], StoreError> {
        Ok([Fragment::insert(response, repeated.clone())?, Fragment::insert(audit, repeated)?])
    }

    /// The audit trail of a month (`2026-11`), newest first, at most `limit` lines that are older than the one
    /// at `before` (its instant and id).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_trail(
        &self,
        month: &str,
        before: Option<(Timestamp, &str)>,
        limit: i32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let range = Range::partition(Prefix::Audit.with(month)).newest_first().limit(limit);
        let range = match before {
            Some((at, id)) => range.sort("#sk < :before", &[(":before", string(audit_sk(at, id)))]),
            None => range,
        };
        let (items, _) = self.page(range).await?;
        items.into_iter().map(crate::item::decode).collect()
    }

    /// A new adjustment.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert_adjustment<E>(
        &self,
        adjustment: &Adjustment,
        exists: E,
    ) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(adjustment, exists)
    }

    /// Remembers an update. False when it was seen before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn see_update(&self, update_id: i64, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.insert(&SeenUpdate { update_id, seen_at: now }).await? != Written::Refused)
    }

    /// Claims the sending of a notification for the message `claimant`. A claim of another message lapses
    /// after `lease_seconds`; a message's own retry goes on at once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_notification(
        &self,
        event: &str,
        claimant: &str,
        now: Timestamp,
        lease_seconds: i64,
    ) -> Result<Claim, StoreError> {
        let claim = Notification {
            event: event.to_owned(),
            claimed_at: now,
            claimed_by: claimant.to_owned(),
            sent_at: None,
        };
        if self.insert(&claim).await? != Written::Refused {
            return Ok(Claim::Ours);
        }
        let update = Update::new("SET claimed_at = :now, claimed_by = :me")
            .only_if("attribute_not_exists(sent_at) AND (claimed_by = :me OR claimed_at <= :stale)")
            .value(":now", number(now.millis()))
            .value(":me", string(claimant))
            .value(":stale", number(now.plus_seconds(-lease_seconds).millis()));
        if self.update(&claim.key(), &update, false).await? != Written::Refused {
            return Ok(Claim::Ours);
        }
        let standing: Option<Notification> = self.get(&claim.key()).await?;
        Ok(if standing.is_some_and(|n| n.sent_at.is_some()) { Claim::Sent } else { Claim::Others })
    }

    /// The Bot API took the notification, or refused it for good.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn notification_sent(&self, event: &str, now: Timestamp) -> Result<(), StoreError> {
        let key = Prefix::Notification.item(event);
        let update = Update::new("SET sent_at = :now").value(":now", number(now.millis()));
        self.update(&key, &update, false).await.map(|_| ())
    }

    /// Counts a call of `principal` within the running minute and says how many there were.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_call(&self, principal: &str, now: Timestamp) -> Result<u64, StoreError> {
        let minute = now.seconds().div_euclid(60);
        let key = Key::new(Prefix::Rate.with(principal), format!("{minute:012}"));
        let update = Update::new("ADD calls :one SET #ttl = :ttl, #type = :type")
            .name("#ttl", "ttl")
            .name("#type", "type")
            .value(":one", number(1))
            .value(":ttl", number(now.plus_seconds(3600).seconds()))
            .value(":type", string("rate"));
        match self.update(&key, &update, true).await? {
            Written::Done(item) => Ok(count(&item, "calls")),
            Written::Refused => Ok(0),
        }
    }
}

fn count(item: &Attributes, name: &str) -> u64 {
    item.get(name).and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok()).unwrap_or_default()
}
