//! Keys of services: programs that call the API for the business.

use guerdon_domain::{ids::ServiceKeyId, operators::ServiceKey, time::Timestamp};

use crate::table::{
    Fragment, Range, StoreError, Update, handle,
    item::{Key, Record, decode, number},
    prefixes::Prefix,
};

/// The key of an item. All keys of services share one partition: there are few, and a look-up by id reads one
/// item.
fn key(id: &ServiceKeyId) -> Key {
    Key::new(Prefix::Services, Prefix::ServiceKey.with(id))
}

impl Record for ServiceKey {
    const TYPE: &'static str = "service_key";
    fn key(&self) -> Key {
        key(&self.id)
    }
}

handle! {
    /// The handle for keys of services.
    ServiceKeys, service_keys
}

impl ServiceKeys<'_> {
    /// Reads a key by its id, revoked or not.
    pub async fn find(self, id: &ServiceKeyId) -> Result<Option<ServiceKey>, StoreError> {
        self.store.get(&key(id)).await
    }

    /// Reads up to `limit` keys by id, after `after`.
    pub async fn list(self, after: Option<&ServiceKeyId>, limit: i32) -> Result<Vec<ServiceKey>, StoreError> {
        let start = after.map(|id| key(id).attributes());
        let (items, _) =
            self.store.page(Range::partition(Prefix::Services).limit(limit).start_after(start)).await?;
        items.into_iter().map(decode).collect()
    }

    /// Inserts a new key.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert<E>(self, key: &ServiceKey, exists: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(key, exists)
    }

    /// Revokes the key from `at` on.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn revoke<E>(self, id: &ServiceKeyId, at: Timestamp, revoked: E) -> Result<Fragment<E>, StoreError> {
        let update = Update::new("SET revoked_at = :at")
            .only_if("attribute_exists(pk) AND attribute_not_exists(revoked_at)")
            .value(":at", number(at.millis()));
        Fragment::update(&key(id), &update, revoked)
    }
}
