//! Actions of simulated people: each becomes an update, posted to the bot's webhook.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    markup::typed_entities,
    state::{Author, ChatMessage, SentUpdate, Telegram},
};
use crate::{answer::ActionError, world::Side};

/// The real server retries for a day. A person at the page has less patience.
const RETRY_AFTER: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];
/// Telegram gives a bot ten seconds to answer a pre-checkout query.
const CHECKOUT_PATIENCE: Duration = Duration::from_secs(10);
const CHECKOUT_POLL: Duration = Duration::from_millis(50);

impl Side<Telegram> {
    /// Types a text. A deep link to the bot typed on its own is opened instead, as a tap on it would.
    pub(crate) async fn send_text(&self, user_id: i64, text: &str) -> Result<Value, ActionError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ActionError::invalid("type something first"));
        }
        if let Some(payload) = start_payload(text, &self.config().bot_username) {
            return self.open_payload(user_id, payload).await;
        }
        let now = self.now();
        let update = self.try_change(|telegram| {
            require_unblocked(telegram, user_id)?;
            Ok(message_update(telegram, user_id, text, now))
        })?;
        Ok(self.post_update(update).await)
    }

    /// Forwards a message of `from_user_id`'s chat to the bot. Buttons that only the bot could answer stay behind.
    pub(crate) async fn forward(
        &self,
        user_id: i64,
        from_user_id: i64,
        message_id: i64,
    ) -> Result<Value, ActionError> {
        let (now, bot) = (self.now(), self.bot());
        let update = self.try_change(|telegram| {
            require_unblocked(telegram, user_id)?;
            let message = telegram.chats.get(&from_user_id).and_then(|chat| chat.find(message_id));
            let message = message.cloned().ok_or_else(no_such_message)?;
            let author = match message.author {
                Author::Bot => bot.clone(),
                Author::User => telegram.users.get(&from_user_id).ok_or_else(no_such_user)?.as_from(),
                Author::Service => return Err(ActionError::invalid("such a message cannot be forwarded")),
            };
            let mut update = message_update(telegram, user_id, &message.text, now);
            update["message"]["forward_origin"] =
                json!({"type": "user", "sender_user": author, "date": message.date});
            Ok(update)
        })?;
        Ok(self.post_update(update).await)
    }

    /// Opens a deep link as a user. A person who had blocked the bot unblocks it by that, as in the real client.
    pub(crate) async fn open_link(&self, user_id: i64, url: &str) -> Result<Value, ActionError> {
        let payload = start_payload(url.trim(), &self.config().bot_username)
            .ok_or_else(|| ActionError::invalid("that is not a link to this bot"))?;
        self.open_payload(user_id, payload).await
    }

    async fn open_payload(&self, user_id: i64, payload: String) -> Result<Value, ActionError> {
        if self.read(|telegram| telegram.is_blocked_by(user_id)) {
            self.set_blocked(user_id, false).await?;
        }
        let text = if payload.is_empty() { "/start".to_owned() } else { format!("/start {payload}") };
        let now = self.now();
        let update = self.try_change(|telegram| {
            require_unblocked(telegram, user_id)?;
            Ok(message_update(telegram, user_id, &text, now))
        })?;
        Ok(self.post_update(update).await)
    }

    /// Taps a button. Links and copied texts are handed back: acting on them is the client's work.
    pub(crate) async fn tap(
        &self,
        user_id: i64,
        message_id: i64,
        tapped: &Value,
    ) -> Result<Value, ActionError> {
        let bot = self.bot();
        let button = self.read(|telegram| {
            require_unblocked(telegram, user_id)?;
            find_button(telegram, user_id, message_id, tapped)
        })?;
        if let Some(url) = button["url"].as_str() {
            return Ok(json!({"kind": "url", "url": url}));
        }
        if let Some(text) = button["copy_text"]["text"].as_str() {
            return Ok(json!({"kind": "copy", "text": text}));
        }
        let Some(data) = button["callback_data"].as_str() else {
            return Err(ActionError::invalid("the simulator cannot press this kind of button"));
        };
        let update = self.change(|telegram| callback_update(telegram, bot, user_id, message_id, data))?;
        Ok(self.post_update(update).await)
    }

    /// Blocks or unblocks the bot; Telegram tells the bot with `my_chat_member`.
    pub(crate) async fn set_blocked(&self, user_id: i64, blocked: bool) -> Result<Value, ActionError> {
        let (now, bot) = (self.now(), self.bot());
        let update = self.try_change(|telegram| {
            let user = telegram.users.get_mut(&user_id).ok_or_else(no_such_user)?;
            if user.blocked == blocked {
                return Err(ActionError::conflict("nothing to change"));
            }
            user.blocked = blocked;
            let (from, chat) = (user.as_from(), user.as_chat());
            let member = json!({"user": bot, "status": "member"});
            let kicked = json!({"user": bot, "status": "kicked", "until_date": 0});
            let (old, new) = if blocked { (member, kicked) } else { (kicked, member) };
            Ok(json!({
                "update_id": telegram.take_update_id(),
                "my_chat_member": {
                    "chat": chat, "from": from, "date": now, "old_chat_member": old, "new_chat_member": new,
                },
            }))
        })?;
        Ok(self.post_update(update).await)
    }

    /// Pays an invoice message: the pre-checkout query, the bot's answer, then the payment itself.
    pub(crate) async fn pay_invoice(&self, user_id: i64, message_id: i64) -> Result<Value, ActionError> {
        let (query_id, invoice, update) =
            self.change(|telegram| checkout_update(telegram, user_id, message_id))?;
        self.post_update(update).await;
        match self.checkout_answer(&query_id).await {
            None => {
                return Err(ActionError::conflict("the bot did not answer the pre-checkout query in time"));
            }
            Some(Some(reason)) => return Err(ActionError::conflict(format!("payment refused: {reason}"))),
            Some(None) => {}
        }
        let now = self.now();
        let update = self.change(|telegram| payment_update(telegram, user_id, &query_id, &invoice, now));
        Ok(self.post_update(update).await)
    }

    async fn checkout_answer(&self, query_id: &str) -> Option<Option<String>> {
        let wait = async {
            loop {
                if let Some(answer) = self.read(|telegram| telegram.checkouts.get(query_id).cloned()) {
                    return answer;
                }
                tokio::time::sleep(CHECKOUT_POLL).await;
            }
        };
        tokio::time::timeout(CHECKOUT_PATIENCE, wait).await.ok()
    }

    /// Posts an update to the webhook until it is taken, and remembers it. The answer's body is the gateway's
    /// business (`record_reply`).
    async fn post_update(&self, update: Value) -> Value {
        let update_id = update["update_id"].as_i64().unwrap_or_default();
        let sent = SentUpdate { update_id, body: update.clone(), status: None, attempts: 0 };
        self.change(|telegram| telegram.log_update(sent));
        let mut status = self.post_once(&update).await;
        let mut attempts = 1;
        for pause in RETRY_AFTER {
            if status.is_some_and(|status| (200..300).contains(&status)) {
                break;
            }
            tokio::time::sleep(pause).await;
            status = self.post_once(&update).await;
            attempts += 1;
        }
        self.change(|telegram| {
            let mut sent = telegram.updates.iter_mut().rev();
            if let Some(sent) = sent.find(|sent| sent.update_id == update_id) {
                (sent.status, sent.attempts) = (status, attempts);
            }
        });
        json!({"kind": "update", "update_id": update_id, "status": status, "attempts": attempts})
    }

    async fn post_once(&self, update: &Value) -> Option<u16> {
        let config = self.config();
        let request = self
            .http()
            .post(format!("{}/telegram/webhook", config.base_url))
            .header("X-Telegram-Bot-Api-Secret-Token", &config.telegram_webhook_secret)
            .json(update);
        match request.send().await {
            Ok(response) => Some(response.status().as_u16()),
            Err(error) => {
                tracing::warn!(%error, "the webhook could not be reached");
                None
            }
        }
    }
}

