//! The stand-in Bot API.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, RawQuery, State as Shared},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{
    methods::{self, BotError, Context},
    state::{Author, BotCall, ChatMessage, Telegram, User},
};
use crate::{form, injection::Injection, world::Side};

/// `/sim/telegram/bot<token>/<method>`, GET or POST.
pub(crate) async fn bot_api(
    Shared(side): Shared<Side<Telegram>>,
    Path((bot, method)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let token = bot.strip_prefix("bot").unwrap_or_default();
    if token != side.config().telegram_token {
        return refusal(&BotError::new(401, "Unauthorized"));
    }
    let Some(method) = methods::canonical(&method) else {
        return refusal(&BotError::new(404, "Not Found"));
    };
    match payload(query.as_deref(), &headers, &body) {
        Ok(payload) => match side.bot_call(method, payload) {
            Ok(result) => Json(json!({"ok": true, "result": result})).into_response(),
            Err(error) => refusal(&error),
        },
        Err(error) => refusal(&error),
    }
}

fn refusal(error: &BotError) -> Response {
    let mut body = json!({"ok": false, "error_code": error.status, "description": error.description});
    if let Some(seconds) = error.retry_after {
        body["parameters"] = json!({"retry_after": seconds});
    }
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(body)).into_response()
}

/// The parameters of a call: query string and body together, as the real server takes them.
fn payload(query: Option<&str>, headers: &HeaderMap, body: &[u8]) -> Result<Value, BotError> {
    let mut fields = form::flat(query.unwrap_or_default());
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("multipart/") {
        return Err(BotError::new(400, "Bad Request: the simulator takes JSON and form bodies, no uploads"));
    }
    if kind.starts_with("application/json") && !body.is_empty() {
        let parsed: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|_| BotError::new(400, "Bad Request: can't parse JSON object"))?;
        fields.extend(parsed);
    } else {
        fields.extend(form::flat(&String::from_utf8_lossy(body)));
    }
    // Nested parameters may travel as JSON in a string. The outbox always holds them as JSON.
    for name in ["reply_markup", "prices", "commands", "entities", "link_preview_options", "scope"] {
        if let Some(Value::String(text)) = fields.get(name) {
            let parsed = serde_json::from_str(text)
                .map_err(|_| BotError::new(400, format!("Bad Request: can't parse {name} JSON object")))?;
            fields.insert(name.to_owned(), parsed);
        }
    }
    Ok(Value::Object(fields))
}

impl Side<Telegram> {
    /// Carries a Bot API call out and records it. `method` is a canonical name.
    fn bot_call(&self, method: &str, payload: Value) -> Result<Value, BotError> {
        let context = Context { now: self.now(), bot: self.bot() };
        self.change(|telegram| {
            let injected = Injection::take(&mut telegram.fail);
            if let Some(injection) = injected.filter(|injection| !injection.after_commit) {
                log(telegram, &context, method, &payload, injection.status, false);
                return Err(injected_error(injection));
            }
            let result = perform(telegram, &context, method, &payload, false);
            match injected {
                Some(injection) => Err(injected_error(injection)),
                None => result,
            }
        })
    }

    /// Executes the Bot API call that rides in a webhook response, as Telegram does with a 2xx body that names
    /// a `method`. Other bodies are ignored. The gateway in front of the webhook calls this for every response;
    /// the simulator itself never looks at the answers to the updates it sends, so nothing is recorded twice.
    pub(crate) fn record_reply(&self, body: &Value) {
        let Some(method) = body["method"].as_str() else { return };
        let mut payload = body.clone();
        if let Some(fields) = payload.as_object_mut() {
            fields.remove("method");
        }
        let context = Context { now: self.now(), bot: self.bot() };
        self.change(|telegram| match methods::canonical(method) {
            // The bot does not receive the outcome of such a call, as with the real server; the call log has it.
            Some(method) => drop(perform(telegram, &context, method, &payload, true)),
            None => log(telegram, &context, method, &payload, 404, true),
        });
    }

    /// Tells the simulator about an update that reached the webhook. Its own updates are recognised and ignored.
    /// From hand-made ones it learns the person, the message and the query id, so that the chat on the page
    /// makes sense and `answerCallbackQuery` finds its chat. Optional, and safe with any JSON.
    pub(crate) fn observe_update(&self, update: &Value) {
        let update_id = update["update_id"].as_i64();
        let now = self.now();
        let ours =
            self.read(|telegram| telegram.updates.iter().any(|sent| Some(sent.update_id) == update_id));
        if !ours {
            self.change(|telegram| adopt_update(telegram, update, now));
        }
    }

