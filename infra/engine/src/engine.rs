//! The engine and its clients.

use std::{path::Path, sync::Arc};

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig},
};

use guerdon_database::{database::Database, error::DatabaseError};

#[cfg(feature = "sqlite")]
use crate::sqlite::Sqlite;
use crate::{
    connector::{self, Faults, NoFaults},
    dispatch::Backend,
    error::EngineError,
    options::Clock,
    stream::{StreamPage, StreamPosition},
    tables::{self, Service},
};

/// The tables of a [`Database`] that an engine keeps its data in.
pub const SCHEMA: &str = tables::SCHEMA;

/// Copies the tables of the file `from`, which has format 1, into a database of [`SCHEMA`] without tables. `progress`
/// gets the items that are copied and how many there are. Returns how many there are.
///
/// # Errors
/// [`DatabaseError`] when the file is damaged; the database is then to be thrown away.
pub fn copy_format_1(
    from: &Path,
    database: &Database,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<usize, DatabaseError> {
    tables::copy_format_1(from, database.clone(), progress)
}

/// An embedded table engine. Clones share the same data.
#[derive(Clone)]
pub struct Engine {
    pub(crate) backend: Backend,
}

impl Engine {
    /// Makes an engine in memory, on the machine's clock.
    ///
    /// # Errors
    /// None. The `Result` is there for callers that also use an engine that can fail.
    pub fn memory() -> Result<Self, EngineError> {
        Ok(Self::memory_at(Arc::new(wall_seconds)))
    }

    /// Makes an engine in memory. The clock gives the times of tables and stream records, the end of request tokens
    /// after ten minutes, and the expiry of items: a run with a clock of its own repeats to the last byte.
    pub fn memory_at(clock: Clock) -> Self {
        Self { backend: Backend::Ours(Service::new(clock)) }
    }

    /// Makes an engine in memory of the other kind, dynoxide on SQLite, for tests that compare the two.
    ///
    /// # Errors
    /// [`EngineError::Database`].
    #[cfg(feature = "sqlite")]
    pub fn memory_sqlite() -> Result<Self, EngineError> {
        Ok(Self { backend: Backend::Sqlite(Sqlite::memory()?) })
    }

    /// Makes an engine on a database, which was made with [`SCHEMA`]. Every answer waits until all that it tells of is
    /// on the disk.
    ///
    /// # Errors
    /// [`EngineError`] when the database cannot be read.
    pub fn on(database: Database) -> Result<Self, EngineError> {
        Ok(Self { backend: Backend::Ours(Service::on(database, Arc::new(wall_seconds))?) })
    }

    /// Opens an engine on a database of its own, at `path`.
    ///
    /// # Errors
    /// [`EngineError`] when the file cannot be opened, is in use, or is damaged.
    pub fn file(path: &Path) -> Result<Self, EngineError> {
        Self::on(Database::open(path, &[SCHEMA])?)
    }

    /// Makes an SDK client of this engine.
    pub fn client(&self) -> Client {
        self.client_with_faults(Arc::new(NoFaults))
    }

    /// Makes an SDK client whose requests may fail as `faults` decides.
    pub fn client_with_faults(&self, faults: Arc<dyn Faults>) -> Client {
        Client::from_conf(embedded().http_client(connector::client(self.backend.clone(), faults)).build())
    }

    /// Answers one request of the JSON protocol without the SDK: the operation is the part of `x-amz-target`
    /// after the dot. Returns the HTTP status and the body.
    ///
    /// # Errors
    /// [`EngineError::Json`] when the answer is not JSON.
    pub fn call(
        &self,
        operation: &str,
        body: &serde_json::Value,
    ) -> Result<(u16, serde_json::Value), EngineError> {
        let answer = self.backend.dispatch(operation, body.to_string().as_bytes()).wait();
        Ok((answer.status, serde_json::from_str(&answer.body)?))
    }

    /// Reads up to `limit` records of `table`'s stream after `position`.
    ///
    /// # Errors
    /// [`EngineError`] when the table has no stream.
    pub fn read_stream(
        &self,
        table: &str,
        position: &StreamPosition,
        limit: usize,
    ) -> Result<StreamPage, EngineError> {
        self.backend.read_stream(table, position, limit)
    }

    /// Counts the records of `table`'s stream after `position`. The other engine counts none.
    ///
    /// # Errors
    /// [`EngineError`] when the table has no stream.
    pub fn count_stream(&self, table: &str, position: &StreamPosition) -> Result<u64, EngineError> {
        self.backend.count_stream(table, position)
    }

    /// Deletes the records up to `position`. When the stream has several readers, `position` must be the one of the
    /// slowest reader.
    ///
    /// # Errors
    /// [`EngineError`] when the table has no stream.
    pub fn forget_read(&self, table: &str, position: &StreamPosition) -> Result<(), EngineError> {
        self.backend.forget_read(table, position)
    }

    /// Keeps only those records of `table`'s stream whose new image has one of `values` in a text attribute, as the
    /// filter of a Lambda trigger passes them. What no reader wants then takes no memory. The other engine ignores it.
    ///
    /// # Errors
    /// [`EngineError`] when the table has no stream.
    pub fn stream_only(&self, table: &str, attribute: &str, values: &[&str]) -> Result<(), EngineError> {
        self.backend.stream_only(table, attribute, values)
    }

    /// Deletes items that are expired by the table's TTL attribute. AWS does this by itself, up to days late.
    ///
    /// # Errors
    /// [`EngineError::Database`].
    pub fn sweep_ttl(&self) -> Result<usize, EngineError> {
        self.backend.sweep_ttl()
    }
}

/// The settings of every SDK client of an engine.
pub(crate) fn embedded() -> aws_sdk_dynamodb::config::Builder {
    aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("local"))
        .endpoint_url("http://embedded.invalid")
        // Inside the process a request needs no signature and no protection against a stalled answer: both together
        // took half of a request's time.
        .allow_no_auth()
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .identity_cache(IdentityCache::no_cache())
}

#[expect(clippy::disallowed_methods, reason = "the default clock; callers can pass another one")]
fn wall_seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
