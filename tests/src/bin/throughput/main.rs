//! Payments per second, and what they cost in CPU time: Guerdon's whole one-machine stack, its use cases called
//! directly, and PostgreSQL doing the same double-entry work in one SQL function.
//!
//! Each is run with random referrers and with one hot referrer, each time on fresh data. After each run the
//! money is counted; a difference of one cent or one commission makes this exit with 1.
#![allow(clippy::print_stdout, reason = "a bench prints")]

mod compare;
mod cpu;
mod direct;
mod people;
mod postgres;
#[path = "../report/mod.rs"]
mod report;
mod stack;

use std::fs;

use anyhow::{Context, bail, ensure};
use report::Options;

/// The allocator of the one-machine program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Systems to measure.
const PARTS: [&str; 3] = ["postgres", "direct", "stack"];

/// Options of the bench.
pub(crate) struct Plan {
    payments: u64,
    referrers: u64,
    concurrency: u64,
    /// Runs of which the median counts; the stack runs once.
    rounds: u64,
    /// Payments after which the coalescing variant settles.
    settle_every: u64,
    memory: bool,
    /// The payment's own event is the first one that links the customer to the member.
    unlinked: bool,
    costs: bool,
    only: Vec<String>,
}

impl Plan {
    fn of(options: &Options) -> anyhow::Result<Self> {
        let only: Vec<String> = match options.value("--only") {
            Some(parts) => parts.split(',').map(str::to_owned).collect(),
            None => PARTS.map(str::to_owned).to_vec(),
        };
        for part in &only {
            ensure!(PARTS.contains(&part.as_str()), "--only takes {}, not {part}", PARTS.join(","));
        }
        Ok(Self {
            payments: options.number("--payments", 3000)?,
            referrers: options.number("--referrers", 500)?,
            concurrency: options.number("--concurrency", 32)?,
            rounds: options.number("--rounds", 1)?,
            settle_every: options.number("--settle-every", 1000)?,
            memory: options.has("--memory"),
            unlinked: options.has("--unlinked"),
            costs: options.has("--costs"),
            only,
        })
    }

    fn runs(&self, part: &str) -> bool {
        self.only.iter().any(|only| only == part)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::read(
        &["--memory", "--unlinked", "--costs"],
        &["--payments", "--referrers", "--concurrency", "--rounds", "--settle-every", "--only", "--guerdon"],
    )?;
    let plan = Plan::of(&options)?;
    // When interrupted, it still stops what it started and removes its folders.
    tokio::select! {
        done = run(&plan, &options) => done,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    }
}

async fn run(plan: &Plan, options: &Options) -> anyhow::Result<()> {
    // A missing requirement is reported before anything is measured.
    let programs = if plan.runs("postgres") { Some(postgres::programs()?) } else { None };
    let binary = match options.value("--guerdon") {
        _ if !plan.runs("stack") => None,
        // The stack runs in a folder of its own.
        Some(path) => Some(fs::canonicalize(path).with_context(|| path.to_owned())?),
        None => Some(stack::build()?),
    };
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    if let Some(programs) = programs {
        let cluster = postgres::Cluster::start(&programs, plan.concurrency).await?;
        println!("{}\n", cluster.settings().await?);
        theirs = postgres::run(plan, &cluster).await?;
    }
    if plan.runs("direct") {
        ours = direct::run(plan).await?;
    }
    if let Some(binary) = binary {
        ours.push(stack::run(plan, &binary).await?);
        println!();
    }
    if plan.only != ["stack"] {
        compare::print(plan, &theirs, &ours);
    }
    Ok(())
}
