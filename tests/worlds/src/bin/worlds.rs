//! Runs worlds from the command line: `worlds --seeds 20000`, `worlds --seed 1234` with its trace,
//! `worlds --mutants 300` for how often each planted fault is detected; with `--kind Beside` only worlds of that kind.
#![allow(clippy::print_stdout, reason = "this is what it is for")]

use std::{ops::Range, process::ExitCode};

use guerdon_worlds::{kinds::Kind, many::play_many, mutant::Mutant, play::play, run::Run};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1));
    let number = |name: &str| value(name).and_then(|text| text.parse::<u64>().ok());
    let mutant =
        value("--mutant").and_then(|name| Mutant::ALL.into_iter().find(|m| format!("{m:?}") == *name));
    let kind = value("--kind").and_then(|name| Kind::ALL.into_iter().find(|k| format!("{k:?}") == *name));
    let run = Run { mutant, kind, schedule: number("--schedule"), ..Run::default() };
    if let Some(seed) = number("--seed") {
        return one(Run { seed, verbose: true, ..run });
    }
    let from = number("--from").unwrap_or(1);
    if let Some(seeds) = number("--mutants") {
        return mutants(from..from + seeds, run);
    }
    many(from..from + number("--seeds").unwrap_or(2000), run)
}

fn one(run: Run) -> ExitCode {
    let outcome = play(run);
    for line in outcome.traced.lines.unwrap_or_default() {
        println!("{line}");
    }
    println!(
        "{} requests, {} commits, trace {:016x}",
        outcome.traced.requests, outcome.traced.commits, outcome.traced.hash
    );
    verdict(outcome.violation.map(|violation| format!("seed {} failed: {violation}", run.seed)))
}

fn many(seeds: Range<u64>, run: Run) -> ExitCode {
    let tally = play_many(seeds, run, usize::MAX);
    println!(
        "{} seeds: {} requests, {} commits, {} injected faults, {} conflicts, {} failed",
        tally.runs,
        tally.requests,
        tally.commits,
        tally.faults,
        tally.conflicts,
        tally.failed.len()
    );
    for (seed, violation) in tally.failed.iter().take(20) {
        println!("  {seed}: {violation}");
    }
    verdict(tally.first())
}

fn mutants(seeds: Range<u64>, run: Run) -> ExitCode {
    let mut missed = None;
    for mutant in Mutant::ALL.into_iter().filter(|mutant| run.mutant.is_none_or(|only| only == *mutant)) {
        let tally = play_many(
            seeds.clone(),
            Run { mutant: Some(mutant), kind: run.kind.or(mutant.kind()), ..run },
            usize::MAX,
        );
        let example = tally.failed.first().map(|(seed, what)| format!("{seed}: {what}")).unwrap_or_default();
        let example: String = example.chars().take(150).collect();
        println!("{:<22} {:>4} of {}  {example}", format!("{mutant:?}"), tally.failed.len(), tally.runs);
        if tally.failed.is_empty() {
            missed = Some(format!("{mutant:?} was never caught"));
        }
    }
    verdict(missed)
}

fn verdict(problem: Option<String>) -> ExitCode {
    match problem {
        None => ExitCode::SUCCESS,
        Some(problem) => {
            println!("{problem}");
            ExitCode::FAILURE
        }
    }
}
