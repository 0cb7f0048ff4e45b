//! The referral: the edge between a referrer and a referee, and its state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    ids::{MemberId, PaymentKey, RuleId},
    time::Timestamp,
};

/// The state of a referral. It returns to `Pending` only when the payment that converted it was undone as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ReferralState {
    /// The referee has joined and not paid yet.
    Pending,
    /// A payment qualified.
    Converted {
        /// The payment.
        payment: PaymentKey,
        /// The instant at which the payment settled.
        at: Timestamp,
    },
    /// The window closed without a payment.
    Expired,
}

impl ReferralState {
    /// The state's name in the API.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Converted { .. } => "converted",
            Self::Expired => "expired",
        }
    }
}

/// The edge between a referrer and a referee. A referee has one referrer for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// The member who brought the referee.
    pub referrer: MemberId,
    /// The member who was brought.
    pub referee: MemberId,
    /// The referrer's own referrer, level 2. Fixed when the referee joins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upline: Option<MemberId>,
    /// The instant at which the referee joined.
    pub joined_at: Timestamp,
    /// The instant from which a payment no longer converts it.
    pub expires_at: Timestamp,
    /// The referee's progress towards rules that count payments, by rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub progress: BTreeMap<RuleId, Progress>,
    /// The number of conversions whose payment was undone as a whole.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub undone: u32,
    /// The state.
    #[serde(flatten)]
    pub state: ReferralState,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Referral {
    /// True when a payment has converted it.
    pub const fn is_converted(&self) -> bool {
        matches!(self.state, ReferralState::Converted { .. })
    }
}

/// A referee's progress towards a rule that counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Payments that satisfied a rule of [`Trigger::NthPayment`](crate::programs::Trigger).
    #[serde(default)]
    pub payments: u32,
    /// Months with such a payment, as `2026-11`, for a rule of [`Trigger::Months`](crate::programs::Trigger).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub months: Vec<String>,
}
