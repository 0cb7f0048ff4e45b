//! Operators: the business's staff.

use serde::{Deserialize, Serialize};

use crate::{ids::MemberId, time::Timestamp};

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

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// The pseudonym of their Telegram id, which they sign in with.
    pub id: MemberId,
    /// What they may do.
    pub role: Role,
    /// The password's argon2id hash in PHC form.
    pub password: String,
    /// Attempts since the last one that went well, each counted before its password is looked at.
    pub attempts: u32,
    /// Nobody signs in as this operator before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<Timestamp>,
    /// Counts changes of password and role: sessions of an earlier one have ended.
    pub generation: u32,
    /// Since when.
    pub created_at: Timestamp,
}
