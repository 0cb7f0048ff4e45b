//! Due queues: sparse, sharded, sorted by time.

use guerdon_domain::time::Timestamp;

use crate::table::{
    Range, Store, StoreError,
    item::{Record, number},
    keys,
};

impl Store {
    /// Reads the records that a due queue holds up to `now`: the index gives the keys, the table the records.
    pub(crate) async fn due<R: Record>(
        &self,
        queue: String,
        now: Timestamp,
        limit: i32,
    ) -> Result<Vec<R>, StoreError> {
        let range =
            Range::index("gsi2", queue).sort("#sk <= :now", &[(":now", number(now.millis()))]).limit(limit);
        let (items, _) = self.page(range).await?;
        self.get_all(&items.iter().map(keys::of_item).collect::<Vec<_>>()).await
    }
}
