//! Clicks on shared links: kept for as long as somebody may ask why a referral is whose it is.

use guerdon_domain::{ids::ClickId, referrals::Click};

use crate::table::{
    StoreError, handle,
    item::{Index, Key, Record},
    prefixes::Prefix,
};

/// Longer than the longest window, which is a year.
const KEPT_DAYS: i64 = 400;

fn key(id: &ClickId) -> Key {
    Prefix::Click.item(id)
}

impl Record for Click {
    const TYPE: &'static str = "click";
    fn key(&self) -> Key {
        key(&self.id)
    }
    fn index(&self) -> Index {
        Index { ttl: Some(self.at.plus_days(KEPT_DAYS).seconds()), ..Index::default() }
    }
}

handle! {
    /// The table's room of clicks on shared links.
    Clicks, clicks
}

impl Clicks<'_> {
    /// Remembers a click.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put(self, click: &Click) -> Result<(), StoreError> {
        self.store.put(click).await
    }

    /// A click by its id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find(self, id: &ClickId) -> Result<Option<Click>, StoreError> {
        self.store.get(&key(id)).await
    }
}
