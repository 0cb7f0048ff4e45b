//! The effect of each Bot API method on the simulated chats.

use serde_json::{Value, json};

use super::{
    markup::{check_keyboard, check_text},
    state::{Author, ChatMessage, Telegram, Toast},
};

/// The names as the Bot API documents them. teloxide sends `SendMessage`, and the real server does not mind.
const METHODS: &[&str] = &[
    "answerCallbackQuery",
    "answerPreCheckoutQuery",
    "close",
    "createInvoiceLink",
    "deleteMessage",
    "deleteMyCommands",
    "deleteWebhook",
    "editMessageCaption",
    "editMessageReplyMarkup",
    "editMessageText",
    "getChat",
    "getMe",
    "getMyCommands",
    "getUpdates",
    "getWebhookInfo",
    "logOut",
    "refundStarPayment",
    "sendAnimation",
    "sendAudio",
    "sendChatAction",
    "sendDocument",
    "sendInvoice",
    "sendMessage",
    "sendPhoto",
    "sendVideo",
    "setChatMenuButton",
    "setMessageReaction",
    "setMyCommands",
    "setMyDescription",
    "setMyName",
    "setMyShortDescription",
    "setWebhook",
];

/// A refusal, in the words of the real server.
#[derive(Debug)]
pub(crate) struct BotError {
    pub status: u16,
    pub description: String,
    pub retry_after: Option<u32>,
}

impl BotError {
    pub(crate) fn new(status: u16, description: impl Into<String>) -> Self {
        Self { status, description: description.into(), retry_after: None }
    }

    fn bad(description: impl AsRef<str>) -> Self {
        Self::new(400, format!("Bad Request: {}", description.as_ref()))
    }
}

/// The clock and the bot itself, for those methods that show them.
pub(crate) struct Context<'a> {
    pub now: i64,
    pub bot: &'a Value,
}

/// The documented spelling of a method, or `None` for one that does not exist. teloxide's `...Inline` names are
/// trimmed by teloxide itself.
pub(crate) fn canonical(method: &str) -> Option<&'static str> {
    METHODS.iter().find(|known| known.eq_ignore_ascii_case(method)).copied()
}

/// Returns the chat that a call belongs to.
pub(crate) fn chat_of(telegram: &Telegram, method: &str, payload: &Value) -> Option<i64> {
    let query = match method {
        "answerCallbackQuery" => payload["callback_query_id"].as_str(),
        "answerPreCheckoutQuery" => payload["pre_checkout_query_id"].as_str(),
        _ => return integer(&payload["chat_id"]).or_else(|| integer(&payload["user_id"])),
    };
    // Unknown queries (from hand-made updates) are kept together under chat 0.
    Some(query.and_then(|id| telegram.chat_of_query(id)).unwrap_or_default())
}

/// Carries a call out. `method` is a canonical name.
pub(crate) fn execute(
    telegram: &mut Telegram,
    context: &Context<'_>,
    method: &str,
    payload: &Value,
) -> Result<Value, BotError> {
    let needs_chat = method.starts_with("send") || method.starts_with("edit") || method == "deleteMessage";
    let chat_id = integer(&payload["chat_id"]);
    if needs_chat && chat_id.is_none() {
        return Err(BotError::bad("chat_id is empty"));
    }
    let chat_id = chat_id.unwrap_or_default();
    if needs_chat && telegram.is_blocked_by(chat_id) {
        return Err(BotError::new(403, "Forbidden: bot was blocked by the user"));
    }
    match method {
        "getMe" => Ok(me(context.bot)),
        "getChat" => Ok(telegram.chat_json(chat_id)),
        "getMyCommands" => Ok(telegram.commands["commands"].clone()),
        "getUpdates" => Ok(json!([])),
        "getWebhookInfo" => Ok(json!({
            "url": telegram.webhook_url, "has_custom_certificate": false, "pending_update_count": 0,
        })),
        "createInvoiceLink" => Ok(json!("https://t.me/$simulated")),
        "sendChatAction" => Ok(json!(true)),
        _ if method.starts_with("send") => send(telegram, context, method, chat_id, payload),
        _ if method.starts_with("edit") => edit(telegram, context, method, chat_id, payload),
        "deleteMessage" => delete(telegram, chat_id, payload),
        "answerCallbackQuery" => answer_callback(telegram, payload),
        "answerPreCheckoutQuery" => answer_checkout(telegram, payload),
        "setMyCommands" => {
            telegram.commands = payload.clone();
            Ok(json!(true))
        }
        "setWebhook" | "deleteWebhook" => {
            telegram.webhook_url = payload["url"].as_str().unwrap_or_default().to_owned();
            Ok(json!(true))
        }
        _ => Ok(json!(true)),
    }
}

