//! Lists that no request keeps: a member's payments and a day's payments, written by the stream; and the
//! whole table, for verification.

use guerdon_domain::{
    commissions::Commission,
    ids::{MemberId, PaymentKey},
    payments::PaymentRecord,
    time::Timestamp,
    wallets::Wallet,
};
use serde::{Deserialize, Serialize};

use crate::{
    SHARDS, Store, StoreError,
    item::{Attributes, Index, Key, Record, decode},
    keys,
    prefixes::Prefix,
    table::Range,
};

/// A payment's line in its member's and its day's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentLink {
    /// The payment.
    pub payment: PaymentKey,
    /// Who paid.
    pub member: MemberId,
    /// When it settled.
    pub paid_at: Timestamp,
}

impl Record for PaymentLink {
    const TYPE: &'static str = "payment_link";
    fn key(&self) -> Key {
        keys::payment_of(&self.member, self.paid_at, &self.payment)
    }
    fn index(&self) -> Index {
        let shard = keys::shard(&self.payment.to_string());
        let sort = format!("{:013}#{}", self.paid_at.millis().max(0), self.payment);
        Index { gsi1: Some((keys::payments_on(&self.paid_at.day(), shard), sort)), ..Index::default() }
    }
}

/// Where a reading of the whole table stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanCursor {
    pk: String,
    sk: String,
}

/// Where the scheduled verification stands.
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

/// One page of the whole table: what a verification starts from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScannedPage {
    /// Wallets on it.
    pub wallets: Vec<Wallet>,
    /// Payments on it.
    pub payments: Vec<PaymentRecord>,
    /// Commissions on it.
    pub commissions: Vec<Commission>,
    /// Where to go on; absent at the end.
    pub next: Option<ScanCursor>,
}

impl Store {
    /// Lists a payment, again if need be.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_payment(&self, link: &PaymentLink) -> Result<(), StoreError> {
        self.put(link).await
    }

    /// A member's payments, newest first, after `before` in that order, at most `limit` (100 at the most).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn payments_of(
        &self,
        member: &MemberId,
        before: Option<&PaymentRecord>,
        limit: i32,
    ) -> Result<Vec<PaymentRecord>, StoreError> {
        let start = before.map(|p| keys::payment_of(member, p.paid_at, &p.payment).attributes());
        let range = Range::partition(keys::member_pk(member))
            .prefix(Prefix::PaymentLink.as_str())
            .newest_first()
            .limit(limit.min(100))
            .start_after(start);
        let (items, _) = self.page(range).await?;
        let links = items.into_iter().map(decode).collect::<Result<Vec<PaymentLink>, _>>()?;
        self.payments(&links).await
    }

    /// All payments of a UTC day (`2026-11-21`), in no particular order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn payments_on(&self, day: &str) -> Result<Vec<PaymentRecord>, StoreError> {
        let mut found = Vec::new();
        for shard in 0..SHARDS {
            let range = Range::index("gsi1", keys::payments_on(day, shard));
            let mut start = None;
            loop {
                let (items, next) = self.page(range.clone().start_after(start)).await?;
                let listed: Vec<Key> = items.iter().map(keys::of_item).collect();
                let links: Vec<PaymentLink> = self.get_all(&listed).await?;
                found.extend(self.payments(&links).await?);
                match next {
                    Some(key) => start = Some(key),
                    None => break,
                }
            }
        }
        Ok(found)
    }

    async fn payments(&self, links: &[PaymentLink]) -> Result<Vec<PaymentRecord>, StoreError> {
        if links.is_empty() {
            return Ok(Vec::new());
        }
        self.get_all(&links.iter().map(|link| keys::payment(&link.payment)).collect::<Vec<_>>()).await
    }

    /// Where the scheduled verification stands; nothing at the beginning of the ledger.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn verification_cursor(&self) -> Result<Option<ScanCursor>, StoreError> {
        let kept: Option<VerificationCursor> = self.get(&keys::verification()).await?;
        Ok(kept.and_then(|kept| kept.cursor))
    }

    /// Remembers where the scheduled verification stands.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_verification_cursor(
        &self,
        cursor: Option<&ScanCursor>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.put(&VerificationCursor { cursor: cursor.cloned(), at }).await
    }

    /// Reads on through the whole table. Only verification does this: it must also find what no list names.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn scan(&self, from: Option<&ScanCursor>, limit: i32) -> Result<ScannedPage, StoreError> {
        let start = from.map(|cursor| Key::new(&cursor.pk, &cursor.sk).attributes());
        let (items, next) = self.scan_page(start, limit).await?;
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

fn type_of(item: &Attributes) -> Option<&str> {
    item.get("type").and_then(|value| value.as_s().ok()).map(String::as_str)
}
