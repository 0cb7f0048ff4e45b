//! The content of the page as one JSON document.

use serde_json::{Value, json};

use crate::{
    stripe::{overview::customer, state::Stripe},
    telegram::state::{Author, ChatMessage, Telegram},
    world::Side,
};

const SHOWN_MESSAGES: usize = 200;
const SHOWN_LOG: usize = 60;

/// The state for the page, with the chat and the money of one user. A caller who names the current revision gets
/// only that nothing changed.
pub(crate) fn overview(
    bot: &Side<Telegram>,
    stripe: &Side<Stripe>,
    user: Option<i64>,
    known_revision: Option<u64>,
) -> Value {
    let now = bot.now();
    bot.read(|telegram| {
        stripe.read(|stripe| {
            let revision = bot.revision();
            if known_revision == Some(revision) {
                return json!({"unchanged": true, "revision": revision, "now": now});
            }
            let user = user.unwrap_or(1001);
            json!({
                "revision": revision,
                "now": now,
                "users": users(telegram),
                "other_chats": other_chats(telegram),
                "chat": chat(telegram, user),
                "commands": telegram.commands["commands"],
                "money": money(stripe, user),
                "hold": stripe.hold,
                "failing": {"telegram": telegram.fail, "stripe": stripe.fail},
                "events": events(stripe),
                "stripe_calls": calls(stripe),
            })
        })
    })
}

fn users(telegram: &Telegram) -> Vec<Value> {
    let shown = telegram.users.values().map(|user| {
        let chat = telegram.chats.get(&user.id);
        json!({
            "id": user.id,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "username": user.username,
            "blocked": user.blocked,
            "bot_messages": chat.map_or(0, |chat| chat.bot_messages),
            "last_text": chat.and_then(|chat| chat.messages.last()).map(|message| preview(&message.text)),
        })
    });
    shown.collect()
}

fn preview(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(60).collect()
}

/// Chats the bot wrote to whose user is not on the page.
fn other_chats(telegram: &Telegram) -> Vec<i64> {
    let ids = telegram.chats.keys().filter(|id| **id != 0 && !telegram.users.contains_key(id));
    ids.take(20).copied().collect()
}

fn chat(telegram: &Telegram, user: i64) -> Value {
    let Some(chat) = telegram.chats.get(&user) else { return json!({"messages": [], "toast": null}) };
    let hidden = chat.messages.len().saturating_sub(SHOWN_MESSAGES);
    let messages: Vec<Value> = chat.messages.iter().skip(hidden).map(bubble).collect();
    json!({"messages": messages, "toast": chat.toast})
}

fn bubble(message: &ChatMessage) -> Value {
    let markup = message.reply_markup.as_ref();
    json!({
        "id": message.message_id,
        "author": message.author,
        "date": message.date,
        "edited": message.edit_date.is_some(),
        "text": message.text,
        "html": message.html.as_ref().filter(|_| message.author == Author::Bot),
        "buttons": markup.map(|markup| &markup["inline_keyboard"]),
        "keyboard": markup.map(|markup| &markup["keyboard"]),
        "invoice": message.invoice,
    })
}

fn money(stripe: &Stripe, user: i64) -> Value {
    let id = stripe.customer_of_user(user).map(|customer| customer.id.clone());
    id.and_then(|id| customer(stripe, &id)).unwrap_or(Value::Null)
}

fn events(stripe: &Stripe) -> Vec<Value> {
    let newest = stripe.events.iter().rev().take(SHOWN_LOG).map(|event| {
        json!({
            "id": event.id, "type": event.kind, "status": event.status, "http_status": event.http_status,
            "attempts": event.attempts, "created": event.created, "customer": event.customer,
        })
    });
    newest.collect()
}

fn calls(stripe: &Stripe) -> Value {
    json!(stripe.calls.iter().rev().take(SHOWN_LOG).collect::<Vec<_>>())
}
