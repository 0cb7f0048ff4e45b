//! A real bot on one machine: updates by long polling, replies through the Bot API.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use guerdon_runtime::secrets::Secret;
use guerdon_telegram::{
    client::BotApi,
    command::{MENU, MENU_WITHDRAW},
    username::BotUsername,
};
use lambda_http::Body;
use serde_json::Value;
use tokio::time::sleep;

use crate::parts::Parts;

/// Asks Telegram for the bot's name, which deep links need.
pub(crate) async fn whoami(token: &str) -> anyhow::Result<BotUsername> {
    let api = BotApi::try_new(token)?;
    api.get_me().await.context("TELEGRAM_BOT_TOKEN: Telegram does not know this bot, or cannot be reached")
}

/// Polls for ever. An update is confirmed to Telegram only once it was answered.
pub(crate) async fn run(parts: Arc<Parts>, token: String) {
    let Ok(api) = BotApi::try_new(token) else { return };
    // A webhook that is still set would get the updates instead.
    if let Err(error) = api.delete_webhook().await {
        tracing::warn!(%error, "the webhook could not be removed");
    }
    let mut menu = MENU.to_vec();
    menu.extend(parts.app.preset.withdrawals.is_some().then_some(MENU_WITHDRAW));
    if let Err(error) = api.set_my_commands(&menu, None).await {
        tracing::warn!(%error, "the command menu could not be set");
    }
    let mut next = 0;
    loop {
        match api.get_updates(next, 25).await {
            Ok(updates) => {
                for update in updates {
                    if !answer(&parts, &api, &update).await {
                        break;
                    }
                    next = update["update_id"].as_i64().map_or(next, |id| id + 1);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "polling failed; again in 3 s");
                sleep(Duration::from_secs(3)).await;
            }
        }
    }
}

/// Answers one update through the webhook's own handler. False when it must come again.
async fn answer(parts: &Parts, api: &BotApi, update: &Value) -> bool {
    let secret = parts.bot.secrets.get(Secret::TelegramWebhookSecret).await.unwrap_or_default();
    let request = http::Request::post("/telegram/webhook")
        .header("x-telegram-bot-api-secret-token", secret)
        .body(Body::Text(update.to_string()));
    let Ok(request) = request else { return true };
    let response = telegram_webhook::handler::handle(&parts.bot, request).await;
    if response.status().is_server_error() {
        sleep(Duration::from_secs(1)).await;
        return false;
    }
    if let Ok(reply) = serde_json::from_slice::<Value>(response.body())
        && let Err(error) = api.send_reply(&reply).await
    {
        tracing::warn!(%error, "a reply was not sent");
    }
    true
}