    /// The bot's calls about a chat, oldest first: `{method, payload}` each. Calls that Telegram refused (blocked
    /// by the user, bad HTML, injected failures) are not in it. Answers to queries of unknown origin are under
    /// chat 0.
    #[must_use]
    pub(crate) fn outbox(&self, chat_id: i64) -> Vec<Value> {
        self.read(|telegram| {
            telegram.chats.get(&chat_id).map(|chat| chat.outbox.iter().cloned().collect()).unwrap_or_default()
        })
    }

    /// The full name of a person.
    pub(crate) fn name_of(&self, user_id: i64) -> String {
        let person = self.read(|telegram| telegram.users.get(&user_id).cloned());
        person.map_or_else(
            || format!("User {user_id}"),
            |user| format!("{} {}", user.first_name, user.last_name.unwrap_or_default()).trim().to_owned(),
        )
    }

    /// Every chat that has an outbox.
    #[must_use]
    pub(crate) fn chats(&self) -> Vec<i64> {
        self.read(|telegram| telegram.chats.keys().copied().collect())
    }
}

fn injected_error(injection: Injection) -> BotError {
    let description = match (injection.status, injection.retry_after) {
        (429, seconds) => format!("Too Many Requests: retry after {}", seconds.unwrap_or(1)),
        (403, _) => "Forbidden: bot was blocked by the user".to_owned(),
        (status, _) => format!("Simulated failure {status}"),
    };
    let retry_after = (injection.status == 429).then(|| injection.retry_after.unwrap_or(1));
    BotError { status: injection.status, description, retry_after }
}

fn perform(
    telegram: &mut Telegram,
    context: &Context<'_>,
    method: &str,
    payload: &Value,
    in_webhook_reply: bool,
) -> Result<Value, BotError> {
    let result = methods::execute(telegram, context, method, payload);
    let status = result.as_ref().err().map_or(200, |error| error.status);
    if let (Ok(_), Some(chat_id)) = (&result, methods::chat_of(telegram, method, payload)) {
        telegram.post_to_outbox(chat_id, json!({"method": method, "payload": payload}));
    }
    log(telegram, context, method, payload, status, in_webhook_reply);
    result
}

fn log(
    telegram: &mut Telegram,
    context: &Context<'_>,
    method: &str,
    payload: &Value,
    status: u16,
    in_webhook_reply: bool,
) {
    let chat_id = methods::chat_of(telegram, method, payload);
    telegram.log_call(BotCall {
        at: context.now,
        method: method.to_owned(),
        chat_id,
        status,
        in_webhook_reply,
        payload: payload.clone(),
    });
}

/// Learns from a hand-made update.
fn adopt_update(telegram: &mut Telegram, update: &Value, now: i64) {
    let query = ["callback_query", "pre_checkout_query"].iter().find_map(|kind| update.get(*kind));
    let message = update.get("message");
    let Some(source) = query.or(message).or_else(|| update.get("my_chat_member")) else { return };
    let Some(user_id) = source["from"]["id"].as_i64() else { return };
    telegram.users.entry(user_id).or_insert_with(|| from_update(user_id, &source["from"]));
    if let Some(id) = query.and_then(|query| query["id"].as_str()) {
        let chat_id = source["message"]["chat"]["id"].as_i64().unwrap_or(user_id);
        telegram.remember_query(id.to_owned(), chat_id);
    }
    let Some(message) = message else { return };
    let chat = telegram.chat(message["chat"]["id"].as_i64().unwrap_or(user_id));
    let message_id = message["message_id"].as_i64().unwrap_or_default();
    let text = message["text"].as_str().unwrap_or("(something that is not text)");
    if chat.find(message_id).is_none() {
        let mut seen = ChatMessage::new(Author::User, now, text.to_owned());
        seen.message_id = message_id;
        chat.last_message_id = chat.last_message_id.max(message_id);
        chat.messages.push(seen);
    }
}

fn from_update(id: i64, from: &Value) -> User {
    let text = |field: &str| from[field].as_str().map(str::to_owned);
    User {
        id,
        first_name: text("first_name").unwrap_or_else(|| format!("User {id}")),
        last_name: text("last_name"),
        username: text("username"),
        language_code: text("language_code").unwrap_or_else(|| "en".to_owned()),
        blocked: false,
    }
}
