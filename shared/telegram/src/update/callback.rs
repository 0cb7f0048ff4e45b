//! Taps on our buttons.

use guerdon_domain::time::Timestamp;
use serde_json::Value;

use super::fields::{owned, present};
use super::message::{Chat, ChatKind, User, date, message_id};
use crate::{nav::Nav, spend::Spend};

/// A tap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The id to use in the answer.
    pub id: String,
    /// The user who tapped.
    pub from: User,
    /// The message the button is on; none when it came from an inline result.
    pub message: Option<MessageRef>,
    /// The button's data. Anyone can send any text here, so it is not trusted.
    pub data: Option<String>,
}

/// The message a button is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageRef {
    /// Its chat.
    pub chat: Chat,
    /// Its number within the chat.
    pub message_id: i32,
    /// True when it can still be edited: Telegram sends old messages without content and dates them zero.
    pub editable: bool,
}

impl Callback {
    pub(super) fn read(query: &Value) -> Option<Self> {
        Some(Self {
            id: owned(query, "id")?,
            from: User::read(present(query, "from")?)?,
            message: present(query, "message").and_then(MessageRef::read),
            data: owned(query, "data"),
        })
    }

    /// The menu that the tap opens, if the button is one of our navigation buttons.
    pub fn nav(&self) -> Option<Nav> {
        self.data.as_deref().and_then(Nav::parse)
    }

    /// The intent that the tap is about, if the button is one that confirms or cancels.
    pub fn spend(&self) -> Option<Spend> {
        self.data.as_deref().and_then(Spend::parse)
    }

    /// The message, if it is in the private chat of the user who tapped.
    pub fn private_message(&self) -> Option<MessageRef> {
        self.message
            .filter(|message| message.chat.kind == ChatKind::Private && message.chat.id == self.from.id.get())
    }
}

impl MessageRef {
    fn read(message: &Value) -> Option<Self> {
        Some(Self {
            chat: Chat::read(present(message, "chat")?)?,
            message_id: message_id(message)?,
            editable: date(message) > Timestamp::from_seconds(0),
        })
    }
}
