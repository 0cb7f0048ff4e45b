//! The Bot API's answers and their meaning.

use serde_json::Value;

/// Reasons why a call had no effect, or may have had none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// This recipient cannot be reached: they blocked the bot, left Telegram or never wrote to the bot. This is an
    /// outcome, not a failure: a retry is useless.
    #[error("the recipient cannot be reached")]
    Blocked,
    /// Too many calls: nothing may be sent to anyone for this many seconds.
    #[error("Telegram asks for a pause of {0} s")]
    RetryAfter(u64),
    /// Telegram does not accept the bot's token: nothing can be sent until the bot has another one.
    #[error("Telegram does not accept the bot's token")]
    Unauthorized,
    /// Telegram refused the call; a retry is useless.
    #[error("Telegram refused: {0}")]
    Refused(String),
    /// It is unknown whether the call was executed.
    #[error("the outcome is unknown: {0}")]
    Unknown(String),
}

/// Length of a pause when Telegram asks for one without its length.
const DEFAULT_PAUSE_SECONDS: u64 = 5;

/// Reads the answer to `method`: its `result`, or the error.
///
/// # Errors
/// [`SendError`], with no other part of the body than Telegram's own description.
pub fn read_reply(method: &str, http_status: u16, body: &[u8]) -> Result<Value, SendError> {
    // Of an answer that is not Telegram's (a proxy's page) only the status is kept.
    let mut reply: Value = serde_json::from_slice(body).unwrap_or_default();
    let status = reply["error_code"].as_u64().unwrap_or_else(|| http_status.into());
    match reply["ok"].as_bool() {
        Some(true) => return Ok(reply["result"].take()),
        Some(false) => {}
        None if (200..300).contains(&status) => {
            return Err(SendError::Unknown("the answer is not Telegram's".to_owned()));
        }
        None => {}
    }
    let description = reply["description"].as_str().unwrap_or_default();
    if already_so(method, description) {
        return Ok(Value::Bool(true));
    }
    Err(match status {
        403 => SendError::Blocked,
        400 if description.ends_with("chat not found") => SendError::Blocked,
        401 => SendError::Unauthorized,
        404 if description == "Not Found" => SendError::Unauthorized,
        429 => {
            let pause = reply["parameters"]["retry_after"].as_u64();
            SendError::RetryAfter(pause.unwrap_or(DEFAULT_PAUSE_SECONDS))
        }
        400..500 if description.is_empty() => SendError::Refused(format!("status {status}")),
        400..500 => SendError::Refused(description.to_owned()),
        _ => SendError::Unknown(format!("status {status}")),
    })
}

/// Returns whether a refusal can be ignored: the state is already the wanted one, or it no longer matters.
fn already_so(method: &str, description: &str) -> bool {
    match method {
        "editMessageText" => description.contains("message is not modified"),
        "answerCallbackQuery" => description.contains("query is too old"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(method: &str, status: u16, body: &str, expect: Result<Value, SendError>) {
        assert_eq!(read_reply(method, status, body.as_bytes()), expect, "{status} {body}");
    }

    fn refusal(code: u16, description: &str) -> String {
        json!({"ok": false, "error_code": code, "description": description}).to_string()
    }

    #[test]
    fn outcomes() {
        let send = |status, body: &str, expect| check("sendMessage", status, body, expect);
        let refused = |text: &str| Err(SendError::Refused(text.to_owned()));
        let unknown = |text: &str| Err(SendError::Unknown(text.to_owned()));
        send(200, r#"{"ok":true,"result":{"message_id":1}}"#, Ok(json!({"message_id": 1})));
        send(403, &refusal(403, "Forbidden: bot was blocked by the user"), Err(SendError::Blocked));
        send(403, &refusal(403, "Forbidden: user is deactivated"), Err(SendError::Blocked));
        send(400, &refusal(400, "Bad Request: chat not found"), Err(SendError::Blocked));
        send(
            400,
            &refusal(400, "Bad Request: message is too long"),
            refused("Bad Request: message is too long"),
        );
        send(401, &refusal(401, "Unauthorized"), Err(SendError::Unauthorized));
        send(404, &refusal(404, "Not Found"), Err(SendError::Unauthorized));
        send(404, "<html>", refused("status 404"));
        let pause = r#"{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":14}}"#;
        send(429, pause, Err(SendError::RetryAfter(14)));
        send(429, "", Err(SendError::RetryAfter(DEFAULT_PAUSE_SECONDS)));
        send(500, &refusal(500, "Internal Server Error"), unknown("status 500"));
        send(502, "<html>Bad Gateway", unknown("status 502"));
        send(302, "", unknown("status 302"));
        send(200, "<html>captive portal", unknown("the answer is not Telegram's"));
        send(200, "[]", unknown("the answer is not Telegram's"));
    }

    #[test]
    fn harmless_refusals_are_successes_where_they_are_harmless() {
        let same = refusal(400, "Bad Request: message is not modified: specified new message content ...");
        let old = refusal(400, "Bad Request: query is too old and response timeout expired");
        check("editMessageText", 400, &same, Ok(json!(true)));
        check("answerCallbackQuery", 400, &old, Ok(json!(true)));
        // A payment that was answered too late was not made.
        assert!(read_reply("answerPreCheckoutQuery", 400, old.as_bytes()).is_err());
    }
}
