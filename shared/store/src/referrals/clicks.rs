//! Clicks on shared links. Anybody can make them, so they are kept for a month; one that brought a member is kept as
//! long as the attribution of the referral may be questioned.

use guerdon_domain::{ids::ClickId, referrals::Click, time::Timestamp};

use crate::table::{
    StoreError, Update, handle,
    item::{Index, Key, Record, number},
    prefixes::Prefix,
};

/// The number of days for which a click is kept.
const KEPT_DAYS: i64 = 30;

/// The number of days for which a click is kept that brought a member: longer than the longest window, which is a year.
const KEPT_DAYS_OF_MEMBERS: i64 = 400;

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

    /// Keeps a click longer that brought a member at `joined_at`. Changes nothing if there is none with this id.
    pub async fn keep(self, id: &ClickId, joined_at: Timestamp) -> Result<(), StoreError> {
        let update = Update::new("SET #ttl = :ttl")
            .only_if("attribute_exists(pk)")
            .name("#ttl", "ttl")
            .value(":ttl", number(joined_at.plus_days(KEPT_DAYS_OF_MEMBERS).seconds()));
        self.store.update(&key(id), &update, false).await.map(|_| ())
    }

    /// Reads a click by its id.
    pub async fn find(self, id: &ClickId) -> Result<Option<Click>, StoreError> {
        self.store.get(&key(id)).await
    }
}
