//! The stand-in Bot API and the simulated people.
// clippy.toml's allowance for tests does not reach helpers and async bodies.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{Stack, TOKEN};

#[tokio::test]
async fn a_typed_command_is_a_true_update() {
    let stack = Stack::start().await;
    stack.act("telegram/send", json!({"user_id": 1001, "text": "/start ref_ABC"})).await;
    let first = stack.last_update();
    assert_eq!(first["message"]["text"], "/start ref_ABC");
    assert_eq!(first["message"]["entities"], json!([{"offset": 0, "length": 6, "type": "bot_command"}]));
    assert_eq!(first["message"]["from"]["first_name"], "Alice");
    assert_eq!(first["message"]["chat"]["type"], "private");
    let secret = stack.notes.updates.lock().unwrap()[0].header("x-telegram-bot-api-secret-token").to_owned();
    assert_eq!(secret, "telegram-secret");
    stack
        .act("telegram/open", json!({"user_id": 1002, "url": "https://t.me/Guerdon_bot?start=ref_X-1"}))
        .await;
    let second = stack.last_update();
    assert_eq!(second["message"]["text"], "/start ref_X-1");
    assert_eq!(second["update_id"].as_i64(), first["update_id"].as_i64().map(|id| id + 1));
    let (status, _) = stack
        .try_act("telegram/open", json!({"user_id": 1002, "url": "https://t.me/other_bot?start=x"}))
        .await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn calls_and_replies_land_in_the_outbox_once() {
    let stack = Stack::start().await;
    let reply = json!({"method": "sendMessage", "chat_id": 1001, "text": "in the reply"});
    *stack.notes.reply.lock().unwrap() = reply;
    stack.act("telegram/send", json!({"user_id": 1001, "text": "hello"})).await;
    let call = json!({"chat_id": 1001, "text": "<b>as</b> a call &amp; more", "parse_mode": "HTML"});
    let (status, sent) = stack.bot("SendMessage", call.clone()).await;
    assert_eq!((status, &sent["result"]["text"]), (200, &json!("as a call & more")));
    assert_eq!(sent["result"]["message_id"], 3);
    let reply = json!({"chat_id": 1001, "text": "in the reply"});
    let both = [reply, call].map(|payload| json!({"method": "sendMessage", "payload": payload}));
    assert_eq!(stack.sim.outbox(1001), both);
    stack.sim.record_reply(&json!({"ok": true}));
    stack.sim.record_reply(&json!("text"));
    assert_eq!(stack.sim.outbox(1001).len(), 2);
    assert_eq!(stack.get("/sim/api/telegram/outbox/1001").await.as_array().unwrap().len(), 2);
    // A chat without a user on the page can be written to as well.
    stack.bot("sendMessage", json!({"chat_id": 777_000_000_001_i64, "text": "x"})).await;
    assert_eq!(stack.sim.outbox(777_000_000_001).len(), 1);
}

#[tokio::test]
async fn forms_tokens_and_unknown_methods() {
    let stack = Stack::start().await;
    let url = |token: &str, method: &str| format!("{}/sim/telegram/bot{token}/{method}", stack.url);
    let form = "chat_id=1001&text=a+b&reply_markup=%7B%22inline_keyboard%22%3A%5B%5D%7D";
    let request = stack.http().post(url(TOKEN, "sendMessage")).body(form);
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert_eq!(stack.sim.outbox(1001)[0]["payload"]["reply_markup"], json!({"inline_keyboard": []}));
    let me: Value = stack.http().get(url(TOKEN, "getme")).send().await.unwrap().json().await.unwrap();
    assert_eq!(me["result"]["id"], 110_201_543);
    let wrong = stack.http().get(url("1:other", "getMe")).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    let wrong: Value = wrong.json().await.unwrap();
    assert_eq!(wrong, json!({"ok": false, "error_code": 401, "description": "Unauthorized"}));
    assert_eq!(stack.bot("makeCoffee", json!({})).await.0, 404);
    for refused in [
        json!({"chat_id": 1001, "text": "<p>no</p>", "parse_mode": "HTML"}),
        json!({"chat_id": 1001, "text": ""}),
        json!({"text": "nobody"}),
        json!({"chat_id": 1001, "text": "x", "reply_markup": {"inline_keyboard": [[
            {"text": "t", "callback_data": "x".repeat(65)},
        ]]}}),
    ] {
        assert_eq!(stack.bot("sendMessage", refused.clone()).await.0, 400, "{refused}");
    }
    assert_eq!(stack.sim.outbox(1001).len(), 1);
}

#[tokio::test]
async fn buttons_call_back_and_their_answers_find_the_chat() {
    let stack = Stack::start().await;
    let keyboard = json!({"inline_keyboard": [[
        {"text": "More", "callback_data": "more"},
        {"text": "Copy", "copy_text": {"text": "ABC"}},
        {"text": "Pay", "url": "https://example.com/"},
    ]]});
    let menu = json!({"chat_id": 1002, "text": "menu", "reply_markup": keyboard});
    let message_id = stack.bot("sendMessage", menu).await.1["result"]["message_id"].clone();
    let tap = |column: u8| json!({"user_id": 1002, "message_id": message_id, "row": 0, "column": column});
    stack.act("telegram/tap", tap(0)).await;
    let query = stack.last_update()["callback_query"].clone();
    assert_eq!((&query["data"], &query["message"]["text"]), (&json!("more"), &json!("menu")));
    assert_eq!(query["message"]["reply_markup"], keyboard);
    assert_eq!(stack.act("telegram/tap", tap(1)).await["text"], "ABC");
    assert_eq!(stack.act("telegram/tap", tap(2)).await["url"], "https://example.com/");
    stack.bot("answerCallbackQuery", json!({"callback_query_id": query["id"], "text": "done"})).await;
    let edit = json!({"chat_id": 1002, "message_id": message_id, "text": "page 2"});
    assert_eq!(stack.bot("editMessageText", edit.clone()).await.0, 200);
    let (status, again) = stack.bot("editMessageText", edit).await;
    assert_eq!(status, 400);
    assert!(again["description"].as_str().unwrap().contains("message is not modified"));
    let methods: Vec<Value> =
        stack.sim.outbox(1002).into_iter().map(|mut call| call["method"].take()).collect();
    assert_eq!(methods, ["sendMessage", "answerCallbackQuery", "editMessageText"]);
    assert_eq!(stack.get("/sim/api/state?user=1002").await["chat"]["toast"]["text"], "done");
}

#[tokio::test]
async fn a_blocked_bot_hears_of_it() {
    let stack = Stack::start().await;
    stack.act("telegram/block", json!({"user_id": 1003, "blocked": true})).await;
    let change = stack.last_update()["my_chat_member"].clone();
    assert_eq!(change["new_chat_member"]["status"], "kicked");
    assert_eq!(change["new_chat_member"]["until_date"], 0);
    let (status, refusal) = stack.bot("sendMessage", json!({"chat_id": 1003, "text": "x"})).await;
    assert_eq!(status, 403);
    assert_eq!(refusal["description"], "Forbidden: bot was blocked by the user");
    stack.sim.record_reply(&json!({"method": "sendMessage", "chat_id": 1003, "text": "x"}));
    assert!(stack.sim.outbox(1003).is_empty());
    assert_eq!(stack.try_act("telegram/send", json!({"user_id": 1003, "text": "hi"})).await.0, 409);
    // A deep link restarts the bot, as in the real client.
    stack.act("telegram/open", json!({"user_id": 1003, "url": "https://t.me/guerdon_bot?start=a"})).await;
    let updates = stack.notes.updates.lock().unwrap();
    let member = &updates[updates.len() - 2].json()["my_chat_member"]["new_chat_member"]["status"];
    assert_eq!(member, "member");
    assert_eq!(updates[updates.len() - 1].json()["message"]["text"], "/start a");
}

#[tokio::test]
async fn stars_are_paid_after_the_pre_checkout() {
    let stack = Stack::start().await;
    let invoice = json!({
        "chat_id": 1001, "title": "Gold", "description": "d", "payload": "intent-1", "provider_token": "",
        "currency": "XTR", "prices": [{"label": "Gold", "amount": 250}],
    });
    let message_id = stack.bot("sendInvoice", invoice).await.1["result"]["message_id"].clone();
    let pay = stack.act("telegram/pay", json!({"user_id": 1001, "message_id": message_id}));
    let answer = async {
        let query = loop {
            let known = stack.notes.updates.lock().unwrap().last().map(support::Received::json);
            if let Some(update) = known {
                break update["pre_checkout_query"].clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        };
        assert_eq!(query["invoice_payload"], "intent-1");
        stack.bot("answerPreCheckoutQuery", json!({"pre_checkout_query_id": query["id"], "ok": true})).await;
    };
    tokio::join!(pay, answer);
    let payment = stack.last_update()["message"]["successful_payment"].clone();
    assert_eq!((&payment["total_amount"], &payment["currency"]), (&json!(250), &json!("XTR")));
    assert!(payment["telegram_payment_charge_id"].as_str().is_some_and(|id| !id.is_empty()));
}

#[tokio::test]
async fn failures_are_injected_and_run_out() {
    let stack = Stack::start().await;
    stack.act("telegram/fail", json!({"next": 1, "status": 429, "retry_after": 7})).await;
    let message = json!({"chat_id": 1001, "text": "x"});
    let (status, body) = stack.bot("sendMessage", message.clone()).await;
    assert_eq!((status, &body["parameters"]["retry_after"]), (429, &json!(7)));
    assert!(stack.sim.outbox(1001).is_empty());
    stack.act("telegram/fail", json!({"next": 1, "status": 502, "after_commit": true})).await;
    assert_eq!(stack.bot("sendMessage", message.clone()).await.0, 502);
    assert_eq!(stack.sim.outbox(1001).len(), 1);
    assert_eq!(stack.bot("sendMessage", message).await.0, 200);
}

#[tokio::test]
async fn hand_made_updates_are_learnt_from() {
    let stack = Stack::start().await;
    stack.sim.observe_update(&json!({
        "update_id": 5,
        "callback_query": {
            "id": "hand-made", "from": {"id": 5001, "is_bot": false, "first_name": "Hand"}, "data": "x",
            "message": {"message_id": 9, "chat": {"id": 5001, "type": "private"}, "date": 1},
        },
    }));
    stack.bot("answerCallbackQuery", json!({"callback_query_id": "hand-made"})).await;
    stack.bot("editMessageText", json!({"chat_id": 5001, "message_id": 9, "text": "edited"})).await;
    assert_eq!(stack.sim.outbox(5001).len(), 2);
    stack.bot("answerCallbackQuery", json!({"callback_query_id": "unknown"})).await;
    assert_eq!(stack.sim.outbox(0).len(), 1);
    for nonsense in [json!(null), json!([]), json!({"update_id": "x", "message": 3}), json!({"message": {}})]
    {
        stack.sim.observe_update(&nonsense);
    }
}

#[tokio::test]
async fn a_forwarded_message_says_whose_words_it_is() {
    let stack = Stack::start().await;
    stack.act("telegram/send", json!({"user_id": 1001, "text": "/withdraw 500 upi other@ybl"})).await;
    let forward = |of: i64, id: i64| json!({"user_id": 1002, "from_user_id": of, "message_id": id});
    stack.act("telegram/forward", forward(1001, 1)).await;
    let message = &stack.last_update()["message"];
    assert_eq!((&message["from"]["id"], &message["chat"]["id"]), (&json!(1002), &json!(1002)));
    assert_eq!(message["text"], "/withdraw 500 upi other@ybl");
    assert_eq!(message["forward_origin"]["sender_user"]["id"], 1001);
    assert_eq!(stack.try_act("telegram/forward", forward(1001, 99)).await.0, 404);
    assert_eq!(stack.try_act("telegram/forward", forward(1009, 1)).await.0, 404);
}