fn me(bot: &Value) -> Value {
    let mut me = bot.clone();
    for (field, value) in [("can_join_groups", true), ("can_read_all_group_messages", false)] {
        me[field] = json!(value);
    }
    for field in ["supports_inline_queries", "can_connect_to_business", "has_main_web_app"] {
        me[field] = json!(false);
    }
    me
}

fn send(
    telegram: &mut Telegram,
    context: &Context<'_>,
    method: &str,
    chat_id: i64,
    payload: &Value,
) -> Result<Value, BotError> {
    let mut message = match method {
        "sendMessage" => texted(context, &payload["text"], payload)?,
        "sendInvoice" => invoiced(context, payload)?,
        // The picture itself does not matter here, its caption and its buttons do.
        _ if payload["caption"].is_string() => texted(context, &payload["caption"], payload)?,
        _ => ChatMessage::new(Author::Bot, context.now, format!("[{}]", method.trim_start_matches("send"))),
    };
    check_keyboard(&payload["reply_markup"]).map_err(BotError::bad)?;
    message.reply_markup = payload.get("reply_markup").filter(|markup| markup.is_object()).cloned();
    let chat = telegram.chat(chat_id);
    message.message_id = chat.push(message.clone());
    Ok(telegram.message_json(chat_id, &message, context.bot))
}

fn texted(context: &Context<'_>, text: &Value, payload: &Value) -> Result<ChatMessage, BotError> {
    let text = text.as_str().unwrap_or_default();
    let mode = payload["parse_mode"].as_str();
    let plain = check_text(text, mode).map_err(BotError::bad)?;
    let mut message = ChatMessage::new(Author::Bot, context.now, plain);
    message.html = mode.filter(|mode| mode.eq_ignore_ascii_case("html")).map(|_| text.to_owned());
    Ok(message)
}

/// An invoice message. In Stars there is exactly one price and no provider.
fn invoiced(context: &Context<'_>, payload: &Value) -> Result<ChatMessage, BotError> {
    let prices = payload["prices"].as_array().filter(|prices| !prices.is_empty());
    let prices = prices.ok_or_else(|| BotError::bad("PRICES_INVALID"))?;
    let currency = payload["currency"].as_str().unwrap_or_default();
    if currency == "XTR" && prices.len() != 1 {
        return Err(BotError::bad("STARS_INVOICE_INVALID"));
    }
    let invoice_payload = payload["payload"].as_str().unwrap_or_default();
    if invoice_payload.is_empty() || invoice_payload.len() > 128 {
        return Err(BotError::bad("INVOICE_PAYLOAD_INVALID"));
    }
    let total = prices
        .iter()
        .map(|price| integer(&price["amount"]))
        .try_fold(0_i64, |sum, amount| sum.checked_add(amount?))
        .ok_or_else(|| BotError::bad("CURRENCY_TOTAL_AMOUNT_INVALID"))?;
    let title = payload["title"].as_str().unwrap_or_default();
    let mut message = ChatMessage::new(Author::Bot, context.now, title.to_owned());
    message.invoice = Some(json!({
        "title": title,
        "description": payload["description"].as_str().unwrap_or_default(),
        "start_parameter": payload["start_parameter"].as_str().unwrap_or_default(),
        "currency": currency,
        "total_amount": total,
        // Not part of a real message: needed to build the payment's updates, and taken out of the shown one.
        "invoice_payload": invoice_payload,
    }));
    Ok(message)
}

