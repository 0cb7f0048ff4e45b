//! Operators: the business's staff.

use serde::{Deserialize, Serialize};

/// What an operator may do. A higher role may do all that a lower one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees everything, decides about members, payments and withdrawals.
    Admin,
    /// Changes the rules and who the operators are, too.
    SuperAdmin,
}

impl Role {
    /// The word used in the API and in tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::SuperAdmin => "super_admin",
        }
    }
}
