//! `/sim/api/users` and `/sim/api/telegram`: people's actions, ordered by the page, scripts and tests.

use axum::{
    Json,
    extract::{Path, State as Shared},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{Telegram, User};
use crate::{
    answer::{ActionError, Answer, Body, checked, done},
    injection::Injection,
    world::Side,
};

#[derive(Deserialize)]
pub(crate) struct NewUser {
    id: Option<i64>,
    first_name: String,
    last_name: Option<String>,
    username: Option<String>,
    language_code: Option<String>,
}

pub(crate) async fn add_user(Shared(bot): Shared<Side<Telegram>>, Body(new): Body<NewUser>) -> Answer {
    let first_name = new.first_name.trim().to_owned();
    if first_name.is_empty() || first_name.chars().count() > 64 {
        return Err(ActionError::invalid("a first name has 1 to 64 characters"));
    }
    let filled =
        |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let id = bot.change(|telegram| {
        let users = &mut telegram.users;
        let next = users.keys().next_back().map_or(1001, |last| last.saturating_add(1)).max(1001);
        let id = new.id.unwrap_or(next);
        if id < 1 || users.contains_key(&id) {
            return Err(ActionError::conflict("that id is taken or not positive"));
        }
        users.insert(
            id,
            User {
                id,
                first_name,
                last_name: filled(new.last_name),
                username: filled(new.username),
                language_code: filled(new.language_code).unwrap_or_else(|| "en".to_owned()),
                blocked: false,
            },
        );
        Ok(id)
    })?;
    done(json!({"user_id": id}))
}

#[derive(Deserialize)]
pub(crate) struct TypedText {
    user_id: i64,
    text: String,
}

pub(crate) async fn send(Shared(bot): Shared<Side<Telegram>>, Body(body): Body<TypedText>) -> Answer {
    done(bot.send_text(body.user_id, &body.text).await?)
}

#[derive(Deserialize)]
pub(crate) struct Forward {
    user_id: i64,
    from_user_id: i64,
    message_id: i64,
}

pub(crate) async fn forward(Shared(bot): Shared<Side<Telegram>>, Body(body): Body<Forward>) -> Answer {
    done(bot.forward(body.user_id, body.from_user_id, body.message_id).await?)
}

#[derive(Deserialize)]
pub(crate) struct Tap {
    user_id: i64,
    message_id: i64,
    #[serde(flatten)]
    button: Value,
}

pub(crate) async fn tap(Shared(bot): Shared<Side<Telegram>>, Body(body): Body<Tap>) -> Answer {
    done(bot.tap(body.user_id, body.message_id, &body.button).await?)
}

#[derive(Deserialize)]
pub(crate) struct Open {
    user_id: i64,
    url: String,
}

pub(crate) async fn open(Shared(bot): Shared<Side<Telegram>>, Body(body): Body<Open>) -> Answer {
    done(bot.open_link(body.user_id, &body.url).await?)
}

#[derive(Deserialize)]
pub(crate) struct Block {
    user_id: i64,
    blocked: bool,
}

pub(crate) async fn block(Shared(bot): Shared<Side<Telegram>>, Body(body): Body<Block>) -> Answer {
    done(bot.set_blocked(body.user_id, body.blocked).await?)
}

#[derive(Deserialize)]
pub(crate) struct PayInvoice {
    user_id: i64,
    message_id: i64,
}

pub(crate) async fn pay_invoice(Shared(bot): Shared<Side<Telegram>>, Body(body): Body<PayInvoice>) -> Answer {
    done(bot.pay_invoice(body.user_id, body.message_id).await?)
}

pub(crate) async fn fail(Shared(bot): Shared<Side<Telegram>>, Body(body): Body<Injection>) -> Answer {
    let injection = checked(body)?;
    bot.change(|telegram| telegram.fail = injection);
    done(json!({}))
}

pub(crate) async fn outbox(Shared(bot): Shared<Side<Telegram>>, Path(chat_id): Path<i64>) -> Json<Value> {
    Json(json!(bot.outbox(chat_id)))
}

pub(crate) async fn bot_calls(Shared(bot): Shared<Side<Telegram>>) -> Json<Value> {
    Json(bot.read(|telegram| json!(telegram.calls)))
}

pub(crate) async fn updates(Shared(bot): Shared<Side<Telegram>>) -> Json<Value> {
    Json(bot.read(|telegram| json!(telegram.updates)))
}
