//! Tests that slow clients hold nothing up: half-sent requests end, and webhooks are answered beside any number of them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use guerdon_app::context::SystemClock;
use guerdon_domain::settings::Preset;
use guerdon_local::{config::Config, server::Serving, stack::Stack};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(3600);

/// The beginnings of requests that never end.
const HALVES: [&str; 5] = [
    "",
    "POST /api/stripe/webhook HT",
    "POST /telegram/webhook HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "POST /telegram/webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"update_id\"",
    "POST /admin/auth/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\"",
];

async fn stack(serving: Serving) -> Stack {
    let mut config = Config::in_memory(Arc::new(Preset::builtin("bitten").unwrap())).unwrap();
    config.serving = serving;
    Stack::start(config, Arc::new(SystemClock::default())).await.unwrap()
}

async fn half(address: SocketAddr, sent: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(sent.as_bytes()).await.unwrap();
    socket
}

/// Everything that comes until the connection is closed. It does not return while the connection stays open.
async fn rest(socket: &mut TcpStream) -> String {
    let mut all = Vec::new();
    // A reset closes it too.
    socket.read_to_end(&mut all).await.ok();
    String::from_utf8(all).unwrap()
}

/// Delivers an update on a connection of its own, and returns the status line.
async fn webhook(address: SocketAddr, n: usize) -> String {
    let body = format!(r#"{{"update_id":{n}}}"#);
    let request = format!(
        "POST /telegram/webhook HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\
         X-Telegram-Bot-Api-Secret-Token: test-webhook-secret\r\n\r\n{body}",
        body.len()
    );
    let answer = rest(&mut half(address, &request).await).await;
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_sent_request_is_closed() {
    let stack = stack(Serving { connections: 100, head: SHORT, body: SHORT }).await;
    for sent in HALVES {
        let answer = rest(&mut half(stack.address(), sent).await).await;
        let complete_head = sent.contains("\r\n\r\n");
        assert_eq!(answer.contains("body_too_slow"), complete_head, "{sent:?}: {answer}");
        assert_eq!(answer.starts_with("HTTP/1.1 408"), complete_head, "{sent:?}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_closed_after_its_answer() {
    let stack = stack(Serving { connections: 100, head: SHORT, body: SHORT }).await;
    let request = "GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answer = rest(&mut half(stack.address(), request).await).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// The sibling: a body that comes byte by byte, each in time.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_trickles_is_closed() {
    let stack = stack(Serving { connections: 100, head: LONG, body: SHORT }).await;
    let mut socket = half(stack.address(), HALVES[3]).await;
    let mut answer = [0; 12];
    loop {
        tokio::select! {
            read = socket.read_exact(&mut answer) => break read.map(|_| ()).unwrap(),
            () = tokio::time::sleep(SHORT / 10) => {}
        }
        socket.write_all(b" ").await.ok();
    }
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_answered_beside_300_half_sent_requests() {
    let stack = stack(Serving { connections: 64, head: LONG, body: LONG }).await;
    let mut slow = Vec::new();
    for n in 0..300 {
        slow.push(half(stack.address(), HALVES[n % HALVES.len()]).await);
        if n % 10 == 0 {
            assert_eq!(webhook(stack.address(), n).await, "HTTP/1.1 200 OK", "beside {n}");
        }
    }
    // The first ones had to give up their places, although no time was over.
    for socket in &mut slow[..200] {
        assert_eq!(rest(socket).await, "");
    }
    assert_eq!(webhook(stack.address(), 1000).await, "HTTP/1.1 200 OK");
}
