//! People who write to the bot.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::{Answer, World};

/// A Telegram user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// Their Telegram id.
    pub id: i64,
    /// Their first name.
    pub name: &'static str,
}

/// The referrer of most journeys.
pub const ALICE: Person = Person { id: 7_000_000_001, name: "Alice" };
/// The referee.
pub const BOB: Person = Person { id: 7_000_000_002, name: "Bob" };
/// A third person.
pub const CAROL: Person = Person { id: 7_000_000_003, name: "Carol" };

/// The webhook's secret in every world.
pub const WEBHOOK_SECRET: &str = "test-webhook-secret";

/// Makes a message of `person` as Telegram sends it.
pub fn message(update_id: i64, person: Person, text: &str) -> Value {
    let user = json!({ "id": person.id, "is_bot": false, "first_name": person.name, "language_code": "en" });
    json!({
        "update_id": update_id,
        "message": {
            "message_id": update_id,
            "from": user,
            "chat": { "id": person.id, "type": "private", "first_name": person.name },
            "date": 1_795_253_400,
            "text": text,
        },
    })
}

/// Makes a tap of `person` on a button with this callback data, under message 1 of their chat with the bot.
pub fn tap(update_id: i64, person: Person, data: &str) -> Value {
    json!({
        "update_id": update_id,
        "callback_query": {
            "id": format!("43{update_id}"),
            "from": { "id": person.id, "is_bot": false, "first_name": person.name },
            "chat_instance": "1",
            "data": data,
            "message": {
                "message_id": 1,
                "date": 1_795_253_400,
                "chat": { "id": person.id, "type": "private", "first_name": person.name },
            },
        },
    })
}

/// The callback data of the button whose text begins with `label`, under a message of the bot's.
pub fn button(message: &Value, label: &str) -> Option<String> {
    let rows = message["reply_markup"]["inline_keyboard"].as_array()?;
    let mut buttons = rows.iter().filter_map(Value::as_array).flatten();
    let found = buttons.find(|button| button["text"].as_str().is_some_and(|text| text.starts_with(label)));
    found?["callback_data"].as_str().map(str::to_owned)
}

impl World {
    /// Makes an update id that was not used before.
    pub fn update_id(&self) -> i64 {
        self.next_update.fetch_add(1, Ordering::SeqCst)
    }

    /// Posts an update with the right secret.
    pub async fn update(&self, update: &Value) -> Answer {
        let headers =
            [("x-telegram-bot-api-secret-token", WEBHOOK_SECRET), ("content-type", "application/json")];
        let body = update.to_string().into_bytes();
        self.request(reqwest::Method::POST, "/telegram/webhook", &headers, body).await
    }

    /// Sends `text` as `person` and returns the bot's answer in the webhook's response.
    pub async fn says(&self, person: Person, text: &str) -> String {
        let answer = self.update(&message(self.update_id(), person, text)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["text"].as_str().unwrap_or_default().to_owned()
    }

    /// Sends `text` as `person` and returns the bot's whole answer, with its buttons.
    pub async fn asks(&self, person: Person, text: &str) -> Value {
        let answer = self.update(&message(self.update_id(), person, text)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// Taps, as `person`, a button with this callback data under message 1.
    pub async fn taps(&self, person: Person, data: &str) -> Value {
        self.update(&tap(self.update_id(), person, data)).await.body
    }

    /// Types a line of `/withdraw` as `person`, confirms what the bot shows, and returns the answer to the tap.
    pub async fn withdraws(&self, person: Person, line: &str) -> String {
        let offer = self.asks(person, line).await;
        let data = button(&offer, "✅ Confirm").unwrap_or_else(|| panic!("no button: {offer}"));
        self.taps(person, &data).await["text"].as_str().unwrap_or_default().to_owned()
    }

    /// The code that `person` shares.
    pub async fn code_of(&self, person: Person) -> String {
        let text = self.says(person, "/recruit").await;
        let (_, code) = text.split_once("?start=ref_").expect("a deep link");
        code.chars().take(8).collect()
    }

    /// Opens `code`'s link as `person`, for the first time.
    pub async fn joins(&self, person: Person, code: &str) -> String {
        self.says(person, &format!("/start ref_{code}")).await
    }
}
