//! The options of an engine.

use std::sync::Arc;

/// The clock, in Unix seconds.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;
