//! The Bot API over HTTP.
//!
//! teloxide's [`Bot`] holds the token, the address and the connections. Its requests are not used: after a
//! 5xx they sleep ten seconds inside the call, and a message that was sent counts as an error when the
//! library cannot read Telegram's description of it, which would send it twice.

use std::fmt;
use std::time::Duration;

use reqwest::{Url, redirect};
use serde_json::{Value, json};
use teloxide_core::Bot;
use teloxide_core::net::default_reqwest_settings;

use crate::{
    outbound::Outgoing,
    reply::{SendError, read_reply},
    update::ALLOWED_UPDATES,
    username::BotUsername,
};

/// Time that a long poll may take in addition to the waiting time that it asked for.
const POLL_MARGIN_SECONDS: u64 = 10;

/// The client could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The address is not an absolute http or https URL.
    #[error("the Bot API's address must be an absolute http or https URL")]
    ApiUrl,
    /// The TLS stack did not start.
    #[error("the HTTP client did not start")]
    Http,
}

/// A client of the Bot API. Cheap to clone; keeps its connections between calls.
#[derive(Clone)]
pub struct BotApi {
    bot: Bot,
}

impl fmt::Debug for BotApi {
    /// Prints no token. `Bot` would print it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BotApi(..)")
    }
}

impl BotApi {
    /// Makes a client for the bot with this `token`, at Telegram's own address.
    ///
    /// # Errors
    /// [`ClientError::Http`].
    pub fn try_new(token: impl Into<String>) -> Result<Self, ClientError> {
        // The token is part of every address, so no redirect to another host is followed.
        let settings = default_reqwest_settings().redirect(redirect::Policy::none());
        let client = settings.build().map_err(|_| ClientError::Http)?;
        Ok(Self { bot: Bot::with_client(token, client) })
    }

    /// Uses another address, with or without a path: a local Bot API server, or our simulator.
    ///
    /// # Errors
    /// [`ClientError::ApiUrl`].
    pub fn set_api_url(self, url: &str) -> Result<Self, ClientError> {
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        Ok(Self { bot: self.bot.set_api_url(url.ok_or(ClientError::ApiUrl)?) })
    }

    /// Makes a client for the bot with this `token`, at `url` when that is given and at Telegram's own otherwise.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn at(token: &str, url: Option<&str>) -> Result<Self, ClientError> {
        let api = Self::try_new(token)?;
        match url {
            Some(url) => api.set_api_url(url),
            None => Ok(api),
        }
    }

    /// Makes one call.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(&self, call: &Outgoing) -> Result<(), SendError> {
        self.call(call.method(), &call.params(), None).await.map(drop)
    }

    /// Executes the method that the body of a webhook's answer names, if any, as Telegram does.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send_reply(&self, body: &Value) -> Result<(), SendError> {
        match body["method"].as_str() {
            Some(method) => self.call(method, body, None).await.map(drop),
            None => Ok(()),
        }
    }

    /// Asks for the bot's own username. This call changes nothing, so it also checks the token.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn get_me(&self) -> Result<BotUsername, SendError> {
        let me = self.call("getMe", &json!({}), None).await?;
        let username = me["username"].as_str().unwrap_or_default();
        BotUsername::parse(username).map_err(|error| SendError::Unknown(error.to_string()))
    }

    /// Waits up to `timeout_seconds` for updates from number `offset` on. They are returned as received, for
    /// [`Update::from_value`](crate::update::Update::from_value).
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn get_updates(&self, offset: i64, timeout_seconds: u64) -> Result<Vec<Value>, SendError> {
        let params =
            json!({"offset": offset, "timeout": timeout_seconds, "allowed_updates": ALLOWED_UPDATES});
        let patience = Duration::from_secs(timeout_seconds.saturating_add(POLL_MARGIN_SECONDS));
        match self.call("getUpdates", &params, Some(patience)).await? {
            Value::Array(updates) => Ok(updates),
            _ => Err(SendError::Unknown("the answer is no list of updates".to_owned())),
        }
    }

    /// Ends delivery by webhook, so that `get_updates` may be used. Waiting updates are kept.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn delete_webhook(&self) -> Result<(), SendError> {
        self.call("deleteWebhook", &json!({"drop_pending_updates": false}), None).await.map(drop)
    }

    /// Sets the menu of commands, [`MENU`](crate::command::MENU) or a translation of it for one language.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn set_my_commands(
        &self,
        menu: &[(&str, &str)],
        language_code: Option<&str>,
    ) -> Result<(), SendError> {
        let command =
            |(name, description): &(&str, &str)| json!({"command": name, "description": description});
        let mut params = json!({"commands": menu.iter().map(command).collect::<Vec<_>>()});
        if let Some(language) = language_code {
            params["language_code"] = language.into();
        }
        self.call("setMyCommands", &params, None).await.map(drop)
    }

    async fn call(
        &self,
        method: &str,
        params: &Value,
        timeout: Option<Duration>,
    ) -> Result<Value, SendError> {
        let mut request = self.bot.client().post(self.method_url(method)).json(params);
        if let Some(timeout) = timeout {
            request = request.timeout(timeout);
        }
        let response = request.send().await.map_err(broken)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(broken)?;
        read_reply(method, status, &body)
    }

    fn method_url(&self, method: &str) -> Url {
        let mut url = self.bot.api_url();
        // An http URL always has a path, so this is never an error. A slash at its end is removed first;
        // otherwise the path would have an empty part.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(&format!("bot{}", self.bot.token())).push(method);
        }
        url
    }
}

/// Describes the failure without the error's own text, which contains the address and so the token.
fn broken(error: reqwest::Error) -> SendError {
    let what = match () {
        () if error.is_timeout() => "timed out",
        () if error.is_connect() => "could not connect",
        () => "the connection broke",
    };
    SendError::Unknown(what.to_owned())
}
