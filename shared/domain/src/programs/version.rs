//! A version of the program, as an operator set it.

use serde::{Deserialize, Serialize};

use crate::ids::PrincipalId;
use crate::{programs::Program, time::Timestamp};

/// A version of the program, as an operator set it. It is never changed or deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramVersion {
    /// The rules.
    pub program: Program,
    /// The instant from which it decides: it applies to payments that settle then or later.
    pub effective_from: Timestamp,
    /// The operator who set it.
    pub set_by: PrincipalId,
    /// The instant at which it was set.
    pub set_at: Timestamp,
}

impl ProgramVersion {
    /// True when it decides payments that settle at `at`, unless a newer version does. A payment in the very second that
    /// is shown as its beginning belongs to it.
    pub const fn is_in_effect(&self, at: Timestamp) -> bool {
        !at.is_seconds_before(self.effective_from)
    }
}
