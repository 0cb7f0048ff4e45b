//! Messages, chats and users.

use guerdon_domain::{ids::TelegramId, members::shown_name, time::Timestamp};
use serde_json::Value;

use super::fields::{flag, int, owned, present, text};

/// A message. Its entities are not read, so an unknown kind of entity cannot make the text unreadable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number within the chat.
    pub message_id: i32,
    /// The chat.
    pub chat: Chat,
    /// The sender; channels and anonymous admins have none.
    pub from: Option<User>,
    /// Time of sending; the epoch when Telegram does not send it.
    pub date: Timestamp,
    /// Its text, when it is a text message.
    pub text: Option<String>,
    /// Whose words the text is.
    pub words: Words,
}

/// Whose words a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// The sender's own.
    Own,
    /// Somebody's: the sender forwarded them, or Telegram did.
    Forwarded,
    /// A bot's: an inline result that the sender picked, or what a business's bot wrote in the sender's name.
    Bots,
    /// A chat's: a channel, a group or an anonymous admin speaks.
    Chats,
    /// The sender's own, changed after they were sent.
    Edited,
}

/// A chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chat {
    /// Its id: the member's own in a private chat, negative elsewhere.
    pub id: i64,
    /// The kind of chat.
    pub kind: ChatKind,
}

/// The kinds of chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatKind {
    /// A chat of one person with the bot.
    Private,
    /// A basic group.
    Group,
    /// A supergroup.
    Supergroup,
    /// A channel.
    Channel,
}

/// A Telegram user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: TelegramId,
    /// True for a bot.
    pub is_bot: bool,
    /// First name; empty when Telegram leaves it out (deleted accounts).
    pub first_name: String,
    /// Last name.
    pub last_name: Option<String>,
    /// Username, without the `@`.
    pub username: Option<String>,
    /// The language of the user's app, as an IETF tag.
    pub language_code: Option<String>,
}

impl Message {
    pub(super) fn read(message: &Value) -> Option<Self> {
        Some(Self {
            message_id: message_id(message)?,
            chat: Chat::read(present(message, "chat")?)?,
            from: present(message, "from").and_then(User::read),
            date: date(message),
            text: owned(message, "text"),
            words: Words::read(message),
        })
    }
}

impl Words {
    /// Fields of forwarded messages, those from before Bot API 7.0 included.
    const FORWARDED: [&'static str; 8] = [
        "forward_origin",
        "forward_date",
        "forward_from",
        "forward_from_chat",
        "forward_from_message_id",
        "forward_sender_name",
        "forward_signature",
        "is_automatic_forward",
    ];

    /// Reads whose words they are. A field counts whatever is in it, so that a new form of it is not taken for
    /// the sender's own words.
    fn read(message: &Value) -> Self {
        let has = |field: &str| present(message, field).is_some_and(|value| *value != Value::Bool(false));
        if Self::FORWARDED.into_iter().any(has) {
            Self::Forwarded
        } else if has("via_bot") || has("sender_business_bot") {
            Self::Bots
        } else if has("sender_chat") {
            Self::Chats
        } else if has("edit_date") {
            Self::Edited
        } else {
            Self::Own
        }
    }
}

impl Chat {
    pub(super) fn read(chat: &Value) -> Option<Self> {
        let id = int(chat, "id")?;
        let kind = match text(chat, "type") {
            Some("private") => ChatKind::Private,
            Some("group") => ChatKind::Group,
            Some("supergroup") => ChatKind::Supergroup,
            Some("channel") => ChatKind::Channel,
            // Telegram itself uses the sign to distinguish people from groups.
            _ if id > 0 => ChatKind::Private,
            _ => ChatKind::Group,
        };
        Some(Self { id, kind })
    }
}

impl User {
    /// Reads a user; a private chat reads as one too, since it carries the same names.
    pub(super) fn read(user: &Value) -> Option<Self> {
        Some(Self {
            id: TelegramId::try_new(int(user, "id")?).ok()?,
            is_bot: flag(user, "is_bot"),
            first_name: shown(user, "first_name").unwrap_or_default(),
            last_name: shown(user, "last_name"),
            username: owned(user, "username"),
            language_code: owned(user, "language_code"),
        })
    }
}

/// Reads a name without what cannot be seen; none when nothing is left.
fn shown(user: &Value, field: &str) -> Option<String> {
    owned(user, field).map(|name| shown_name(&name)).filter(|name| !name.is_empty())
}

/// Finds the person on the other side of a message. In a private chat this is known even when `from` is missing
/// or names the bot (as for a refund, which the bot made).
pub(super) fn person(message: &Value) -> Option<User> {
    let from = present(message, "from").and_then(User::read);
    let chat = present(message, "chat")?;
    let private = Chat::read(chat).is_some_and(|chat| chat.kind == ChatKind::Private);
    match from {
        Some(user) if !(user.is_bot && private) => Some(user),
        _ if private => User::read(chat),
        other => other,
    }
}

pub(super) fn message_id(message: &Value) -> Option<i32> {
    i32::try_from(int(message, "message_id")?).ok()
}

pub(super) fn date(message: &Value) -> Timestamp {
    Timestamp::from_seconds(int(message, "date").unwrap_or(0))
}
