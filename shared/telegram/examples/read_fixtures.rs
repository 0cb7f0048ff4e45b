//! Runs a folder of recorded updates through the parser:
//! `cargo run -p guerdon-telegram --example read_fixtures -- DIR`, where `DIR` has the folders `updates`
//! (whole updates), `messages` (bare messages) and `responses` (answers of the Bot API).
//!
//! Fails when an update that carries money is read as another kind, or when the parser panics.
#![allow(clippy::print_stdout, reason = "it is what an example is for")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io, panic};

use guerdon_telegram::{
    reply::{SendError, read_reply},
    update::{ParseError, Update, UpdateKind},
};
use serde_json::{Value, json};

fn main() -> io::Result<ExitCode> {
    let Some(dir) = env::args_os().nth(1).map(PathBuf::from) else {
        println!("usage: read_fixtures DIR");
        return Ok(ExitCode::from(2));
    };
    let mut tally = Tally::default();
    for file in files(&dir.join("updates"))? {
        tally.update(&file, &fs::read(&file)?);
    }
    for file in files(&dir.join("messages"))? {
        let bare: Value = serde_json::from_slice(&fs::read(&file)?)?;
        tally.update(&file, json!({"update_id": 1, "message": bare}).to_string().as_bytes());
    }
    for file in files(&dir.join("responses"))? {
        let reply = fs::read(&file)?;
        println!("{}: {}", name(&file), outcome(&reply));
        for update in getupdates(&reply) {
            tally.update(&file, update.to_string().as_bytes());
        }
    }
    Ok(tally.report())
}

#[derive(Default)]
struct Tally {
    counts: BTreeMap<String, usize>,
    failures: Vec<String>,
}

impl Tally {
    fn update(&mut self, file: &Path, body: &[u8]) {
        let Ok(parsed) = panic::catch_unwind(|| Update::parse(body)) else {
            self.failures.push(format!("{}: panicked", name(file)));
            return;
        };
        let kind = match &parsed {
            Ok(update) => kind(&update.kind),
            Err(error) => format!("refused: {}", why(error)),
        };
        if let Some(expected) = money(body).filter(|expected| *expected != kind) {
            self.failures.push(format!("{}: {expected} was read as {kind}", name(file)));
        }
        *self.counts.entry(kind).or_default() += 1;
    }

    fn report(&self) -> ExitCode {
        let total = |prefix: &str| -> usize {
            self.counts.iter().filter(|(kind, _)| kind.starts_with(prefix)).map(|(_, count)| count).sum()
        };
        for (kind, count) in &self.counts {
            println!("{count:4} {kind}");
        }
        let (all, other, refused) = (total(""), total("other: "), total("refused: "));
        println!("{all} updates: {} understood, {other} other, {refused} refused", all - other - refused);
        for failure in &self.failures {
            println!("FAILED {failure}");
        }
        if self.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn kind(kind: &UpdateKind) -> String {
    match kind {
        UpdateKind::Message(message) if message.text.is_some() => "message with text".to_owned(),
        UpdateKind::Message(_) => "message without text".to_owned(),
        UpdateKind::Callback(_) => "callback_query".to_owned(),
        UpdateKind::PreCheckout(_) => "pre_checkout_query".to_owned(),
        UpdateKind::SuccessfulPayment { .. } => "successful_payment".to_owned(),
        UpdateKind::RefundedPayment { .. } => "refunded_payment".to_owned(),
        UpdateKind::StarsSubscription { .. } => "subscription".to_owned(),
        UpdateKind::MyChatMember { blocked, .. } => format!("my_chat_member, blocked: {blocked}"),
        UpdateKind::Other(kind) => format!("other: {kind}"),
    }
}

fn why(error: &ParseError) -> String {
    match error {
        ParseError::BadMoneyUpdate { kind, field, .. } => format!("{kind} without {field}"),
        other => other.to_string(),
    }
}

/// Finds the kind of money in the raw text, without the parser.
fn money(body: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(body);
    let kinds = ["successful_payment", "refunded_payment", "pre_checkout_query", "subscription"];
    kinds.into_iter().find(|kind| text.contains(&format!("\"{kind}\"")))
}

fn outcome(reply: &[u8]) -> String {
    match read_reply("sendMessage", 200, reply) {
        Ok(_) => "ok".to_owned(),
        Err(SendError::Blocked) => "blocked".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn getupdates(reply: &[u8]) -> Vec<Value> {
    let Ok(Value::Array(items)) = read_reply("getUpdates", 200, reply) else { return Vec::new() };
    items.into_iter().filter(|item| !item["update_id"].is_null()).collect()
}

fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
