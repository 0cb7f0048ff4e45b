//! A fake of Lambda's runtime API, and of what the functions call before and during a first call, on one loopback
//! port. Only the moment at which a poll arrives is measured.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;

use crate::report::now;

/// Every secret has this value.
pub const SECRET: &str = "bench-secret-0123456789";

/// Events that the functions cause.
pub enum Event {
    /// Asked for an event, and waits for the answer on this connection.
    Polled { at: Instant, connection: TcpStream },
    /// Answered an event, or failed to.
    Answered { at: Instant, ok: bool, body: String },
}

/// A running fake.
pub struct Api {
    /// The address on which it listens.
    pub address: String,
    /// The events, each with the generation of its connection.
    events: Receiver<(u64, Event)>,
    /// Grows with each program, so that an event of an earlier program is not counted for the next one.
    generation: Arc<AtomicU64>,
}

impl Api {
    /// Listens on a free loopback port.
    ///
    /// # Errors
    /// Fails if there is no free port.
    pub fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let (sender, events) = channel();
        let generation = Arc::new(AtomicU64::new(0));
        let current = generation.clone();
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (sender, generation) = (sender.clone(), current.load(Ordering::SeqCst));
                thread::spawn(move || serve(connection, &|event| sender.send((generation, event)).ok()));
            }
        });
        Ok(Self { address, events, generation })
    }

    /// Starts a new generation: later events belong to another program.
    pub fn next_program(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Waits at most `patience` for the present program's next event.
    pub fn next(&self, patience: Duration) -> Result<Event, RecvTimeoutError> {
        loop {
            let (generation, event) = self.events.recv_timeout(patience)?;
            if generation == self.generation.load(Ordering::SeqCst) {
                return Ok(event);
            }
        }
    }
}

struct Request {
    path: String,
    target: String,
    body: String,
}

/// Answers one connection until it ends; a program that is killed also ends it.
fn serve(connection: TcpStream, tell: &dyn Fn(Event) -> Option<()>) -> Option<()> {
    connection.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    loop {
        let request = read(&mut reader).ok()?;
        let at = now();
        let path = request.path.as_str();
        if path.ends_with("/invocation/next") {
            tell(Event::Polled { at, connection: connection.try_clone().ok()? })?;
        } else if path.contains("/runtime/") {
            let ok = path.ends_with("/response");
            tell(Event::Answered { at, ok, body: request.body })?;
            write(&connection, "202 Accepted", "application/json", r#"{"status":"OK"}"#).ok()?;
        } else {
            let body = service(&request);
            write(&connection, "200 OK", "application/x-amz-json-1.1", &body).ok()?;
        }
    }
}

/// Answers as an empty table, a queue that accepts everything, and one value for all secrets.
fn service(request: &Request) -> String {
    match request.target.rsplit('.').next().unwrap_or_default() {
        "GetParameter" => {
            format!(r#"{{"Parameter":{{"Name":"n","Type":"SecureString","Value":"{SECRET}","Version":1}}}}"#)
        }
        "GetParameters" => {
            let asked: serde_json::Value = serde_json::from_str(&request.body).unwrap_or_default();
            let names = asked["Names"].as_array().cloned().unwrap_or_default();
            let all: Vec<_> = names
                .iter()
                .map(|name| serde_json::json!({ "Name": name, "Type": "SecureString", "Value": SECRET }))
                .collect();
            serde_json::json!({ "Parameters": all, "InvalidParameters": [] }).to_string()
        }
        "Query" => r#"{"Items":[],"Count":0,"ScannedCount":0}"#.to_owned(),
        "SendMessage" => r#"{"MessageId":"m-1"}"#.to_owned(),
        _ => "{}".to_owned(),
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> anyhow::Result<Request> {
    let mut line = String::new();
    anyhow::ensure!(reader.read_line(&mut line)? > 0, "the connection ended");
    let path = line.split_whitespace().nth(1).context("no path")?.to_owned();
    let (mut length, mut chunked, mut target) = (0, false, String::new());
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse()?,
            "transfer-encoding" => chunked = value.trim() == "chunked",
            "x-amz-target" => value.trim().clone_into(&mut target),
            _ => {}
        }
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16)?;
            let start = body.len();
            // Each chunk ends with a line break, also the last one, which is empty.
            body.resize(start + size + 2, 0);
            reader.read_exact(&mut body[start..])?;
            body.truncate(start + size);
            if size == 0 {
                break;
            }
        }
    } else {
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
    }
    Ok(Request { path, target, body: String::from_utf8_lossy(&body).into_owned() })
}

fn write(mut connection: &TcpStream, status: &str, kind: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}");
    connection.write_all(text.as_bytes())
}

/// Sends `event` to the program that polls on `connection`, and returns the time.
///
/// # Errors
/// Fails if the program is gone.
pub fn invoke(mut connection: TcpStream, event: &str, deadline_millis: i64) -> anyhow::Result<Instant> {
    let length = event.len();
    let text = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
         lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
         lambda-runtime-deadline-ms: {deadline_millis}\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:123456789012:function:bench\r\n\
         lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700\r\n\
         content-length: {length}\r\n\r\n{event}"
    );
    let sent = now();
    connection.write_all(text.as_bytes())?;
    Ok(sent)
}
