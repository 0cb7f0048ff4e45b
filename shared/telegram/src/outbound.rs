//! Calls of the Bot API, as values.

use guerdon_domain::ids::TelegramId;
use serde::Serialize;
use serde_json::Value;
use teloxide_core::payloads::{AnswerCallbackQuery, AnswerPreCheckoutQuery, EditMessageText, SendMessage};
use teloxide_core::types::{
    CallbackQueryId, ChatId, LinkPreviewOptions, MessageId, ParseMode, PreCheckoutQueryId, ReplyMarkup,
};

use crate::{html, keyboard::Keyboard};

/// Longest toast, in characters.
const MAX_TOAST: usize = 200;

const NO_PREVIEW: LinkPreviewOptions = LinkPreviewOptions {
    is_disabled: true,
    url: None,
    prefer_small_media: false,
    prefer_large_media: false,
    show_above_text: false,
};

/// A call of the Bot API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing(Payload);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Payload {
    SendMessage(Box<SendMessage>),
    EditMessageText(Box<EditMessageText>),
    AnswerCallbackQuery(Box<AnswerCallbackQuery>),
    AnswerPreCheckoutQuery(AnswerPreCheckoutQuery),
}

impl Outgoing {
    /// Sends a new message. The text is HTML and is cut when it is too long.
    pub fn send_html(chat: TelegramId, text: impl Into<String>, keyboard: Keyboard) -> Self {
        let mut payload = SendMessage::new(ChatId(chat.get()), html::truncate(text.into()));
        payload.parse_mode = Some(ParseMode::Html);
        payload.link_preview_options = Some(NO_PREVIEW);
        payload.reply_markup = keyboard.into_telegram().map(ReplyMarkup::InlineKeyboard);
        Self(Payload::SendMessage(Box::new(payload)))
    }

    /// Replaces text and keyboard of one of our messages.
    pub fn edit_html(chat: TelegramId, message_id: i32, text: impl Into<String>, keyboard: Keyboard) -> Self {
        let text = html::truncate(text.into());
        let mut payload = EditMessageText::new(ChatId(chat.get()), MessageId(message_id), text);
        payload.parse_mode = Some(ParseMode::Html);
        payload.link_preview_options = Some(NO_PREVIEW);
        payload.reply_markup = keyboard.into_telegram();
        Self(Payload::EditMessageText(Box::new(payload)))
    }

    /// Answers a tap, which ends the button's progress indicator, with or without a short plain text.
    pub fn answer_callback(id: impl Into<String>, toast: Option<&str>) -> Self {
        let mut payload = AnswerCallbackQuery::new(CallbackQueryId(id.into()));
        payload.text = toast.map(|text| text.chars().take(MAX_TOAST).collect());
        Self(Payload::AnswerCallbackQuery(Box::new(payload)))
    }

    /// Accepts a payment, or refuses it with a reason that Telegram shows to the payer.
    pub fn answer_pre_checkout(id: impl Into<String>, refusal: Option<&str>) -> Self {
        let mut payload = AnswerPreCheckoutQuery::new(PreCheckoutQueryId(id.into()), refusal.is_none());
        payload.error_message = refusal.map(str::to_owned);
        Self(Payload::AnswerPreCheckoutQuery(payload))
    }

    /// The method's name as Telegram documents it (teloxide's starts with a capital).
    pub const fn method(&self) -> &'static str {
        match self.0 {
            Payload::SendMessage(_) => "sendMessage",
            Payload::EditMessageText(_) => "editMessageText",
            Payload::AnswerCallbackQuery(_) => "answerCallbackQuery",
            Payload::AnswerPreCheckoutQuery(_) => "answerPreCheckoutQuery",
        }
    }

    /// True when the call ends the progress indicator of a tapped button.
    pub const fn answers_a_tap(&self) -> bool {
        matches!(self.0, Payload::AnswerCallbackQuery(_))
    }

    /// The call's parameters.
    pub fn params(&self) -> Value {
        match &self.0 {
            Payload::SendMessage(payload) => json(payload),
            Payload::EditMessageText(payload) => json(payload),
            Payload::AnswerCallbackQuery(payload) => json(payload),
            Payload::AnswerPreCheckoutQuery(payload) => json(payload),
        }
    }

    /// The call as the body of the webhook's own answer. Telegram executes it and does not report the result, so this
    /// is for menus and toasts only, and never for the second delivery of an update.
    pub fn webhook_body(&self) -> Value {
        let mut body = self.params();
        body["method"] = self.method().into();
        body
    }
}

fn json(payload: &impl Serialize) -> Value {
    // Fails only for maps whose keys are not strings, and payloads have none.
    serde_json::to_value(payload).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{keyboard::Button, nav::Nav};
    use serde_json::json;

    fn check(call: &Outgoing, method: &str, mut params: Value) {
        assert_eq!(call.method(), method);
        assert_eq!(call.params(), params);
        params["method"] = method.into();
        assert_eq!(call.webhook_body(), params);
    }

    #[test]
    fn messages() {
        let chat = TelegramId::try_new(5_123_456_789).unwrap();
        let keyboard = || Keyboard::new().row([Button::nav("Help", Nav::Help)]);
        let markup = json!({"inline_keyboard": [[{"text": "Help", "callback_data": "nav:help"}]]});
        check(
            &Outgoing::send_html(chat, "<b>hi</b>", keyboard()),
            "sendMessage",
            json!({"chat_id": 5_123_456_789_i64, "text": "<b>hi</b>", "parse_mode": "HTML",
                   "link_preview_options": {"is_disabled": true}, "reply_markup": markup}),
        );
        check(
            &Outgoing::send_html(chat, "hi", Keyboard::new()),
            "sendMessage",
            json!({"chat_id": 5_123_456_789_i64, "text": "hi", "parse_mode": "HTML",
                   "link_preview_options": {"is_disabled": true}}),
        );
        check(
            &Outgoing::edit_html(chat, 42, "hi", keyboard()),
            "editMessageText",
            json!({"chat_id": 5_123_456_789_i64, "message_id": 42, "text": "hi", "parse_mode": "HTML",
                   "link_preview_options": {"is_disabled": true}, "reply_markup": markup}),
        );
    }

    #[test]
    fn answers() {
        check(
            &Outgoing::answer_callback("1", None),
            "answerCallbackQuery",
            json!({"callback_query_id": "1"}),
        );
        check(
            &Outgoing::answer_callback("1", Some(&"é".repeat(300))),
            "answerCallbackQuery",
            json!({"callback_query_id": "1", "text": "é".repeat(200)}),
        );
        check(
            &Outgoing::answer_pre_checkout("2", None),
            "answerPreCheckoutQuery",
            json!({"pre_checkout_query_id": "2", "ok": true}),
        );
        check(
            &Outgoing::answer_pre_checkout("2", Some("Sold out")),
            "answerPreCheckoutQuery",
            json!({"pre_checkout_query_id": "2", "ok": false, "error_message": "Sold out"}),
        );
    }
}
