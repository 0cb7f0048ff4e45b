//! Users, chats and what was said in them.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{injection::Injection, log::push_capped};

/// Messages kept of a chat.
const KEPT_MESSAGES: usize = 500;

/// The Telegram half of the world.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Telegram {
    pub users: BTreeMap<i64, User>,
    pub chats: BTreeMap<i64, Chat>,
    pub next_update_id: i64,
    pub next_query_id: u64,
    /// Callback and pre-checkout queries with the chat they came from: an answer names only the query.
    pub queries: VecDeque<(String, i64)>,
    /// The answers to pre-checkout queries: `None` is accepted, `Some` carries the reason.
    pub checkouts: BTreeMap<String, Option<String>>,
    pub commands: Value,
    pub webhook_url: String,
    pub fail: Option<Injection>,
    pub calls: VecDeque<BotCall>,
    pub updates: VecDeque<SentUpdate>,
}

/// A simulated person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub id: i64,
    pub first_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    pub language_code: String,
    #[serde(default)]
    pub blocked: bool,
}

/// One private chat with the bot.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Chat {
    pub last_message_id: i64,
    pub messages: Vec<ChatMessage>,
    pub outbox: VecDeque<Value>,
    /// Number of all messages that the bot has sent here; the page counts unread ones from it.
    pub bot_messages: u64,
    pub toast: Option<Toast>,
}

/// The notice that `answerCallbackQuery` shows.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Toast {
    pub number: u64,
    pub text: String,
    pub alert: bool,
}

/// The author of a message.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Author {
    Bot,
    User,
    Service,
}

/// One bubble.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ChatMessage {
    pub message_id: i64,
    pub author: Author,
    pub date: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit_date: Option<i64>,
    /// Plain text, tags taken out, as Telegram reports it back.
    pub text: String,
    /// The marked-up original, when the bot used `parse_mode=HTML`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_markup: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice: Option<Value>,
}

/// One call of the Bot API (or one reply in a webhook response) and how it ended.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct BotCall {
    pub at: i64,
    pub method: String,
    pub chat_id: Option<i64>,
    pub status: u16,
    pub in_webhook_reply: bool,
    pub payload: Value,
}

/// One update we sent, kept so that a test can send it again.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SentUpdate {
    pub update_id: i64,
    pub body: Value,
    pub status: Option<u16>,
    pub attempts: u32,
}

impl User {
    pub(crate) fn named(id: i64, first_name: &str, last_name: &str) -> Self {
        let username = format!("{}_{}", first_name.to_lowercase(), last_name.to_lowercase());
        Self {
            id,
            first_name: first_name.to_owned(),
            last_name: Some(last_name.to_owned()),
            username: Some(username),
            language_code: "en".to_owned(),
            blocked: false,
        }
    }

    /// The person as `from`.
    pub(crate) fn as_from(&self) -> Value {
        let mut from = json!({
            "id": self.id, "is_bot": false, "first_name": self.first_name, "language_code": self.language_code,
        });
        self.add_names(&mut from);
        from
    }

    /// The person as a private `chat`.
    pub(crate) fn as_chat(&self) -> Value {
        let mut chat = json!({"id": self.id, "first_name": self.first_name, "type": "private"});
        self.add_names(&mut chat);
        chat
    }

    /// The real server leaves absent names out; it never sends null.
    fn add_names(&self, object: &mut Value) {
        if let Some(last_name) = &self.last_name {
            object["last_name"] = json!(last_name);
        }
        if let Some(username) = &self.username {
            object["username"] = json!(username);
        }
    }
}

impl Chat {
    /// Puts a message at the end, with the chat's next id.
    pub(crate) fn push(&mut self, mut message: ChatMessage) -> i64 {
        self.last_message_id += 1;
        message.message_id = self.last_message_id;
        if message.author == Author::Bot {
            self.bot_messages += 1;
        }
        self.messages.push(message);
        if self.messages.len() > KEPT_MESSAGES {
            self.messages.remove(0);
        }
        self.last_message_id
    }

