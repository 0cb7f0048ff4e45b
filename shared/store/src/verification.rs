//! Reading of the whole table for verification, and its cursor.

use guerdon_domain::{commissions::Commission, payments::PaymentRecord, time::Timestamp, wallets::Wallet};
use serde::{Deserialize, Serialize};

use crate::table::{
    StoreError, handle,
    item::{Attributes, Key, Record, decode},
    keys,
};

/// The position of a reading of the whole table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanCursor {
    pk: String,
    sk: String,
}

/// The position of the scheduled verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct VerificationCursor {
    cursor: Option<ScanCursor>,
    at: Timestamp,
}

impl Record for VerificationCursor {
    const TYPE: &'static str = "verification";
    fn key(&self) -> Key {
        keys::verification()
    }
}

/// One page of the whole table: the input of a verification.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScannedPage {
    /// Wallets on it.
    pub wallets: Vec<Wallet>,
    /// Payments on it.
    pub payments: Vec<PaymentRecord>,
    /// Commissions on it.
    pub commissions: Vec<Commission>,
    /// The position to continue from; absent at the end.
    pub next: Option<ScanCursor>,
}

fn type_of(item: &Attributes) -> Option<&str> {
    item.get("type").and_then(|value| value.as_s().ok()).map(String::as_str)
}

handle! {
    /// The handle for verification: its cursor, and the whole table.
    Verification, verification
}

impl Verification<'_> {
    /// Reads the cursor of the scheduled verification; nothing when it starts from the beginning.
    pub async fn cursor(self) -> Result<Option<ScanCursor>, StoreError> {
        let kept: Option<VerificationCursor> = self.store.get(&keys::verification()).await?;
        Ok(kept.and_then(|kept| kept.cursor))
    }

    /// Writes the cursor of the scheduled verification.
    pub async fn keep_cursor(self, cursor: Option<&ScanCursor>, at: Timestamp) -> Result<(), StoreError> {
        self.store.put(&VerificationCursor { cursor: cursor.cloned(), at }).await
    }

    /// Reads the next page of the whole table. Only verification does this, because it must also find items
    /// that no list names.
    pub async fn scan(self, from: Option<&ScanCursor>, limit: i32) -> Result<ScannedPage, StoreError> {
        let start = from.map(|cursor| Key::new(&cursor.pk, &cursor.sk).attributes());
        let (items, next) = self.store.scan_page(start, limit).await?;
        let mut page = ScannedPage::default();
        for item in items {
            match type_of(&item) {
                Some(<Wallet as Record>::TYPE) => page.wallets.push(decode(item)?),
                Some(<Commission as Record>::TYPE) => page.commissions.push(decode(item)?),
                Some(<PaymentRecord as Record>::TYPE) => page.payments.push(decode(item)?),
                _ => {}
            }
        }
        page.next = next.map(|key| keys::of_item(&key)).map(|key| ScanCursor { pk: key.pk, sk: key.sk });
        Ok(page)
    }
}
