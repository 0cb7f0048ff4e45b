//! The referral: the edge between a referrer and a referee, and its state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    ids::{MemberId, PaymentKey, RuleId},
    stored::is_default,
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
    #[serde(default, skip_serializing_if = "is_default")]
    pub undone: u32,
    /// The state.
    #[serde(flatten)]
    pub state: ReferralState,
}

impl Referral {
    /// True when a payment has converted it.
    pub const fn is_converted(&self) -> bool {
        matches!(self.state, ReferralState::Converted { .. })
    }

    /// True when a payment counts towards a rule, so the referee is a payer and the window does not close any more.
    pub fn is_counting(&self) -> bool {
        self.progress.values().any(|progress| !progress.is_empty())
    }
}

/// A referee's progress towards a rule that counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Payments that satisfied a rule that counts them, and were not undone.
    #[serde(default)]
    pub payments: u32,
    /// The number of such payments in each month, as `2026-11`, for a rule that counts months.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "months")]
    pub months: BTreeMap<String, u32>,
    /// The payment that the rule has rewarded, unless it was undone as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewarded: Option<PaymentKey>,
}

impl Progress {
    /// True when nothing counts.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Counts a payment of `month`. Returns how many payments or months there are now, and whether this payment made one
    /// more.
    pub fn count(&mut self, counted: Counted, month: String) -> (usize, bool) {
        match counted {
            Counted::Payments => {
                self.payments = self.payments.saturating_add(1);
                (self.payments as usize, true)
            }
            Counted::Months => {
                let payments = self.months.entry(month).or_default();
                *payments = payments.saturating_add(1);
                let is_new = *payments == 1;
                (self.months.len(), is_new)
            }
        }
    }

    /// Takes back what [`count`](Self::count) counted of a payment of `month`.
    pub fn uncount(&mut self, counted: Counted, month: &str) {
        match counted {
            Counted::Payments => self.payments = self.payments.saturating_sub(1),
            Counted::Months => {
                let Some(payments) = self.months.get_mut(month) else { return };
                *payments = payments.saturating_sub(1);
                if *payments == 0 {
                    self.months.remove(month);
                }
            }
        }
    }
}

/// What a rule counts before it rewards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Payments.
    Payments,
    /// Months with a payment.
    Months,
}

/// Months with their numbers of payments are stored as a list, with a month for each payment.
mod months {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(months: &BTreeMap<String, u32>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(months.iter().flat_map(|(month, payments)| (0..*payments).map(move |_| month)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, u32>, D::Error> {
        let mut months = BTreeMap::<String, u32>::new();
        for month in Vec::<String>::deserialize(from)? {
            let payments = months.entry(month).or_default();
            *payments = payments.saturating_add(1);
        }
        Ok(months)
    }
}
