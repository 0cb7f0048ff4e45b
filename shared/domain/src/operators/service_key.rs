//! Services: the programs that work for the business, and what their keys open.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What a service's key opens. A key has one or more of them and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Sees members, what they brought and earned.
    #[serde(rename = "users:read")]
    UsersRead,
    /// Makes members.
    #[serde(rename = "users:write")]
    UsersWrite,
    /// Sees orders.
    #[serde(rename = "orders:read")]
    OrdersRead,
    /// Makes orders and vouches that they were paid.
    #[serde(rename = "orders:write")]
    OrdersWrite,
    /// Sees wallets and their statements.
    #[serde(rename = "wallets:read")]
    WalletsRead,
    /// Asks for withdrawals on members' behalf.
    #[serde(rename = "withdrawals:write")]
    WithdrawalsWrite,
    /// Sees the referral program's figures.
    #[serde(rename = "referrals:read")]
    ReferralsRead,
    /// Converts referrals by hand.
    #[serde(rename = "referrals:write")]
    ReferralsWrite,
    /// Gives members tokens, with which they act for themselves.
    #[serde(rename = "tokens:write")]
    TokensWrite,
}

impl Scope {
    /// Every scope there is.
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

    /// The word used in the API.
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

    /// Reads a scope's word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// A service's key, known by its hash alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceKey {
    /// Random; the part of the key that may be shown.
    pub id: String,
    /// What operators call the service.
    pub name: String,
    /// What it opens.
    pub scopes: BTreeSet<Scope>,
    /// SHA-256 of the key's secret part, in hex.
    pub secret_hash: String,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Since when it opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}
