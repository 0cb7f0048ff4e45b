//! Operators: the business's staff.

use serde::{Deserialize, Serialize};

use crate::{ids::MemberId, time::Timestamp};

/// An operator's role. A higher role may do all that a lower one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees everything, decides about members, payments and withdrawals.
    Admin,
    /// Also changes the rules and the operators.
    SuperAdmin,
}

impl Role {
    /// The role's name in the API and in tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::SuperAdmin => "super_admin",
        }
    }
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// The pseudonym of their Telegram id, which they sign in with.
    pub id: MemberId,
    /// The role.
    pub role: Role,
    /// The password's argon2id hash in PHC form.
    pub password: String,
    /// Attempts that an earlier version counted here, and that a version beside this one still reads. Not used.
    pub attempts: u32,
    /// A lock that an earlier version wrote. Not used: a stranger could renew it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<Timestamp>,
    /// The number of changes of password and role. Sessions of an earlier generation have ended.
    pub generation: u32,
    /// The instant at which the operator was created.
    pub created_at: Timestamp,
}
