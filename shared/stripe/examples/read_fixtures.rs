//! Runs the event parser over every JSON file of a directory and prints the results.
//!
//! ```sh
//! cargo run -p guerdon-stripe --example read_fixtures -- DIR
//! ```
//!
//! Events are read as they are. A bare object, and the object inside an event we don't handle, is read as the
//! object of a handled event. Ends with status 1 when an object that we handle was refused.
#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use guerdon_stripe::event::{EventObject, ParseError, StripeEvent};
use serde_json::{Value, json};

#[derive(Default)]
struct Tally {
    understood: usize,
    acknowledged: usize,
    refused: usize,
}

#[derive(Default)]
struct Report {
    by_kind: BTreeMap<String, Tally>,
    skipped_lists: usize,
    skipped_files: Vec<PathBuf>,
    refusals: Vec<(PathBuf, ParseError)>,
}

fn main() -> ExitCode {
    let Some(directory) = std::env::args_os().nth(1) else {
        eprintln!("usage: read_fixtures DIR");
        return ExitCode::from(2);
    };
    let mut report = Report::default();
    if let Err(error) = walk(Path::new(&directory), &mut report) {
        eprintln!("{}: {error}", Path::new(&directory).display());
        return ExitCode::from(2);
    }
    report.print();
    if report.refusals.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn walk(directory: &Path, report: &mut Report) -> std::io::Result<()> {
    let mut paths =
        std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            walk(&path, report)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            report.read_file(&path, &std::fs::read(&path)?);
        }
    }
    Ok(())
}

impl Report {
    fn read_file(&mut self, path: &Path, body: &[u8]) {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        match value["object"].as_str() {
            Some("event") => {
                let handled = self.read_event(path, value["type"].as_str().unwrap_or_default(), body);
                if !handled {
                    self.read_object(path, &value["data"]["object"]);
                }
            }
            Some("list") => self.skipped_lists += 1,
            Some(_) => self.read_object(path, &value),
            None => self.skipped_files.push(path.to_owned()),
        }
    }

    /// Reads a bare object as the object of the event that fits it.
    fn read_object(&mut self, path: &Path, object: &Value) {
        let Some(name) = object["object"].as_str() else { return };
        let kind = match name {
            "checkout.session" => "checkout.session.completed",
            "invoice" => "invoice.paid",
            "invoice_payment" => "invoice_payment.paid",
            "customer" => "customer.updated",
            "subscription" => "customer.subscription.updated",
            "charge" => "charge.refunded",
            "refund" => "refund.updated",
            "dispute" => "charge.dispute.created",
            "credit_note" => "credit_note.created",
            _ => "",
        };
        let event = json!({"object": "event", "id": "evt_wrapped", "type": kind, "created": 0,
            "data": {"object": object}});
        self.read_event(path, &format!("(object) {name}"), event.to_string().as_bytes());
    }

    /// Reads an event. True when its type is one that we handle.
    fn read_event(&mut self, path: &Path, label: &str, body: &[u8]) -> bool {
        let tally = self.by_kind.entry(label.to_owned()).or_default();
        match StripeEvent::parse(body) {
            Ok(StripeEvent { object: EventObject::Unhandled, .. }) => {
                tally.acknowledged += 1;
                return false;
            }
            Ok(_) => tally.understood += 1,
            Err(error) => {
                tally.refused += 1;
                self.refusals.push((path.to_owned(), error));
            }
        }
        true
    }

    fn print(&self) {
        println!("{:>10} {:>12} {:>8}  type", "understood", "acknowledged", "refused");
        let mut total = Tally::default();
        for (kind, tally) in &self.by_kind {
            println!("{:>10} {:>12} {:>8}  {kind}", tally.understood, tally.acknowledged, tally.refused);
            total.understood += tally.understood;
            total.acknowledged += tally.acknowledged;
            total.refused += tally.refused;
        }
        println!("{:>10} {:>12} {:>8}  all", total.understood, total.acknowledged, total.refused);
        println!("{} lists and {} other files skipped", self.skipped_lists, self.skipped_files.len());
        for path in &self.skipped_files {
            println!("  skipped {}", path.display());
        }
        for (path, error) in &self.refusals {
            println!("  refused {}: {error}", path.display());
        }
    }
}
