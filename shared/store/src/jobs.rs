//! The automation log: the runs of scheduled jobs.

use guerdon_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::table::{
    Range, StoreError, handle,
    item::{Index, Key, Record, decode},
    keys,
    prefixes::Prefix,
};

/// The number of days for which a run is kept.
const KEPT_DAYS: i64 = 90;

/// One run of a scheduled job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRun {
    /// The function.
    pub job: String,
    /// The instant at which it began.
    pub started_at: Timestamp,
    /// The instant at which it ended.
    pub ended_at: Timestamp,
    /// The job's report, as JSON; absent when the run failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// The reason of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// A random id, because two runs may begin at once.
    pub id: String,
}

impl JobRun {
    /// The position of the run in its job's list.
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
    /// The handle for runs of scheduled jobs.
    Jobs, jobs
}

impl Jobs<'_> {
    /// Writes a run.
    pub async fn put(self, run: &JobRun) -> Result<(), StoreError> {
        self.store.put(run).await
    }

    /// Reads runs of a job, the newest first, before the one at `before`, at most `limit`.
    pub async fn list(self, job: &str, before: Option<&str>, limit: i32) -> Result<Vec<JobRun>, StoreError> {
        let partition = Prefix::Job.with(job);
        let start = before.map(|place| Key::new(partition.clone(), place).attributes());
        let range = Range::partition(partition).newest_first().limit(limit).start_after(start);
        let (items, _) = self.store.page(range).await?;
        items.into_iter().map(decode).collect()
    }
}
