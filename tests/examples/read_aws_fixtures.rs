//! Reads a folder of AWS events with the parsers that our functions use, and counts the events that were read.
//!
//! `cargo run -p guerdon-tests --example read_aws_fixtures -- DIR`
#![allow(clippy::print_stdout, reason = "a report for the terminal")]

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context;
use aws_lambda_events::sqs::SqsEvent;
use guerdon_runtime::stream::{StreamEvent, changes};
use lambda_http::request::LambdaRequest;
use serde_json::Value;

fn main() -> anyhow::Result<()> {
    let folder = std::env::args().nth(1).context("name a folder of JSON files")?;
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for entry in fs::read_dir(Path::new(&folder))? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        let verdict = serde_json::from_str::<Value>(&text).map_or("not JSON", |event| understood(&event));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        println!("{verdict:<28} {name}");
        *counts.entry(verdict.to_owned()).or_default() += 1;
    }
    for (verdict, count) in counts {
        println!("{count:>4}  {verdict}");
    }
    Ok(())
}

fn understood(event: &Value) -> &'static str {
    let source = event["Records"][0]["eventSource"].as_str().unwrap_or_default();
    let is = |parsed: bool, yes: &'static str| if parsed { yes } else { "REFUSED" };
    match source {
        "aws:sqs" => is(serde_json::from_value::<SqsEvent>(event.clone()).is_ok(), "queue batch"),
        "aws:dynamodb" => match serde_json::from_value::<StreamEvent>(event.clone()) {
            // Items of other tables have none of our types: each is read and then ignored.
            Ok(batch) => is(changes(&batch).1.is_none(), "stream batch"),
            Err(_) => "REFUSED",
        },
        _ if event["requestContext"]["http"].is_object() => {
            is(serde_json::from_value::<LambdaRequest>(event.clone()).is_ok(), "HTTP request (payload 2.0)")
        }
        _ if event["httpMethod"].is_string() => "other trigger (REST API, 1.0)",
        _ if event["detail-type"].is_string() => "other trigger (bus to Lambda)",
        _ => "other",
    }
}
