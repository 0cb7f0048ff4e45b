//! Who did something, and when.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The operator or job.
    pub by: String,
    /// When.
    pub at: Timestamp,
}
