//! The bot's answer: a page of text and buttons, and its place in the chat.

use guerdon_domain::ids::TelegramId;
use guerdon_telegram::{keyboard::Keyboard, outbound::Outgoing, texts::Texts, update::Callback};

/// The texts of one language.
pub(crate) type Words = &'static Texts;

/// The reply to an update.
pub(crate) enum Reply {
    /// None: a bare 200.
    Nothing,
    /// This, unless the update was answered before.
    Say(Outgoing),
    /// This; the work itself has remembered the update.
    Remembered(Outgoing),
}

/// A message with its buttons, not yet addressed.
pub(crate) struct Page {
    pub(crate) text: String,
    pub(crate) keyboard: Keyboard,
}

/// The place of a page in the chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Below, as a new message.
    Below,
    /// In place of the message of this number.
    InPlaceOf(i32),
}

impl Place {
    /// The place of the page that a tap opens: its own message, unless that is too old to be edited or in another
    /// chat than the user's own.
    pub(crate) fn of(tap: &Callback) -> Self {
        match tap.private_message() {
            Some(message) if message.editable => Self::InPlaceOf(message.message_id),
            _ => Self::Below,
        }
    }
}

impl Page {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), keyboard: Keyboard::new() }
    }

    /// The page as a message to `user`.
    pub(crate) fn at(self, place: Place, user: TelegramId) -> Outgoing {
        match place {
            Place::Below => Outgoing::send_html(user, self.text, self.keyboard),
            Place::InPlaceOf(message_id) => Outgoing::edit_html(user, message_id, self.text, self.keyboard),
        }
    }
}
