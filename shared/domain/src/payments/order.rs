//! Orders: how far one has come, and how it is paid.

use serde::{Deserialize, Serialize};

use crate::{
    fraud::Fingerprint,
    ids::{MemberId, OrderId, PaymentKey, Rail},
    money::Money,
    operators::Stamp,
    time::Timestamp,
};

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Nothing has been paid.
    Pending,
    /// It is paid.
    Paid,
}

impl OrderState {
    /// Every state there is.
    pub const ALL: [Self; 2] = [Self::Pending, Self::Paid];

    /// The word used in the API and in keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
        }
    }

    /// Reads a state's word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// How an order is paid: by a transfer that the service sees at its payment system and vouches for. Rails that we
/// see ourselves, such as Stripe, have no word here: nobody needs to vouch for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethod {
    /// India's Unified Payments Interface.
    Upi,
    /// A bank transfer.
    Bank,
    /// Poland's BLIK.
    Blik,
}

impl PaymentMethod {
    /// Every method there is.
    pub const ALL: [Self; 3] = [Self::Upi, Self::Bank, Self::Blik];

    /// The word used in the API and in counters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upi => "upi",
            Self::Bank => "bank",
            Self::Blik => "blik",
        }
    }

    /// Reads a method's word, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text))
    }

    /// The rail that its payments are on record under.
    pub const fn rail(self) -> Rail {
        Rail::Bank
    }
}

/// A purchase order of one product. Its payment is a record of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The id.
    pub id: OrderId,
    /// Who buys.
    pub member: MemberId,
    /// What: a plan's id.
    pub product: String,
    /// What has to be paid.
    pub price: Money,
    /// How it is paid.
    pub method: PaymentMethod,
    /// What the payment system calls the transfer, as far as it was told when the order was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// A keyed hash of what it is paid from, such as a UPI id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Fingerprint>,
    /// Which service made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// How far it has come, with what is known at that point.
    #[serde(flatten)]
    pub step: OrderStep,
}

/// How far an order has come, with what is known at that point and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OrderStep {
    /// Nothing has been paid.
    Pending,
    /// It is paid.
    Paid {
        /// The payment that paid for it.
        payment: PaymentKey,
        /// Which service reported that, and when.
        paid: Stamp,
    },
}

impl Order {
    /// The state, as a word.
    pub const fn state(&self) -> OrderState {
        match self.step {
            OrderStep::Pending => OrderState::Pending,
            OrderStep::Paid { .. } => OrderState::Paid,
        }
    }

    /// The payment that paid for it.
    pub const fn payment(&self) -> Option<&PaymentKey> {
        match &self.step {
            OrderStep::Pending => None,
            OrderStep::Paid { payment, .. } => Some(payment),
        }
    }

    /// Which service reported the payment, and when.
    pub const fn paid(&self) -> Option<&Stamp> {
        match &self.step {
            OrderStep::Pending => None,
            OrderStep::Paid { paid, .. } => Some(paid),
        }
    }

    /// The order as `payment` pays for it. One that is paid stays as it is: the first payment counts.
    #[must_use]
    pub fn pay(self, payment: PaymentKey, paid: Stamp) -> Self {
        match self.step {
            OrderStep::Pending => Self { step: OrderStep::Paid { payment, paid }, ..self },
            OrderStep::Paid { .. } => self,
        }
    }
}
