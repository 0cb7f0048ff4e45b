//! Dispatch of a request of the DynamoDB JSON protocol to the engine in use.

#[cfg(feature = "sqlite")]
use crate::sqlite::Sqlite;
use crate::{
    answer::Answer,
    error::EngineError,
    memory::Memory,
    stream::{StreamPage, StreamPosition},
};

/// The engine that holds the tables.
#[derive(Clone)]
pub(crate) enum Backend {
    Memory(Memory),
    #[cfg(feature = "sqlite")]
    Sqlite(Sqlite),
}

impl Backend {
    /// Runs `operation` (the part of `x-amz-target` after the dot) with its JSON body.
    pub(crate) fn dispatch(&self, operation: &str, body: &[u8]) -> Answer {
        match self {
            Self::Memory(memory) => memory.dispatch(operation, body),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => sqlite.dispatch(operation, body),
        }
    }

    /// Returns whether answers wait for the disk.
    pub(crate) fn waits_for_the_disk(&self) -> bool {
        match self {
            Self::Memory(memory) => memory.waits_for_the_disk(),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => false,
        }
    }

    pub(crate) fn read_stream(
        &self,
        table: &str,
        position: &StreamPosition,
        limit: usize,
    ) -> Result<StreamPage, EngineError> {
        match self {
            Self::Memory(memory) => memory.read_stream(table, position, limit),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => sqlite.read_stream(table, position, limit),
        }
    }

    pub(crate) fn forget_read(&self, table: &str, position: &StreamPosition) -> Result<(), EngineError> {
        match self {
            Self::Memory(memory) => memory.forget_read(table, position),
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
            Self::Memory(memory) => memory.stream_only(table, attribute, values),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Ok(()),
        }
    }

    pub(crate) fn sweep_ttl(&self) -> Result<usize, EngineError> {
        match self {
            Self::Memory(memory) => memory.sweep_ttl(),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => sqlite.sweep_ttl(),
        }
    }
}
