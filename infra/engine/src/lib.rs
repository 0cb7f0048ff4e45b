//! The table on one machine: a DynamoDB-compatible engine inside this process.
//!
//! The client is the real SDK. Only its HTTP connector is ours: it hands each request to the embedded
//! database instead of a socket, so there is one storage code path from a test to the cloud. The connector
//! is also *the* place to make things go wrong on purpose ([`Faults`]).
//!
//! What differs from AWS (and what stands in for it): no conflicts and no throttling of its own (inject
//! them), no TTL sweeper ([`Engine::sweep_ttl`]), one stream shard ([`Engine::read_stream`]). Indexes follow
//! at once. A scan goes by the order of the partition keys, a `BatchGetItem` leaves nothing unprocessed, and
//! request tokens are forgotten at a restart. Parameters and operations that are not known, projections,
//! `BatchWriteItem` and the figures of single indexes among them, are refused by their name. Messages are
//! our own words.
mod connector;
mod dispatch;
mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;
mod stream;
mod wire;

use std::{path::Path, sync::Arc};

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig},
};

use dispatch::Backend;
use memory::Memory;
#[cfg(feature = "sqlite")]
use sqlite::Sqlite;

pub use connector::{Fault, Faults, NoFaults};
pub use stream::{StreamPage, StreamPosition};
pub use wire::{Wire, WireAnswer};

/// The engine could not be opened or asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The database refused.
    #[error("the embedded table engine: {0}")]
    Database(String),
    /// Its file could not be prepared.
    #[error("the embedded table engine's file: {0}")]
    File(#[from] std::io::Error),
    /// It answered something that is not the documented JSON.
    #[error("the embedded table engine answered malformed JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// When a write to a file is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncPolicy {
    /// When it is on the disk: it survives a power loss. Writes that wait together wait once.
    Always,
    /// When the operating system has it: it survives the end of the process, however that comes.
    Never,
}

/// Says what time it is, in Unix seconds.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// An embedded table engine. Clones share the same data.
#[derive(Clone)]
pub struct Engine {
    backend: Backend,
}

impl Engine {
    /// An engine in memory, on the machine's clock.
    ///
    /// # Errors
    /// None any more; callers were written for an engine that could refuse.
    pub fn memory() -> Result<Self, EngineError> {
        Ok(Self::memory_at(Arc::new(wall_seconds)))
    }

    /// An engine in memory. The clock dates tables and stream records, forgets request tokens after ten
    /// minutes, and says what has expired: with a clock of its own, a run repeats to the last byte.
    pub fn memory_at(clock: Clock) -> Self {
        Self { backend: Backend::Memory(Memory::new(clock)) }
    }

    /// Another engine in memory, dynoxide on SQLite, for tests that compare the two.
    ///
    /// # Errors
    /// [`EngineError::Database`].
    #[cfg(feature = "sqlite")]
    pub fn memory_sqlite() -> Result<Self, EngineError> {
        Ok(Self { backend: Backend::Sqlite(Sqlite::memory()?) })
    }

    /// An engine on a file, all of it also in memory. It survives `kill -9`; the last moments before a power
    /// loss may be missing, because nobody waits for the disk.
    ///
    /// # Errors
    /// [`EngineError`] when the file cannot be opened, is in use, or is damaged.
    pub fn file(path: &Path) -> Result<Self, EngineError> {
        Self::file_with(path, SyncPolicy::Never)
    }

    /// An engine on a file, with a say in how long a write waits.
    ///
    /// # Errors
    /// As [`Self::file`].
    pub fn file_with(path: &Path, policy: SyncPolicy) -> Result<Self, EngineError> {
        Ok(Self { backend: Backend::Memory(Memory::open(path, policy, Arc::new(wall_seconds))?) })
    }

    /// An SDK client of this engine.
    pub fn client(&self) -> Client {
        self.client_with_faults(Arc::new(NoFaults))
    }

    /// An SDK client whose requests may fail as `faults` says.
    pub fn client_with_faults(&self, faults: Arc<dyn Faults>) -> Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("local"))
            .endpoint_url("http://embedded.invalid")
            // Nothing to prove and nothing to wait for inside the process: signing and watching the answer's
            // bytes come in took half of a request's time.
            .allow_no_auth()
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .identity_cache(IdentityCache::no_cache())
            .http_client(connector::client(self.backend.clone(), faults))
            .build();
        Client::from_conf(config)
    }

    /// Answers one request of the JSON protocol without the SDK: the operation is the part of `x-amz-target`
    /// behind the dot. Gives back the HTTP status and the body.
    ///
    /// # Errors
    /// [`EngineError::Json`] when the answer is no JSON.
    pub fn call(
        &self,
        operation: &str,
        body: &serde_json::Value,
    ) -> Result<(u16, serde_json::Value), EngineError> {
        let answer = self.backend.dispatch(operation, body.to_string().as_bytes());
        Ok((answer.status, serde_json::from_str(&answer.body)?))
    }

    /// Deletes what the table's TTL attribute has let expire. AWS does it by itself, up to days late.
    ///
    /// # Errors
    /// [`EngineError::Database`].
    pub fn sweep_ttl(&self) -> Result<usize, EngineError> {
        self.backend.sweep_ttl()
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever wants another clock hands one in")]
fn wall_seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