/// The payload of `https://t.me/<bot>?start=<payload>` (or `tg://resolve`), empty for a bare link.
fn start_payload(url: &str, bot_username: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok()?;
    let parameter =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let bot = match url.scheme() {
        "https" | "http" if matches!(url.host_str(), Some("t.me" | "telegram.me")) => {
            url.path().trim_matches('/').to_owned()
        }
        "tg" => parameter("domain")?,
        _ => return None,
    };
    bot.eq_ignore_ascii_case(bot_username).then(|| parameter("start").unwrap_or_default())
}

fn no_such_user() -> ActionError {
    ActionError::not_found("there is no such user")
}

fn no_such_message() -> ActionError {
    ActionError::not_found("there is no such message")
}

fn require_unblocked(telegram: &Telegram, user_id: i64) -> Result<(), ActionError> {
    match telegram.users.get(&user_id) {
        None => Err(no_such_user()),
        Some(user) if user.blocked => {
            Err(ActionError::conflict("this user has blocked the bot: unblock it first"))
        }
        Some(_) => Ok(()),
    }
}

fn message_update(telegram: &mut Telegram, user_id: i64, text: &str, now: i64) -> Value {
    let message = ChatMessage::new(Author::User, now, text.to_owned());
    let message_id = telegram.chat(user_id).push(message);
    let mut body = telegram.chat(user_id).find(message_id).cloned().map_or(Value::Null, |message| {
        // The bot is only needed for messages of its own.
        telegram.message_json(user_id, &message, &Value::Null)
    });
    let entities = typed_entities(text);
    if !entities.is_empty() {
        body["entities"] = Value::Array(entities);
    }
    json!({"update_id": telegram.take_update_id(), "message": body})
}

