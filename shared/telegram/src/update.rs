//! Inbound updates, read field by field from the JSON value: a missing, null or unexpected field is ignored and the
//! rest is read, except in updates that carry money.

mod callback;
mod fields;
mod message;
mod money;

use guerdon_domain::time::Timestamp;
use serde_json::Value;

pub use callback::{Callback, MessageRef};
use fields::{Missing, present};
pub use message::{Chat, ChatKind, Message, User, Words};
pub use money::{PreCheckoutQuery, RefundedPayment, SubscriptionState, SuccessfulPayment};

/// The kinds that we ask Telegram for. It sends `subscription` only to bots that name it.
pub const ALLOWED_UPDATES: [&str; 5] =
    ["message", "callback_query", "pre_checkout_query", "my_chat_member", "subscription"];

/// An update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Telegram's number of the update, the same at each delivery.
    pub update_id: i64,
    /// The content.
    pub kind: UpdateKind,
}

/// The content of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateKind {
    /// A message that carries no money.
    Message(Message),
    /// A tap on a button.
    Callback(Callback),
    /// A payment that is about to be made. It must be answered within ten seconds.
    PreCheckout(PreCheckoutQuery),
    /// A message about a settled payment.
    SuccessfulPayment {
        /// The payer.
        from: User,
        /// The chat.
        chat: Chat,
        /// The time.
        date: Timestamp,
        /// The content.
        payment: SuccessfulPayment,
    },
    /// A message about a refunded payment.
    RefundedPayment {
        /// The payer.
        from: User,
        /// The chat.
        chat: Chat,
        /// The time.
        date: Timestamp,
        /// The content.
        payment: RefundedPayment,
    },
    /// A Stars subscription changed its state.
    StarsSubscription {
        /// The subscriber.
        user: User,
        /// The payload of the invoice that started it.
        invoice_payload: String,
        /// The state it is in now.
        state: SubscriptionState,
    },
    /// The bot's own membership of a chat changed. In a private chat this is a block or an unblock.
    MyChatMember {
        /// The user who changed it.
        user: User,
        /// The chat.
        chat: Chat,
        /// True when the bot is now excluded.
        blocked: bool,
    },
    /// An update that we do not handle, by its key.
    Other(String),
}

/// Reasons why a body cannot be acknowledged as an update.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The body is not JSON.
    #[error("the body is not JSON")]
    NotJson,
    /// The body has no `update_id`.
    #[error("the body has no update_id")]
    NotAnUpdate,
    /// This update carries money and cannot be read: its body must be stored and a person must look at it.
    #[error("update {update_id} is a {kind} without a usable {field}")]
    BadMoneyUpdate {
        /// The update's number.
        update_id: i64,
        /// The key of the kind.
        kind: &'static str,
        /// The key of the field that is missing or invalid.
        field: &'static str,
    },
}

impl Update {
    /// Reads a webhook body.
    ///
    /// # Errors
    /// [`ParseError`]. A kind that we do not know, or do not need and cannot read, is not an error.
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        Self::from_value(&serde_json::from_slice(body).map_err(|_| ParseError::NotJson)?)
    }

    /// Reads one element of a `getUpdates` result.
    ///
    /// # Errors
    /// Those of [`Update::parse`].
    pub fn from_value(update: &Value) -> Result<Self, ParseError> {
        let update_id = fields::int(update, "update_id").ok_or(ParseError::NotAnUpdate)?;
        let bad =
            |kind: &'static str| move |Missing(field)| ParseError::BadMoneyUpdate { update_id, kind, field };

        let kind = if let Some(query) = present(update, "pre_checkout_query") {
            PreCheckoutQuery::read(query).map(UpdateKind::PreCheckout).map_err(bad("pre_checkout_query"))?
        } else if let Some(subscription) = present(update, "subscription") {
            money::subscription(subscription).map_err(bad("subscription"))?
        } else if let Some(message) = present(update, "message") {
            if let Some(payment) = present(message, "successful_payment") {
                money::successful(message, payment).map_err(bad("successful_payment"))?
            } else if let Some(payment) = present(message, "refunded_payment") {
                money::refunded(message, payment).map_err(bad("refunded_payment"))?
            } else {
                Message::read(message).map_or_else(|| other(update), UpdateKind::Message)
            }
        } else {
            moneyless(update)
        };
        Ok(Self { update_id, kind })
    }
}

/// The kinds that may be dropped when they cannot be read.
fn moneyless(update: &Value) -> UpdateKind {
    let read = if let Some(query) = present(update, "callback_query") {
        Callback::read(query).map(UpdateKind::Callback)
    } else if let Some(change) = present(update, "my_chat_member") {
        my_chat_member(change)
    } else {
        None
    };
    read.unwrap_or_else(|| other(update))
}

fn my_chat_member(change: &Value) -> Option<UpdateKind> {
    let chat = Chat::read(present(change, "chat")?)?;
    let user = message::person(change)?;
    let status = fields::text(present(change, "new_chat_member")?, "status")?;
    Some(UpdateKind::MyChatMember { user, chat, blocked: status == "kicked" })
}

/// An update has one key besides its number, and that key is its kind.
fn other(update: &Value) -> UpdateKind {
    let keys = update.as_object().into_iter().flatten();
    let kind = keys.filter(|(key, value)| *key != "update_id" && !value.is_null()).map(|(key, _)| key).next();
    UpdateKind::Other(kind.cloned().unwrap_or_default())
}

#[cfg(test)]
mod tests;
