//! Sightings of members with a device, address or means of payment, for the fraud rules. Only hashes are
//! stored.

use guerdon_domain::{fraud::Fingerprint, ids::MemberId, time::Timestamp};
use serde::{Deserialize, Serialize};

use crate::table::{
    Range, Reason, StoreError, handle,
    item::{Index, Key, Record, decode},
    keys,
    prefixes::Prefix,
};

/// A sighting: a member was seen with a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The fingerprint.
    pub print: Fingerprint,
    /// The member.
    pub member: MemberId,
    /// The instant of the latest sighting.
    pub at: Timestamp,
}

impl Record for Sighting {
    const TYPE: &'static str = "sighting";
    fn key(&self) -> Key {
        keys::sighting(&self.print, &self.member)
    }
    fn index(&self) -> Index {
        let seen = (keys::seen(&self.member), self.print.to_string());
        Index { gsi1: Some(seen), ..Index::default() }
    }
}

handle! {
    /// The handle for sightings of members with fingerprints.
    Sightings, sightings
}

impl Sightings<'_> {
    /// Records that `member` was seen with `print`. Repeating it updates the instant.
    pub async fn put(self, print: &Fingerprint, member: &MemberId, at: Timestamp) -> Result<(), StoreError> {
        self.store.put(&Sighting { print: print.clone(), member: member.clone(), at }).await
    }

    /// Reads the fingerprints that a member was seen with, at most `limit`. The index may not show the latest
    /// ones yet.
    pub async fn of(self, member: &MemberId, limit: i32) -> Result<Vec<Fingerprint>, StoreError> {
        let (items, _) = self.store.page(Range::index("gsi1", keys::seen(member)).limit(limit)).await?;
        let print = |item| {
            let pk = keys::of_item(item).pk;
            let text = Prefix::Print.strip(&pk).unwrap_or_default();
            Fingerprint::parse(text).map_err(|error| StoreError::Corrupt(Reason::of(error)))
        };
        items.iter().map(print).collect()
    }

    /// Reads which of up to 100 `members` were seen with `print`.
    pub async fn among(self, print: &Fingerprint, members: &[MemberId]) -> Result<Vec<Sighting>, StoreError> {
        match members {
            [] => Ok(Vec::new()),
            some => {
                self.store.get_all(&some.iter().map(|m| keys::sighting(print, m)).collect::<Vec<_>>()).await
            }
        }
    }

    /// Reads the members who were seen with `print`, at most `limit`.
    pub async fn with(self, print: &Fingerprint, limit: i32) -> Result<Vec<Sighting>, StoreError> {
        let (items, _) = self.store.page(Range::partition(keys::sightings(print)).limit(limit)).await?;
        items.into_iter().map(decode).collect()
    }
}
