//! The table on one machine: a DynamoDB-compatible engine inside this process.
//!
//! The client is the real SDK. Only its HTTP connector is ours: it hands each request to the embedded
//! database instead of a socket, so there is one storage code path from a test to the cloud. The connector
//! is also *the* place to make things go wrong on purpose ([`Faults`]).
//!
//! What differs from AWS (and what stands in for it): no conflicts and no throttling of its own (inject
//! them), no TTL sweeper ([`Engine::sweep_ttl`]), one stream shard ([`Engine::read_stream`]).
mod connector;
mod dispatch;
mod stream;

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
};
use dynoxide::Database;

pub use connector::{Fault, Faults, NoFaults};
pub use stream::{StreamPage, StreamPosition};

/// The engine could not be opened or asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The database refused.
    #[error("the embedded table engine: {0}")]
    Database(String),
    /// Its file could not be prepared.
    #[error("the embedded table engine's file: {0}")]
    File(#[from] rusqlite::Error),
    /// It answered something that is not the documented JSON.
    #[error("the embedded table engine answered malformed JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<dynoxide::DynoxideError> for EngineError {
    fn from(error: dynoxide::DynoxideError) -> Self {
        Self::Database(error.to_string())
    }
}

/// An embedded table engine. Clones share the same data.
#[derive(Clone)]
pub struct Engine {
    db: Database,
    /// Each table's stream and its one shard: asking for them reads every record there is.
    streams: Arc<Mutex<HashMap<String, (String, String)>>>,
}

impl Engine {
    /// An engine in memory.
    ///
    /// # Errors
    /// [`EngineError::Database`].
    pub fn memory() -> Result<Self, EngineError> {
        Ok(Self { db: Database::memory()?, streams: Arc::default() })
    }

    /// An engine on a file. It survives `kill -9`; the last moments before a power loss may be missing,
    /// because the write-ahead log is not synced on each commit.
    ///
    /// # Errors
    /// [`EngineError`] when the file cannot be opened.
    pub fn file(path: &Path) -> Result<Self, EngineError> {
        let text = path.to_string_lossy();
        // The first opening makes the schema that the index below needs.
        drop(Database::new(&text)?);
        stream::index_and_trim(path)?;
        let db = Database::new(&text)?;
        // Leaving bulk loading is the engine's only switch to `synchronous=NORMAL`: 600 instead of 40
        // three-item transactions a second.
        db.enable_bulk_loading()?;
        db.disable_bulk_loading()?;
        Ok(Self { db, streams: Arc::default() })
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
            .credentials_provider(Credentials::new("local", "local", None, None, "embedded"))
            .http_client(connector::client(self.db.clone(), faults))
            .build();
        Client::from_conf(config)
    }

    /// Deletes what the table's TTL attribute has let expire. AWS does it by itself, up to days late.
    ///
    /// # Errors
    /// [`EngineError::Database`].
    pub fn sweep_ttl(&self) -> Result<usize, EngineError> {
        Ok(self.db.sweep_ttl()?)
    }
}
