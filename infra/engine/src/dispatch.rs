//! Dispatch of a request of the DynamoDB JSON protocol to the engine in use.

#[cfg(feature = "sqlite")]
use crate::sqlite::Sqlite;
use crate::{
    error::EngineError,
    stream::{StreamPage, StreamPosition},
    tables::{Pending, Service},
};

/// The engine that holds the tables.
#[derive(Clone)]
pub(crate) enum Backend {
    Ours(Service),
    #[cfg(feature = "sqlite")]
    Sqlite(Sqlite),
}

impl Backend {
    /// Runs `operation` (the part of `x-amz-target` after the dot) with its JSON body.
    pub(crate) fn dispatch(&self, operation: &str, body: &[u8]) -> Pending {
        match self {
            Self::Ours(service) => service.dispatch(operation, body),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => Pending { answer: sqlite.dispatch(operation, body), tickets: Vec::new() },
        }
    }

    pub(crate) fn read_stream(
        &self,
        table: &str,
        position: &StreamPosition,
        limit: usize,
    ) -> Result<StreamPage, EngineError> {
        match self {
            Self::Ours(service) => service.read_stream(table, position, limit),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => sqlite.read_stream(table, position, limit),
        }
    }

    pub(crate) fn count_stream(&self, table: &str, position: &StreamPosition) -> Result<u64, EngineError> {
        match self {
            Self::Ours(service) => service.count_stream(table, position),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Ok(0),
        }
    }

    pub(crate) fn forget_read(&self, table: &str, position: &StreamPosition) -> Result<(), EngineError> {
        match self {
            Self::Ours(service) => service.forget_read(table, position),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Ok(()),
        }
    }

    pub(crate) fn stream_only(
        &self,
        table: &str,
        attribute: &str,
        values: &[&str],
    ) -> Result<(), EngineError> {
        match self {
            Self::Ours(service) => service.stream_only(table, attribute, values),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Ok(()),
        }
    }

    pub(crate) fn sweep_ttl(&self) -> Result<usize, EngineError> {
        match self {
            Self::Ours(service) => service.sweep_ttl(),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => sqlite.sweep_ttl(),
        }
    }
}