    pub(crate) fn find(&self, message_id: i64) -> Option<&ChatMessage> {
        self.messages.iter().rev().find(|message| message.message_id == message_id)
    }
}

impl ChatMessage {
    pub(crate) fn new(author: Author, date: i64, text: String) -> Self {
        Self {
            message_id: 0,
            author,
            date,
            edit_date: None,
            text,
            html: None,
            reply_markup: None,
            invoice: None,
        }
    }
}

impl Telegram {
    /// The three people every new world starts with. Update ids begin at the clock, so that a world without
    /// a snapshot does not repeat ids that a persistent Guerdon has already seen.
    pub(crate) fn populate(&mut self, now: i64) {
        self.next_update_id = now;
        for (id, first, last) in
            [(1001, "Alice", "Archer"), (1002, "Bob", "Baker"), (1003, "Carol", "Cooper")]
        {
            self.users.insert(id, User::named(id, first, last));
        }
    }

    pub(crate) fn chat(&mut self, chat_id: i64) -> &mut Chat {
        self.chats.entry(chat_id).or_default()
    }

    pub(crate) fn chat_json(&self, chat_id: i64) -> Value {
        match self.users.get(&chat_id) {
            Some(user) => user.as_chat(),
            None if chat_id < 0 => json!({"id": chat_id, "title": "A group", "type": "group"}),
            None => json!({"id": chat_id, "first_name": format!("User {chat_id}"), "type": "private"}),
        }
    }

    pub(crate) fn is_blocked_by(&self, chat_id: i64) -> bool {
        self.users.get(&chat_id).is_some_and(|user| user.blocked)
    }

    pub(crate) fn take_update_id(&mut self) -> i64 {
        self.next_update_id += 1;
        self.next_update_id
    }

    pub(crate) fn take_query_id(&mut self, chat_id: i64) -> String {
        self.next_query_id += 1;
        // Real ids are 64-bit numbers written as strings.
        let id = format!("{}", 4_300_000_000_000_000_000_u64.saturating_add(self.next_query_id));
        self.remember_query(id.clone(), chat_id);
        id
    }

    pub(crate) fn remember_query(&mut self, id: String, chat_id: i64) {
        push_capped(&mut self.queries, (id, chat_id));
    }

    pub(crate) fn chat_of_query(&self, id: &str) -> Option<i64> {
        self.queries.iter().rev().find(|(known, _)| known == id).map(|(_, chat_id)| *chat_id)
    }

    pub(crate) fn log_call(&mut self, call: BotCall) {
        push_capped(&mut self.calls, call);
    }

    pub(crate) fn log_update(&mut self, update: SentUpdate) {
        push_capped(&mut self.updates, update);
    }

    pub(crate) fn post_to_outbox(&mut self, chat_id: i64, call: Value) {
        push_capped(&mut self.chat(chat_id).outbox, call);
    }

    /// A message as the Bot API shows it.
    pub(crate) fn message_json(&self, chat_id: i64, message: &ChatMessage, bot: &Value) -> Value {
        let from = match message.author {
            Author::Bot => bot.clone(),
            Author::User | Author::Service => {
                self.users.get(&chat_id).map_or_else(|| self.chat_json(chat_id), User::as_from)
            }
        };
        let mut json = json!({
            "message_id": message.message_id, "from": from, "chat": self.chat_json(chat_id),
            "date": message.date,
        });
        if let Some(invoice) = &message.invoice {
            json["invoice"] = invoice.clone();
            if let Some(fields) = json["invoice"].as_object_mut() {
                fields.remove("invoice_payload");
            }
        } else {
            json["text"] = json!(message.text);
        }
        if let Some(edited) = message.edit_date {
            json["edit_date"] = json!(edited);
        }
        // Only inline keyboards come back with a message.
        if let Some(markup) =
            message.reply_markup.as_ref().filter(|markup| markup["inline_keyboard"].is_array())
        {
            json["reply_markup"] = markup.clone();
        }
        json
    }
}
