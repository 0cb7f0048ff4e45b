//! A version of the program, as an operator set it.

use serde::{Deserialize, Serialize};

use crate::{programs::Program, time::Timestamp};

/// A version of the program, as an operator set it. It is never changed or deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramVersion {
    /// The rules.
    pub program: Program,
    /// Payments that settle from then on are decided by it.
    pub effective_from: Timestamp,
    /// Who set it.
    pub set_by: String,
    /// When.
    pub set_at: Timestamp,
}
