//! Orders: their states and payment methods.

use serde::{Deserialize, Serialize};

use crate::{
    fraud::Fingerprint,
    ids::{ExternalPaymentId, IdError, MemberId, OrderId, PaymentKey, PlanId, PrincipalId, Rail},
    money::Money,
    operators::Stamp,
    time::Timestamp,
};

/// The state of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Not paid yet.
    Pending,
    /// The payment was confirmed.
    Paid,
}

impl OrderState {
    /// Every state.
    pub const ALL: [Self; 2] = [Self::Pending, Self::Paid];

    /// The state's name in the API and in keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
        }
    }

    /// Reads a state's name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// The transfer with which an order is paid. The service sees it in its own payment system and vouches for
/// it. Rails that report to Guerdon themselves, such as Stripe, are not listed: they need no voucher.
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
    /// Every method.
    pub const ALL: [Self; 3] = [Self::Upi, Self::Bank, Self::Blik];

    /// The method's name in the API and in counters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upi => "upi",
            Self::Bank => "bank",
            Self::Blik => "blik",
        }
    }

    /// Reads a method's name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text))
    }

    /// The rail under which its payments are recorded.
    pub const fn rail(self) -> Rail {
        Rail::Bank
    }
}

/// A purchase order of one product. Its payment is a record of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The id.
    pub id: OrderId,
    /// The buyer.
    pub member: MemberId,
    /// The product: a plan's id.
    pub product: PlanId,
    /// The amount to pay.
    pub price: Money,
    /// The payment method.
    pub method: PaymentMethod,
    /// The payment system's id of the transfer, if it was known when the order was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// A keyed hash of the payer's account, such as a UPI id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Fingerprint>,
    /// The service that made it.
    pub created_by: PrincipalId,
    /// The instant at which it was made.
    pub created_at: Timestamp,
    /// The step that it has reached.
    #[serde(flatten)]
    pub step: OrderStep,
}

/// The step that an order has reached, with the data that exists at this step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OrderStep {
    /// Nothing has been paid.
    Pending,
    /// It is paid.
    Paid {
        /// The payment that paid for it.
        payment: PaymentKey,
        /// The service that reported it, and the instant.
        paid: Stamp,
    },
}

impl Order {
    /// The natural key of the transfer that the order was made with, if it was made with one.
    ///
    /// # Errors
    /// [`IdError`] when the stored text is no id.
    pub fn transfer(&self) -> Result<Option<PaymentKey>, IdError> {
        let named = |text: &String| {
            ExternalPaymentId::parse(text.as_str()).and_then(|id| PaymentKey::named(self.method.rail(), &id))
        };
        self.transaction.as_ref().map(named).transpose()
    }

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

    /// The service that reported the payment, and the instant.
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