/// The button a tap names: `{row, column}`, or `{data}` for a callback wherever it is in the message.
fn find_button(
    telegram: &Telegram,
    user_id: i64,
    message_id: i64,
    tapped: &Value,
) -> Result<Value, ActionError> {
    let message = telegram.chats.get(&user_id).and_then(|chat| chat.find(message_id));
    let message = message.ok_or_else(no_such_message)?;
    let rows = message.reply_markup.as_ref().map_or(&Value::Null, |markup| &markup["inline_keyboard"]);
    let button = match tapped["data"].as_str() {
        Some(data) => rows
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_array)
            .flatten()
            .find(|button| button["callback_data"] == data),
        None => {
            let index = |field: &str| tapped[field].as_u64().and_then(|index| usize::try_from(index).ok());
            index("row").zip(index("column")).and_then(|(row, column)| rows.get(row)?.get(column))
        }
    };
    button.cloned().ok_or_else(|| ActionError::not_found("that button is not there any more"))
}

fn callback_update(
    telegram: &mut Telegram,
    bot: &Value,
    user_id: i64,
    message_id: i64,
    data: &str,
) -> Result<Value, ActionError> {
    let from = telegram.users.get(&user_id).ok_or_else(no_such_user)?.as_from();
    let message = telegram.chat(user_id).find(message_id).cloned();
    let message = message.ok_or_else(no_such_message)?;
    let id = telegram.take_query_id(user_id);
    Ok(json!({
        "update_id": telegram.take_update_id(),
        "callback_query": {
            "id": id, "from": from, "message": telegram.message_json(user_id, &message, bot),
            "chat_instance": format!("{}", 7_700_000_000_000_i64.saturating_add(user_id)), "data": data,
        },
    }))
}

fn checkout_update(
    telegram: &mut Telegram,
    user_id: i64,
    message_id: i64,
) -> Result<(String, Value, Value), ActionError> {
    require_unblocked(telegram, user_id)?;
    let from = telegram.users.get(&user_id).ok_or_else(no_such_user)?.as_from();
    let invoice = telegram.chat(user_id).find(message_id).and_then(|message| message.invoice.clone());
    let invoice = invoice.ok_or_else(|| ActionError::not_found("there is no invoice in that message"))?;
    let id = telegram.take_query_id(user_id);
    let update = json!({
        "update_id": telegram.take_update_id(),
        "pre_checkout_query": {
            "id": id, "from": from, "currency": invoice["currency"], "total_amount": invoice["total_amount"],
            "invoice_payload": invoice["invoice_payload"],
        },
    });
    Ok((id, invoice, update))
}

fn payment_update(telegram: &mut Telegram, user_id: i64, query_id: &str, invoice: &Value, now: i64) -> Value {
    let text = format!(
        "Payment of {} {}",
        invoice["total_amount"],
        invoice["currency"].as_str().unwrap_or_default()
    );
    let message = ChatMessage::new(Author::Service, now, text);
    let message_id = telegram.chat(user_id).push(message);
    let from = telegram.users.get(&user_id).map_or(Value::Null, super::state::User::as_from);
    json!({
        "update_id": telegram.take_update_id(),
        "message": {
            "message_id": message_id, "from": from, "chat": telegram.chat_json(user_id), "date": now,
            "successful_payment": {
                "currency": invoice["currency"], "total_amount": invoice["total_amount"],
                "invoice_payload": invoice["invoice_payload"],
                "telegram_payment_charge_id": format!("stx_sim_{query_id}"),
                "provider_payment_charge_id": "",
            },
        },
    })
}
