//! What each schedule did: its automation log.

use guerdon_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::table::{
    Range, StoreError, handle,
    item::{Index, Key, Record, decode},
    keys,
    prefixes::Prefix,
};

/// How long a run is on record, in days.
const KEPT_DAYS: i64 = 90;

/// One run of a scheduled job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRun {
    /// The function.
    pub job: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// What it reported, as JSON; absent when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Random: two runs may begin at once.
    pub id: String,
}

impl JobRun {
    /// Where the run stands in its job's list.
    pub fn place(&self) -> String {
        format!("{}#{}", keys::sortable(self.started_at), self.id)
    }
}

impl Record for JobRun {
    const TYPE: &'static str = "job_run";
    fn key(&self) -> Key {
        Key::new(Prefix::Job.with(&self.job), self.place())
    }
    fn index(&self) -> Index {
        Index { ttl: Some(self.started_at.plus_days(KEPT_DAYS).seconds()), ..Index::default() }
    }
}

handle! {
    /// The table's room of what schedules did.
    Jobs, jobs
}

impl Jobs<'_> {
    /// Keeps a run.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put(self, run: &JobRun) -> Result<(), StoreError> {
        self.store.put(run).await
    }

    /// Runs of a job, the newest first, before the one at `before`, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(self, job: &str, before: Option<&str>, limit: i32) -> Result<Vec<JobRun>, StoreError> {
        let partition = Prefix::Job.with(job);
        let start = before.map(|place| Key::new(partition.clone(), place).attributes());
        let range = Range::partition(partition).newest_first().limit(limit).start_after(start);
        let (items, _) = self.store.page(range).await?;
        items.into_iter().map(decode).collect()
    }
}
