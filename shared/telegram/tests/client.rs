//! Tests of the client against a local server that acts as the Bot API.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use guerdon_domain::ids::TelegramId;
use guerdon_telegram::{
    client::{BotApi, ClientError},
    command::MENU,
    keyboard::Keyboard,
    outbound::Outgoing,
    reply::SendError,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const TOKEN: &str = "1000001:not-a-real-token";

/// Answers one request with `status` and `body`, and returns the request's path and JSON.
async fn serve(status: u16, body: &str) -> (String, JoinHandle<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        request
    });
    (address, served)
}

async fn read_request(stream: &mut TcpStream) -> (String, Value) {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase().lines().find_map(|line| {
                line.strip_prefix("content-length: ").map(|value| value.parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                let path = head.split(' ').nth(1).unwrap().to_owned();
                return (path, serde_json::from_str(body).unwrap());
            }
        }
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "the request was cut off");
    }
}

fn api(url: &str) -> BotApi {
    BotApi::try_new(TOKEN).unwrap().set_api_url(url).unwrap()
}

fn hello() -> Outgoing {
    Outgoing::send_html(TelegramId::try_new(5001).unwrap(), "hi", Keyboard::new())
}

async fn outcome(status: u16, body: Value) -> Result<(), SendError> {
    let (address, served) = serve(status, &body.to_string()).await;
    let outcome = api(&address).send(&hello()).await;
    served.await.unwrap();
    outcome
}

#[tokio::test]
async fn a_call_goes_to_the_method_of_the_token() {
    for prefix in ["", "/", "/sim/telegram", "/sim/telegram/"] {
        let (address, served) = serve(200, r#"{"ok":true,"result":{"unreadable":"to teloxide"}}"#).await;
        assert_eq!(api(&format!("{address}{prefix}")).send(&hello()).await, Ok(()));
        let (path, params) = served.await.unwrap();
        assert_eq!(path, format!("{}/bot{TOKEN}/sendMessage", prefix.trim_end_matches('/')));
        assert_eq!((&params["chat_id"], &params["text"]), (&json!(5001), &json!("hi")));
        assert_eq!(params["method"], Value::Null);
    }
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let blocked =
        json!({"ok": false, "error_code": 403, "description": "Forbidden: bot was blocked by the user"});
    assert_eq!(outcome(403, blocked).await, Err(SendError::Blocked));
    let pause =
        json!({"ok": false, "error_code": 429, "description": "x", "parameters": {"retry_after": 14}});
    assert_eq!(outcome(429, pause).await, Err(SendError::RetryAfter(14)));
    let refused = json!({"ok": false, "error_code": 400, "description": "Bad Request: no"});
    assert_eq!(outcome(400, refused).await, Err(SendError::Refused("Bad Request: no".into())));
}

#[tokio::test]
async fn a_broken_server_is_an_unknown_outcome_and_no_wait() {
    // teloxide's own requests would sleep ten seconds here.
    let answered =
        tokio::time::timeout(std::time::Duration::from_secs(5), outcome(500, json!({"ok": false})));
    assert_eq!(answered.await.expect("no wait"), Err(SendError::Unknown("status 500".into())));
}

#[tokio::test]
async fn an_error_never_shows_the_token() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let refused = api(&address).send(&hello()).await.unwrap_err();
    assert_eq!(refused, SendError::Unknown("could not connect".into()));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let hang_up = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await
    });
    let cut = api(&address).send(&hello()).await.unwrap_err();
    hang_up.await.unwrap();
    assert_eq!(cut, SendError::Unknown("the connection broke".into()));

    for shown in [format!("{refused} {refused:?}"), format!("{cut} {cut:?}"), format!("{:?}", api(&address))]
    {
        assert!(!shown.contains("not-a-real-token") && !shown.contains("127.0.0.1"), "{shown}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (address, served) = serve(307, "").await;
    let moved = api(&address).send(&hello()).await;
    served.await.unwrap();
    assert_eq!(moved, Err(SendError::Unknown("status 307".into())));
}

#[tokio::test]
async fn the_other_calls() {
    let me =
        json!({"ok": true, "result": {"id": 1, "is_bot": true, "first_name": "G", "username": "GuerdonBot"}});
    let (address, served) = serve(200, &me.to_string()).await;
    assert_eq!(api(&address).get_me().await.unwrap().as_str(), "GuerdonBot");
    assert_eq!(served.await.unwrap().0, format!("/bot{TOKEN}/getMe"));

    let updates = json!([{"update_id": 8, "telepathy": {"kept": true}}]);
    let (address, served) = serve(200, &json!({"ok": true, "result": updates}).to_string()).await;
    assert_eq!(json!(api(&address).get_updates(8, 0).await.unwrap()), updates);
    let (_, params) = served.await.unwrap();
    assert_eq!((&params["offset"], &params["timeout"]), (&json!(8), &json!(0)));
    assert!(params["allowed_updates"].as_array().unwrap().contains(&json!("subscription")));

    let (address, served) = serve(200, r#"{"ok":true,"result":true}"#).await;
    assert_eq!(api(&address).delete_webhook().await, Ok(()));
    assert_eq!(served.await.unwrap().1, json!({"drop_pending_updates": false}));

    let (address, served) = serve(200, r#"{"ok":true,"result":true}"#).await;
    assert_eq!(api(&address).set_my_commands(&MENU, Some("en")).await, Ok(()));
    let (_, params) = served.await.unwrap();
    assert_eq!(params["commands"][0]["command"], "recruit");
    assert_eq!(params["language_code"], "en");
}

#[test]
fn an_address_is_http() {
    for bad in ["", "api.telegram.org", "ftp://example.com", "mailto:x@example.com", "/sim"] {
        let outcome = BotApi::try_new(TOKEN).unwrap().set_api_url(bad);
        assert_eq!(outcome.err(), Some(ClientError::ApiUrl), "{bad}");
    }
}
