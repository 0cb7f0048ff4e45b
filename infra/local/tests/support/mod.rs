//! A stack of the real binary on a folder of its own, and plain HTTP to it.
#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

/// A running stack on a folder.
pub struct Running {
    pub child: Child,
    pub address: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guerdon"));
    command
        .current_dir(data)
        .env_clear()
        .env("GUERDON_DATA", data.join("data"))
        .env("GUERDON_PORT", "0")
        .env("GUERDON_LOG", "error")
        .env("ADMIN_TOKEN", "operators-token")
        .env("TELEGRAM_WEBHOOK_SECRET", "webhook-secret")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub fn start(data: &Path) -> Running {
    started(command(data))
}

pub fn started(mut command: Command) -> Running {
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let greeting = lines
        .find_map(|line| line.unwrap().split_once("running on http://").map(|(_, rest)| rest.to_owned()));
    let Some(greeting) = greeting else {
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        panic!("it did not start: {said}");
    };
    let address = greeting.split_whitespace().next().unwrap().to_owned();
    // Whatever else it prints must not block it.
    std::thread::spawn(move || lines.for_each(drop));
    Running { child, address }
}

/// All that a start prints, up to the end of its greeting. It is then killed.
pub fn until_greeted(mut child: Child) -> String {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let text: Vec<_> = lines.take_while(|line| !line.contains("Stop with Ctrl-C")).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    text.join("\n")
}

pub fn request(address: &str, method: &str, path: &str, header: &str, body: &str) -> String {
    try_request(address, method, path, header, body).unwrap()
}

/// A request to a stack that may be killed meanwhile.
pub fn try_request(
    address: &str,
    method: &str,
    path: &str,
    header: &str,
    body: &str,
) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Posts JSON to a tool of the stack, with the token from the data folder.
pub fn change(folder: &Path, running: &Running, path: &str, body: &str) -> String {
    let token = std::fs::read_to_string(folder.join("data/local-token")).unwrap();
    let headers = format!("content-type: application/json\r\nx-local-token: {}", token.trim());
    request(&running.address, "POST", path, &headers, body)
}

pub fn start_member(address: &str, id: u32) {
    let update = format!(
        "{{\"update_id\":{id},\"message\":{{\"message_id\":1,\"date\":1,\"text\":\"/recruit\",\"chat\":{{\"id\":{id},\"type\":\"private\"}},\
         \"from\":{{\"id\":{id},\"is_bot\":false,\"first_name\":\"M{id}\"}}}}}}"
    );
    let secret = "x-telegram-bot-api-secret-token: webhook-secret";
    let answer = request(address, "POST", "/telegram/webhook", secret, &update);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
