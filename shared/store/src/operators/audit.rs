//! The audit trail.

use guerdon_domain::{operators::AuditRecord, time::Timestamp};

use crate::table::{
    Fragment, Range, StoreError, handle,
    item::{Key, Record, string},
    prefixes::Prefix,
};

impl Record for AuditRecord {
    const TYPE: &'static str = "audit";
    fn key(&self) -> Key {
        Key::new(Prefix::Audit.with(self.at.month()), audit_sk(self.at, &self.id))
    }
}

fn audit_sk(at: Timestamp, id: &str) -> String {
    format!("{:013}#{id}", at.millis().max(0))
}

handle! {
    /// The handle for the audit trail.
    Audit, audit
}

impl Audit<'_> {
    /// Writes an audit line that follows from the stream. Repeating it changes nothing.
    pub async fn put(self, audit: &AuditRecord) -> Result<(), StoreError> {
        self.store.put(audit).await
    }

    /// Inserts a new audit line for an action that has no idempotency key.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert<E>(self, audit: &AuditRecord, exists: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(audit, exists)
    }

    /// Reads the audit trail of a month (`2026-11`), newest first, at most `limit` lines that are older than
    /// the one at `before` (its instant and id).
    pub async fn trail(
        self,
        month: &str,
        before: Option<(Timestamp, &str)>,
        limit: i32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let range = Range::partition(Prefix::Audit.with(month)).newest_first().limit(limit);
        let range = match before {
            Some((at, id)) => range.sort("#sk < :before", &[(":before", string(audit_sk(at, id)))]),
            None => range,
        };
        let (items, _) = self.store.page(range).await?;
        items.into_iter().map(crate::table::item::decode).collect()
    }
}