fn edit(
    telegram: &mut Telegram,
    context: &Context<'_>,
    method: &str,
    chat_id: i64,
    payload: &Value,
) -> Result<Value, BotError> {
    let message_id = integer(&payload["message_id"]);
    let message_id = message_id.ok_or_else(|| BotError::bad("message identifier is not specified"))?;
    check_keyboard(&payload["reply_markup"]).map_err(BotError::bad)?;
    let fresh = match method {
        "editMessageText" => Some(texted(context, &payload["text"], payload)?),
        "editMessageCaption" => Some(texted(context, &payload["caption"], payload)?),
        _ => None,
    };
    let markup = payload.get("reply_markup").filter(|markup| markup.is_object()).cloned();
    let chat = telegram.chat(chat_id);
    let Some(message) = chat.messages.iter_mut().find(|message| message.message_id == message_id) else {
        return Ok(adopt(telegram, context, chat_id, message_id, fresh, markup));
    };
    let same_text = fresh.as_ref().is_none_or(|new| new.text == message.text && new.html == message.html);
    if same_text && markup == message.reply_markup {
        return Err(BotError::bad(
            "message is not modified: specified new message content and reply markup are exactly the same as a \
             current content and reply markup of the message",
        ));
    }
    if let Some(new) = fresh {
        message.text = new.text;
        message.html = new.html;
        message.edit_date = Some(context.now);
    }
    message.reply_markup = markup;
    let message = message.clone();
    Ok(telegram.message_json(chat_id, &message, context.bot))
}

/// Adds a message that the bot edits and the stand-in does not know: a hand-made callback named it. The real server
/// would know the message.
fn adopt(
    telegram: &mut Telegram,
    context: &Context<'_>,
    chat_id: i64,
    message_id: i64,
    fresh: Option<ChatMessage>,
    markup: Option<Value>,
) -> Value {
    let mut message = fresh
        .unwrap_or_else(|| ChatMessage::new(Author::Bot, context.now, "(an earlier message)".to_owned()));
    message.reply_markup = markup;
    message.message_id = message_id;
    let chat = telegram.chat(chat_id);
    chat.last_message_id = chat.last_message_id.max(message_id);
    chat.messages.push(message.clone());
    telegram.message_json(chat_id, &message, context.bot)
}

fn delete(telegram: &mut Telegram, chat_id: i64, payload: &Value) -> Result<Value, BotError> {
    let message_id = integer(&payload["message_id"]);
    let messages = &mut telegram.chat(chat_id).messages;
    let before = messages.len();
    messages.retain(|message| Some(message.message_id) != message_id);
    if messages.len() == before {
        return Err(BotError::bad("message to delete not found"));
    }
    Ok(json!(true))
}

fn answer_callback(telegram: &mut Telegram, payload: &Value) -> Result<Value, BotError> {
    let chat_id = chat_of(telegram, "answerCallbackQuery", payload).unwrap_or_default();
    let text = payload["text"].as_str().unwrap_or_default();
    if text.chars().count() > 200 {
        return Err(BotError::bad("MESSAGE_TOO_LONG"));
    }
    if !text.is_empty() {
        let alert = payload["show_alert"] == json!(true) || payload["show_alert"] == json!("true");
        let chat = telegram.chat(chat_id);
        let number = chat.toast.as_ref().map_or(0, |toast| toast.number) + 1;
        chat.toast = Some(Toast { number, text: text.to_owned(), alert });
    }
    Ok(json!(true))
}

fn answer_checkout(telegram: &mut Telegram, payload: &Value) -> Result<Value, BotError> {
    let id = payload["pre_checkout_query_id"].as_str().unwrap_or_default();
    let accepted = payload["ok"] == json!(true) || payload["ok"] == json!("true");
    let reason = payload["error_message"].as_str().unwrap_or("the bot refused").to_owned();
    telegram.checkouts.insert(id.to_owned(), (!accepted).then_some(reason));
    while telegram.checkouts.len() > 100 {
        telegram.checkouts.pop_first();
    }
    Ok(json!(true))
}

/// A JSON number, or a number in a string as form bodies have them.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}
