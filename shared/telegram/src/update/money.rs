//! The kinds that carry money. When a field that we need is missing, the update is refused, not skipped.

use guerdon_domain::{
    ids::ExternalPaymentId,
    money::{Currency, Money},
    time::Timestamp,
};
use serde_json::Value;

use super::UpdateKind;
use super::fields::{Missing, flag, int, needed, owned, present, text};
use super::message::{Chat, User, date, person};

/// A payment about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreCheckoutQuery {
    /// The id to use in the answer.
    pub id: String,
    /// The user who is about to pay.
    pub from: User,
    /// The amount.
    pub total: Money,
    /// The payload that we gave the invoice, which says what is paid.
    pub invoice_payload: String,
}

/// A settled payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuccessfulPayment {
    /// The amount.
    pub total: Money,
    /// The payload that we gave the invoice, which says what is paid.
    pub invoice_payload: String,
    /// Telegram's id of the charge: the payment's natural key.
    pub telegram_payment_charge_id: ExternalPaymentId,
    /// The provider's id of the charge; empty or absent for Stars.
    pub provider_payment_charge_id: Option<String>,
    /// True for a payment of a subscription.
    pub is_recurring: bool,
    /// True for the first payment of a subscription.
    pub is_first_recurring: bool,
    /// End of the subscription that it paid for.
    pub subscription_expires: Option<Timestamp>,
}

/// A refunded payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundedPayment {
    /// The amount.
    pub total: Money,
    /// The payload of the invoice.
    pub invoice_payload: String,
    /// The id that the payment had.
    pub telegram_payment_charge_id: ExternalPaymentId,
    /// The provider's id of the charge; empty or absent for Stars.
    pub provider_payment_charge_id: Option<String>,
}

/// The states of a Stars subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionState {
    /// It renews.
    Active,
    /// The subscriber ended it.
    Canceled,
    /// A renewal could not be charged.
    Failed,
}

impl PreCheckoutQuery {
    pub(super) fn read(query: &Value) -> Result<Self, Missing> {
        Ok(Self {
            id: needed(query, "id")?,
            from: present(query, "from").and_then(User::read).ok_or(Missing("from"))?,
            total: total(query)?,
            invoice_payload: needed(query, "invoice_payload")?,
        })
    }
}

pub(super) fn successful(message: &Value, payment: &Value) -> Result<UpdateKind, Missing> {
    let (from, chat) = parties(message)?;
    let payment = SuccessfulPayment {
        total: total(payment)?,
        invoice_payload: needed(payment, "invoice_payload")?,
        telegram_payment_charge_id: charge_id(payment)?,
        provider_payment_charge_id: provider_id(payment),
        is_recurring: flag(payment, "is_recurring"),
        is_first_recurring: flag(payment, "is_first_recurring"),
        subscription_expires: int(payment, "subscription_expiration_date").map(Timestamp::from_seconds),
    };
    Ok(UpdateKind::SuccessfulPayment { from, chat, date: date(message), payment })
}

pub(super) fn refunded(message: &Value, payment: &Value) -> Result<UpdateKind, Missing> {
    let (from, chat) = parties(message)?;
    let payment = RefundedPayment {
        total: total(payment)?,
        // Only the charge id identifies the payment.
        invoice_payload: owned(payment, "invoice_payload").unwrap_or_default(),
        telegram_payment_charge_id: charge_id(payment)?,
        provider_payment_charge_id: provider_id(payment),
    };
    Ok(UpdateKind::RefundedPayment { from, chat, date: date(message), payment })
}

pub(super) fn subscription(subscription: &Value) -> Result<UpdateKind, Missing> {
    let state = match text(subscription, "state") {
        Some("active") => SubscriptionState::Active,
        Some("canceled") => SubscriptionState::Canceled,
        Some("failed") => SubscriptionState::Failed,
        // A state that we do not know: a person must decide what it means.
        _ => return Err(Missing("state")),
    };
    Ok(UpdateKind::StarsSubscription {
        user: present(subscription, "user").and_then(User::read).ok_or(Missing("user"))?,
        invoice_payload: needed(subscription, "invoice_payload")?,
        state,
    })
}

fn parties(message: &Value) -> Result<(User, Chat), Missing> {
    let chat = present(message, "chat").and_then(Chat::read).ok_or(Missing("chat"))?;
    Ok((person(message).ok_or(Missing("from"))?, chat))
}

fn total(payment: &Value) -> Result<Money, Missing> {
    let currency = text(payment, "currency").and_then(|code| Currency::parse(code).ok());
    let minor = int(payment, "total_amount").filter(|minor| *minor >= 0);
    Ok(Money::new(minor.ok_or(Missing("total_amount"))?, currency.ok_or(Missing("currency"))?))
}

fn charge_id(payment: &Value) -> Result<ExternalPaymentId, Missing> {
    const KEY: &str = "telegram_payment_charge_id";
    ExternalPaymentId::parse(needed(payment, KEY)?).map_err(|_| Missing(KEY))
}

fn provider_id(payment: &Value) -> Option<String> {
    owned(payment, "provider_payment_charge_id").filter(|id| !id.is_empty())
}
