//! Inbound updates, read by hand out of the JSON value: a missing, null or unexpected part costs that part
//! and nothing else, except where money hangs on it.

mod callback;
mod fields;
mod message;
mod money;

use guerdon_domain::time::Timestamp;
use serde_json::Value;

pub use callback::{Callback, MessageRef};
use fields::{Missing, present};
pub use message::{Chat, ChatKind, Message, User};
pub use money::{PreCheckoutQuery, RefundedPayment, SubscriptionState, SuccessfulPayment};

/// The kinds we ask Telegram for. `subscription` is only ever sent to those who name it.
pub const ALLOWED_UPDATES: [&str; 5] =
    ["message", "callback_query", "pre_checkout_query", "my_chat_member", "subscription"];

/// One update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Telegram's number of it: the same update delivered again has the same one.
    pub update_id: i64,
    /// The content.
    pub kind: UpdateKind,
}

/// The content of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateKind {
    /// A message without money in it.
    Message(Message),
    /// A tap on a button.
    Callback(Callback),
    /// A payment about to be made: to be answered within ten seconds.
    PreCheckout(PreCheckoutQuery),
    /// A message that says a payment settled.
    SuccessfulPayment {
        /// Who paid.
        from: User,
        /// Where.
        chat: Chat,
        /// When.
        date: Timestamp,
        /// What.
        payment: SuccessfulPayment,
    },
    /// A message that says a payment was given back.
    RefundedPayment {
        /// Who had paid.
        from: User,
        /// Where.
        chat: Chat,
        /// When.
        date: Timestamp,
        /// What.
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
    /// Our own membership of a chat changed. In a private chat that is a block or an unblock.
    MyChatMember {
        /// Who did it.
        user: User,
        /// Where.
        chat: Chat,
        /// Whether we are now shut out.
        blocked: bool,
    },
    /// Something we do not handle, by its key in the update.
    Other(String),
}

/// Why a body is not an update we may acknowledge unread.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The body is not JSON.
    #[error("the body is not JSON")]
    NotJson,
    /// The body has no `update_id`.
    #[error("the body has no update_id")]
    NotAnUpdate,
    /// Money hangs on this update and it cannot be read: keep its body and call a person.
    #[error("update {update_id} is a {kind} without a usable {field}")]
    BadMoneyUpdate {
        /// The update's number.
        update_id: i64,
        /// The key of the kind.
        kind: &'static str,
        /// The key of the part that is missing or cannot be used.
        field: &'static str,
    },
}

impl Update {
    /// Reads a webhook body.
    ///
    /// # Errors
    /// [`ParseError`]; a kind we do not know, or do not need and cannot read, is no error.
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        Self::from_value(&serde_json::from_slice(body).map_err(|_| ParseError::NotJson)?)
    }

    /// Reads one element of a `getUpdates` result.
    ///
    /// # Errors
    /// As [`Update::parse`].
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
