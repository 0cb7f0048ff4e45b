//! A withdrawal and the ways it may go.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{MemberId, WithdrawalId},
    money::Money,
    operators::Stamp,
    time::Timestamp,
    wallets::WalletKind,
    withdrawals::{PayoutMethod, SealedDestination},
};

/// The rules of withdrawing, as a preset sets them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalRules {
    /// The wallet that is paid out.
    pub wallet: WalletKind,
    /// The least that may be asked for.
    pub minimum: Money,
    /// Seconds from one request to the next, unless it was turned down.
    #[serde(default)]
    pub cool_down_seconds: i64,
    /// Who approves may not be who pays.
    #[serde(default)]
    pub four_eyes: bool,
    /// Ways of paying out.
    pub methods: Vec<PayoutMethod>,
}

/// Where a withdrawal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithdrawalState {
    /// Asked for; the money is held.
    Requested,
    /// An operator agreed.
    Approved,
    /// Claimed by whoever pays it: the money may have left.
    Paying,
    /// The money has left, with proof.
    Paid,
    /// Turned down; the money is available again.
    Rejected,
    /// The payout failed for good; the money is available again.
    Failed,
}

impl WithdrawalState {
    /// The word used in keys and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Paying => "paying",
            Self::Paid => "paid",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }

    /// Every state there is.
    pub const ALL: [Self; 6] =
        [Self::Requested, Self::Approved, Self::Paying, Self::Paid, Self::Rejected, Self::Failed];

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Nothing more can happen to it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Paid | Self::Rejected | Self::Failed)
    }
}

/// A member's request to be paid out. It carries its whole history, so that it is its own audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// `{member}-{seq}`.
    pub id: WithdrawalId,
    /// Whose money.
    pub member: MemberId,
    /// The entry that holds it.
    pub seq: u64,
    /// The wallet it comes from.
    pub wallet: WalletKind,
    /// How much.
    pub amount: Money,
    /// Where it goes.
    pub destination: SealedDestination,
    /// The key under which it was asked for: the same key never makes a second one.
    pub request_key: String,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// Where it stands.
    pub state: WithdrawalState,
    /// Who agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Stamp>,
    /// Who claimed it for paying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed: Option<Stamp>,
    /// The bank batch it was exported in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// Since when nobody knows whether the money left. To be looked up, never to be paid again blindly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_since: Option<Timestamp>,
    /// Who ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Stamp>,
    /// The payout's reference at the bank or provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// Why it was rejected or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
