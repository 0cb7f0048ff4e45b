//! Measures the time of each function from exec to its first poll of the runtime, and compares it with a minimal
//! program that is built in the same way. Only the ratios can be compared with those of another machine.
//!
//! Every binary starts once in each round, in an order that rotates. This is not a test: figures over budget
//! are marked and the exit code is 0.
#![allow(clippy::print_stdout, reason = "a bench prints")]

mod api;
mod events;
mod launch;
#[path = "../report/mod.rs"]
mod report;

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use api::Api;
use launch::{Instructions, Sample, Subject};
use report::{Options, Table, hundredths, median, millis};

/// The minimal program, with which all others are compared.
const HELLO: &str = "startup-hello";
/// Budget in hundredths of the minimal program's time.
const MOST_RATIO: u64 = 150;
const MOST_BYTES: u64 = 4_500_000;
const MOST_INSTRUCTIONS: u64 = 2_100_000;
/// Rounds that only warm the page cache.
const WARM_UP: u64 = 3;

fn main() -> anyhow::Result<()> {
    let options = Options::read(&["--callgrind", "--first-call"], &["--rounds", "--bin-dir", "--only"])?;
    let rounds = options.number("--rounds", 30)?;
    let subjects = subjects(&options)?;
    let api = Api::start()?;
    let first_call = options.has("--first-call");
    let mut samples: Vec<Vec<Sample>> = subjects.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds + WARM_UP {
        for turn in 0..subjects.len() {
            let index = (usize::try_from(round)? + turn) % subjects.len();
            let sample = launch::time(&subjects[index], &api, first_call)?;
            if round >= WARM_UP {
                samples[index].push(sample);
            }
        }
    }
    let instructions: Vec<Option<Instructions>> = match options.has("--callgrind") {
        true => {
            let count = |subject| launch::instructions(subject, &api, first_call).map(Some);
            subjects.iter().map(count).collect::<Result<_, _>>()?
        }
        false => subjects.iter().map(|_| None).collect(),
    };
    println!("Medians of {rounds} interleaved rounds\n");
    print(&subjects, &samples, &instructions);
    println!("\nBudget: 1.50 times {HELLO}, 4.50 MB, 2.10 M instructions.");
    Ok(())
}

/// The minimal program first, then the functions by name.
fn subjects(options: &Options) -> anyhow::Result<Vec<Subject>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no workspace")?;
    let mut names: Vec<String> = std::fs::read_dir(root.join("functions"))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    if let Some(only) = options.value("--only") {
        names.retain(|name| only.split(',').any(|wanted| wanted == name));
    }
    names.insert(0, HELLO.to_owned());
    let folder = match options.value("--bin-dir") {
        Some(folder) => PathBuf::from(folder),
        None => launch::build(root, &names)?,
    };
    let subject = |name: String| {
        // In one folder, or in the folders of cargo-lambda.
        let places = [folder.join(&name), folder.join(&name).join("bootstrap")];
        let binary = places.into_iter().find(|place| place.is_file());
        Ok(Subject { binary: binary.with_context(|| format!("no binary of {name}"))?, name })
    };
    let subjects: Vec<Subject> = names.into_iter().map(subject).collect::<anyhow::Result<_>>()?;
    ensure!(subjects.len() > 1, "no function of that name");
    Ok(subjects)
}

fn print(subjects: &[Subject], samples: &[Vec<Sample>], instructions: &[Option<Instructions>]) {
    let columns = [
        "program",
        "first poll ms",
        "ratio",
        "CPU ms",
        "CPU ratio",
        "M instructions",
        "MB",
        "peak RSS MB",
        "first call ms",
        "first call M instructions",
        "budget",
    ];
    let mut table = Table::new(&columns);
    let of = |samples: &[Sample], figure: fn(&Sample) -> u64| {
        median(&samples.iter().map(figure).collect::<Vec<_>>())
    };
    let hello = samples.first().map_or(&[][..], Vec::as_slice);
    for ((subject, samples), instructions) in subjects.iter().zip(samples).zip(instructions) {
        let poll = of(samples, |s| s.poll_micros);
        let cpu_ratio = ratio(samples, hello, |s| s.cpu_micros);
        let ratio = ratio(samples, hello, |s| s.poll_micros);
        let bytes = subject.binary.metadata().map_or(0, |metadata| metadata.len());
        let call = of(samples, |s| s.first_call_micros.unwrap_or_default());
        let mut over = Vec::new();
        over.extend((ratio > MOST_RATIO).then_some("time"));
        over.extend((bytes > MOST_BYTES).then_some("size"));
        let poll_count = instructions.as_ref().map(|counted| counted.poll);
        let call_count = instructions.as_ref().and_then(|counted| counted.first_call);
        over.extend(poll_count.filter(|n| *n > MOST_INSTRUCTIONS).map(|_| "instructions"));
        let millions = |n: Option<u64>| n.map_or_else(String::new, |n| hundredths(n / 10_000));
        table.row([
            subject.name.clone(),
            millis(poll),
            hundredths(ratio),
            millis(of(samples, |s| s.cpu_micros)),
            hundredths(cpu_ratio),
            millions(poll_count),
            hundredths(bytes / 10_000),
            hundredths(of(samples, |s| s.peak_kilobytes) / 10),
            if call == 0 { String::new() } else { millis(call) },
            millions(call_count),
            if over.is_empty() { "ok".to_owned() } else { format!("over: {}", over.join(", ")) },
        ]);
    }
    table.print();
}

/// The median of the ratios within each round, in hundredths: a disturbance of a whole round has no effect.
fn ratio(samples: &[Sample], hello: &[Sample], figure: fn(&Sample) -> u64) -> u64 {
    let each = samples.iter().zip(hello).map(|(one, other)| figure(one) * 100 / figure(other).max(1));
    median(&each.collect::<Vec<_>>())
}
