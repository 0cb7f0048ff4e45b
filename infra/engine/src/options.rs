//! The options of an engine.

use std::sync::Arc;

/// The moment at which a write to a file is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncPolicy {
    /// After it is on the disk: it survives a power loss. Writes that wait at the same time share one wait.
    Always,
    /// After the operating system has it: it survives any end of the process.
    Never,
}

/// The clock, in Unix seconds.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;
