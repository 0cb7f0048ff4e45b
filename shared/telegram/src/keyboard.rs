//! Inline keyboards.

use teloxide_core::types::{
    CopyTextButton, InlineKeyboardButton, InlineKeyboardButtonKind, InlineKeyboardMarkup,
};

use crate::{nav::Nav, spend::Spend};

/// Longest text that a button may copy, in characters.
const MAX_COPY: usize = 256;

/// A button under a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    text: String,
    action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Action {
    Url(String),
    Nav(Nav),
    Spend(Spend),
    Copy(String),
}

impl Button {
    /// Opens a link. A button whose text is not an absolute URL is left out of the keyboard, because
    /// Telegram would refuse the whole message.
    pub fn url(text: impl Into<String>, url: impl Into<String>) -> Self {
        Self { text: text.into(), action: Action::Url(url.into()) }
    }

    /// Opens another of our menus.
    pub fn nav(text: impl Into<String>, nav: Nav) -> Self {
        Self { text: text.into(), action: Action::Nav(nav) }
    }

    /// Confirms or cancels what moves money.
    pub fn spend(text: impl Into<String>, spend: Spend) -> Self {
        Self { text: text.into(), action: Action::Spend(spend) }
    }

    /// Copies `payload`. A button whose payload is empty or over 256 characters is left out of the keyboard.
    pub fn copy(text: impl Into<String>, payload: impl Into<String>) -> Self {
        Self { text: text.into(), action: Action::Copy(payload.into()) }
    }

    fn into_telegram(self) -> Option<InlineKeyboardButton> {
        let kind = match self.action {
            Action::Url(url) => InlineKeyboardButtonKind::Url(url.parse().ok()?),
            Action::Nav(nav) => InlineKeyboardButtonKind::CallbackData(nav.encode()),
            Action::Spend(spend) => InlineKeyboardButtonKind::CallbackData(spend.encode()),
            Action::Copy(text) if (1..=MAX_COPY).contains(&text.chars().count()) => {
                InlineKeyboardButtonKind::CopyText(CopyTextButton { text })
            }
            Action::Copy(_) => return None,
        };
        (!self.text.is_empty()).then(|| InlineKeyboardButton::new(self.text, kind))
    }
}

/// Rows of buttons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyboard {
    rows: Vec<Vec<Button>>,
}

impl Keyboard {
    /// Makes a keyboard without buttons.
    pub const fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Adds a row at the bottom.
    #[must_use]
    pub fn row(mut self, buttons: impl IntoIterator<Item = Button>) -> Self {
        self.rows.push(buttons.into_iter().collect());
        self
    }

    /// The markup; none when no button is left. An edit then removes the old keyboard.
    pub(crate) fn into_telegram(self) -> Option<InlineKeyboardMarkup> {
        let rows = self.rows.into_iter();
        let rows = rows.map(|row| row.into_iter().filter_map(Button::into_telegram).collect::<Vec<_>>());
        let rows: Vec<_> = rows.filter(|row| !row.is_empty()).collect();
        (!rows.is_empty()).then(|| InlineKeyboardMarkup::new(rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn buttons_are_what_telegram_reads() {
        let keyboard = Keyboard::new()
            .row([Button::url("Share", "https://t.me/share/url?url=x"), Button::copy("Copy", "ABCD2345")])
            .row([Button::nav("Help", Nav::Help)]);
        assert_eq!(
            serde_json::to_value(keyboard.into_telegram()).unwrap(),
            json!({"inline_keyboard": [
                [{"text": "Share", "url": "https://t.me/share/url?url=x"},
                 {"text": "Copy", "copy_text": {"text": "ABCD2345"}}],
                [{"text": "Help", "callback_data": "nav:help"}],
            ]})
        );
    }

    #[test]
    fn a_bad_button_does_not_cost_the_message() {
        let bad =
            || [Button::url("x", "not a url"), Button::copy("x", "y".repeat(257)), Button::copy("x", "")];
        assert_eq!(Keyboard::new().row(bad()).row([Button::nav("", Nav::Help)]).into_telegram(), None);
        let keyboard =
            Keyboard::new().row(bad()).row([Button::nav("Help", Nav::Help)]).into_telegram().unwrap();
        assert_eq!(keyboard.inline_keyboard.len(), 1);
        assert!(Keyboard::new().row([Button::copy("x", "é".repeat(256))]).into_telegram().is_some());
    }
}
