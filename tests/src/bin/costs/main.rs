//! Costs of each operation on the table, as the engine counts them, beside its budget.
//!
//! A transaction doubles the table's units, not the index's. An operation over its budget makes this exit with 1.
#![allow(clippy::print_stdout, reason = "a bench prints")]

mod operations;
#[path = "../report/mod.rs"]
mod report;
mod two_levels;
mod world;

use std::process::ExitCode;

use guerdon_store::table::Cost;
use report::{Options, Table, hundredths, tenths};

/// The budget of an operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    write_tenths: u64,
    transactions: u64,
}

impl Budget {
    pub(crate) const fn new(write_units: u64, transactions: u64) -> Self {
        Self { write_tenths: write_units * 10, transactions }
    }

    /// Budget for one part of work that is done together.
    pub(crate) const fn tenths(write_tenths: u64, transactions: u64) -> Self {
        Self { write_tenths, transactions }
    }
}

/// A line of the table.
pub(crate) enum Line {
    /// Measured: `cost` was spent on `count` of it.
    Measured { operation: &'static str, cost: Cost, count: u64, budget: Option<Budget> },
    /// A page read with a short and with a long history behind it.
    Page { operation: &'static str, short: Cost, long: Cost },
    /// An operation that the design has and the code does not.
    NotBuilt { operation: &'static str, budget: &'static str },
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    Options::read(&[], &[])?;
    let lines = operations::run().await?;
    let mut table = Table::new(&["operation", "write units", "transactions", "read units", "budget", "ok"]);
    let mut over = 0;
    for line in &lines {
        let (cells, ok) = cells(line);
        over += u32::from(!ok);
        table.row(cells);
    }
    table.print();
    if over > 0 {
        println!("\n{over} over budget");
        return Ok(ExitCode::FAILURE);
    }
    println!("\nAll within budget. Budgets: write units, transactions (docs/performance.md).");
    Ok(ExitCode::SUCCESS)
}

fn cells(line: &Line) -> (Vec<String>, bool) {
    match line {
        Line::Measured { operation, cost, count, budget } => measured(operation, *cost, *count, *budget),
        Line::Page { operation, short, long } => {
            // The statement's digits grow with the history; the number of items read does not.
            let ok = long.read_tenths <= short.read_tenths + 10 && long.write_tenths <= short.write_tenths;
            let reads = format!("{} -> {}", tenths(short.read_tenths), tenths(long.read_tenths));
            let written = tenths(long.write_tenths);
            let cells = [operation, written.as_str(), "0", &reads, "no growth", verdict(ok)];
            (cells.map(str::to_owned).to_vec(), ok)
        }
        Line::NotBuilt { operation, budget } => {
            let cells = [operation, "", "", "", budget, "not built yet"];
            (cells.map(str::to_owned).to_vec(), true)
        }
    }
}

fn measured(operation: &str, cost: Cost, count: u64, budget: Option<Budget>) -> (Vec<String>, bool) {
    let each = |total_tenths: u64| match count {
        1 => tenths(total_tenths),
        _ => hundredths(total_tenths * 10 / count),
    };
    let transactions = match (cost.transactions, count) {
        (n, 1) => n.to_string(),
        (0, _) => "0".to_owned(),
        (n, count) => format!("{n}/{count}"),
    };
    let ok = budget.is_none_or(|budget| {
        cost.write_tenths <= budget.write_tenths * count && cost.transactions <= budget.transactions
    });
    let limit = budget.map_or_else(String::new, |budget| {
        let transactions = if count == 1 { String::new() } else { format!("/{count}") };
        format!("{}, {}{transactions}", tenths(budget.write_tenths), budget.transactions)
    });
    let word = if budget.is_some() { verdict(ok) } else { "" };
    let cells = vec![
        operation.to_owned(),
        each(cost.write_tenths),
        transactions,
        each(cost.read_tenths),
        limit,
        word.to_owned(),
    ];
    (cells, ok)
}

const fn verdict(ok: bool) -> &'static str {
    if ok { "ok" } else { "OVER" }
}
