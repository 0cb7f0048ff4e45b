//! Clicks on shared links. They are kept as long as the attribution of a referral may be questioned.

use guerdon_domain::{ids::ClickId, referrals::Click};

use crate::table::{
    StoreError, handle,
    item::{Index, Key, Record},
    prefixes::Prefix,
};

/// The number of days for which a click is kept: longer than the longest window, which is a year.
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
    /// The handle for clicks on shared links.
    Clicks, clicks
}

impl Clicks<'_> {
    /// Writes a click.
    pub async fn put(self, click: &Click) -> Result<(), StoreError> {
        self.store.put(click).await
    }

    /// Reads a click by its id.
    pub async fn find(self, id: &ClickId) -> Result<Option<Click>, StoreError> {
        self.store.get(&key(id)).await
    }
}
