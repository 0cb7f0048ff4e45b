//! A stamp: the actor and the instant of an action.

use serde::{Deserialize, Serialize};

use crate::ids::PrincipalId;
use crate::time::Timestamp;

/// The actor and the instant of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The operator or job.
    pub by: PrincipalId,
    /// The instant.
    pub at: Timestamp,
}
