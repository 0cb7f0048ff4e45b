//! Updates that were answered, and claimed notifications.

use guerdon_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::table::{
    Effect, StoreError, Update, Written, handle,
    item::{Index, Key, Record, number, string},
    prefixes::Prefix,
};

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
    /// The instant at which the sending was claimed.
    pub claimed_at: Timestamp,
    /// The id of the message that claimed it.
    pub claimed_by: String,
    /// The instant at which the Bot API accepted or finally refused it.
    pub sent_at: Option<Timestamp>,
}

/// The result of claiming a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The caller must send it.
    Ours,
    /// It was sent before.
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

handle! {
    /// The handle for answered updates and claimed notifications.
    Messages, messages
}

impl Messages<'_> {
    /// Records an update. [`Effect::AlreadyApplied`] when it was recorded before.
    pub async fn see_update(self, update_id: i64, now: Timestamp) -> Result<Effect, StoreError> {
        Ok(self.store.insert(&SeenUpdate { update_id, seen_at: now }).await?.effect())
    }

    /// Claims the sending of a notification for the message `claimant`. A claim of another message expires
    /// after `lease_seconds`; a retry of the same message continues at once.
    pub async fn claim(
        self,
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
        if self.store.insert(&claim).await? != Written::Refused {
            return Ok(Claim::Ours);
        }
        let update = Update::new("SET claimed_at = :now, claimed_by = :me")
            .only_if("attribute_not_exists(sent_at) AND (claimed_by = :me OR claimed_at <= :stale)")
            .value(":now", number(now.millis()))
            .value(":me", string(claimant))
            .value(":stale", number(now.plus_seconds(-lease_seconds).millis()));
        if self.store.update(&claim.key(), &update, false).await? != Written::Refused {
            return Ok(Claim::Ours);
        }
        let standing: Option<Notification> = self.store.get(&claim.key()).await?;
        Ok(if standing.is_some_and(|n| n.sent_at.is_some()) { Claim::Sent } else { Claim::Others })
    }

    /// Records that the Bot API accepted the notification, or refused it for good.
    pub async fn sent(self, event: &str, now: Timestamp) -> Result<(), StoreError> {
        let key = Prefix::Notification.item(event);
        let update = Update::new("SET sent_at = :now").value(":now", number(now.millis()));
        self.store.update(&key, &update, false).await.map(|_| ())
    }
}
