//! The referral: who brought whom, and how far it has come.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    ids::{MemberId, PaymentKey},
    time::Timestamp,
};

/// How far a referral has come. It only ever leaves `Pending`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ReferralState {
    /// The referee has joined and not paid yet.
    Pending,
    /// A payment qualified.
    Converted {
        /// The payment.
        payment: PaymentKey,
        /// When it settled.
        at: Timestamp,
    },
    /// The window closed without a payment.
    Expired,
}

impl ReferralState {
    /// The word used in the API.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Converted { .. } => "converted",
            Self::Expired => "expired",
        }
    }
}

/// Who brought whom. A referee has one referrer for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// Who brought the referee.
    pub referrer: MemberId,
    /// Who was brought.
    pub referee: MemberId,
    /// The referrer's own referrer, level 2. Known when the referee joins, and for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upline: Option<MemberId>,
    /// When the referee joined.
    pub joined_at: Timestamp,
    /// A payment at or after this instant converts nothing any more.
    pub expires_at: Timestamp,
    /// How far the referee has come towards rules that count payments, by rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub progress: BTreeMap<String, Progress>,
    /// How far it has come.
    #[serde(flatten)]
    pub state: ReferralState,
}

impl Referral {
    /// A payment has converted it.
    pub const fn is_converted(&self) -> bool {
        matches!(self.state, ReferralState::Converted { .. })
    }
}

/// How far a referee has come towards a rule that counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Payments that satisfied a rule of [`Trigger::NthPayment`](crate::programs::Trigger).
    #[serde(default)]
    pub payments: u32,
    /// Months with such a payment, as `2026-11`, for a rule of [`Trigger::Months`](crate::programs::Trigger).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub months: Vec<String>,
}
