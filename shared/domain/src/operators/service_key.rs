//! Services: programs that work for the business, and the scopes of their keys.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::{PrincipalId, ServiceKeyId};
use crate::time::Timestamp;

/// A permission of a service's key. A key has at least one, and permits nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Read members, their referrals and their earnings.
    #[serde(rename = "users:read")]
    UsersRead,
    /// Create members.
    #[serde(rename = "users:write")]
    UsersWrite,
    /// Read orders.
    #[serde(rename = "orders:read")]
    OrdersRead,
    /// Create orders and confirm that they were paid.
    #[serde(rename = "orders:write")]
    OrdersWrite,
    /// Read wallets and their statements.
    #[serde(rename = "wallets:read")]
    WalletsRead,
    /// Request withdrawals on members' behalf.
    #[serde(rename = "withdrawals:write")]
    WithdrawalsWrite,
    /// Read the figures of the referral program.
    #[serde(rename = "referrals:read")]
    ReferralsRead,
    /// Convert referrals by hand.
    #[serde(rename = "referrals:write")]
    ReferralsWrite,
    /// Issue tokens with which members act for themselves.
    #[serde(rename = "tokens:write")]
    TokensWrite,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 9] = [
        Self::UsersRead,
        Self::UsersWrite,
        Self::OrdersRead,
        Self::OrdersWrite,
        Self::WalletsRead,
        Self::WithdrawalsWrite,
        Self::ReferralsRead,
        Self::ReferralsWrite,
        Self::TokensWrite,
    ];

    /// The scope's name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UsersRead => "users:read",
            Self::UsersWrite => "users:write",
            Self::OrdersRead => "orders:read",
            Self::OrdersWrite => "orders:write",
            Self::WalletsRead => "wallets:read",
            Self::WithdrawalsWrite => "withdrawals:write",
            Self::ReferralsRead => "referrals:read",
            Self::ReferralsWrite => "referrals:write",
            Self::TokensWrite => "tokens:write",
        }
    }

    /// Reads a scope's name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// A service's key. Only the hash of its secret is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceKey {
    /// The random id: the part of the key that may be shown.
    pub id: ServiceKeyId,
    /// The operators' name for the service.
    pub name: String,
    /// The permissions.
    pub scopes: BTreeSet<Scope>,
    /// SHA-256 of the key's secret part, in hex.
    pub secret_hash: String,
    /// The operator who created it.
    pub created_by: PrincipalId,
    /// The instant of its creation.
    pub created_at: Timestamp,
    /// The instant from which it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}
