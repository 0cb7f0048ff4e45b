//! Who was seen with which device, address or means of payment: hashes, for the fraud rules.

use guerdon_domain::{Fingerprint, MemberId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Store, StoreError,
    item::{Key, Record, decode},
    keys,
    table::Range,
};

/// A member was seen with a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The hash.
    pub print: Fingerprint,
    /// Who.
    pub member: MemberId,
    /// When last.
    pub at: Timestamp,
}

impl Record for Sighting {
    const TYPE: &'static str = "sighting";
    fn key(&self) -> Key {
        keys::sighting(&self.print, &self.member)
    }
}

impl Store {
    /// Remembers that `member` was seen with `print`, again if need be.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sight(
        &self,
        print: &Fingerprint,
        member: &MemberId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.put(&Sighting { print: print.clone(), member: member.clone(), at }).await
    }

    /// Those who were seen with `print`, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sighted(&self, print: &Fingerprint, limit: i32) -> Result<Vec<Sighting>, StoreError> {
        let (items, _) = self.page(Range::partition(keys::sightings(print)).limit(limit)).await?;
        items.into_iter().map(decode).collect()
    }
}
