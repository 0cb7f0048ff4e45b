//! The whole one-machine stack: signed Stripe events over HTTP, the queue, the worker, the table, and
//! everything that follows from a payment.
//!
//! The stack is a process of its own, so its CPU time is not mixed with the load's.

mod check;
mod load;
mod server;

use std::path::Path;

use anyhow::Context;
use serde_json::Value;
use server::Server;
pub(crate) use server::build;

use crate::{
    Plan,
    compare::{Measured, System, hot_or_random},
    report::{Table, hundredths, millis, tenths},
};

/// The result of a run. Times are since the first event was sent.
struct Run {
    accepted_micros: u64,
    booked_micros: u64,
    drained_micros: u64,
    cpu_micros: u64,
    client_cpu_micros: u64,
    costs: Vec<Value>,
}

impl Run {
    /// The time that is compared with others: everything is done.
    const fn measured(&self, payments: u64) -> Measured {
        Measured {
            payments,
            micros: self.drained_micros,
            server_cpu_micros: self.cpu_micros,
            client_cpu_micros: self.client_cpu_micros,
        }
    }
}

/// Referrers at random, then one hot referrer, each on a fresh stack.
pub(crate) async fn run(plan: &Plan, binary: &Path) -> anyhow::Result<System> {
    let random = round(plan, binary, plan.referrers).await?;
    let hot = round(plan, binary, 1).await?;
    print(plan, &random, &hot);
    if plan.costs {
        print_costs(plan, &random, "referrers at random");
        print_costs(plan, &hot, "one hot referrer");
    }
    let disk = if plan.memory { "in memory" } else { "written, not synced" };
    let (random, hot) = (random.measured(plan.payments), hot.measured(plan.payments));
    Ok(System { name: "whole stack, end to end", disk, random, hot })
}

async fn round(plan: &Plan, binary: &Path, referrers: u64) -> anyhow::Result<Run> {
    let server = Server::start(binary, plan.memory)?;
    let what = hot_or_random(referrers);
    eprintln!("{what}: {referrers} referrers and {} referees join ...", plan.payments);
    let load = load::prepare(plan, &server, referrers).await?;
    eprintln!("{what}: {} payments ...", plan.payments);
    let run = load::pay(plan, &server, &load).await?;
    check::money(&server, &load).await.with_context(|| format!("{what}: THE MONEY DOES NOT ADD UP"))?;
    eprintln!("{what}: the money adds up");
    Ok(run)
}

/// Payments per second times ten.
fn rate(payments: u64, micros: u64) -> u64 {
    payments * 10_000_000 / micros.max(1)
}

fn print(plan: &Plan, random: &Run, hot: &Run) {
    let n = plan.payments;
    let data = if plan.memory { "in memory" } else { "on file" };
    let linked = if plan.unlinked { "linked by the payment" } else { "linked before" };
    println!("{n} payments, {} connections, data {data}, customers {linked}\n", plan.concurrency);
    let mut table =
        Table::new(&["payments per second", "accepted", "booked", "end to end", "CPU ms each", "money"]);
    for (name, run) in
        [(format!("{} referrers at random", plan.referrers), random), ("one hot referrer".to_owned(), hot)]
    {
        table.row([
            name,
            tenths(rate(n, run.accepted_micros)),
            tenths(rate(n, run.booked_micros)),
            tenths(rate(n, run.drained_micros)),
            millis(run.cpu_micros / n),
            "exact".to_owned(),
        ]);
    }
    let ratio = |hot: u64, random: u64| hundredths(hot * 100 / random.max(1));
    table.row([
        "hot / random".to_owned(),
        ratio(random.accepted_micros, hot.accepted_micros),
        ratio(random.booked_micros, hot.booked_micros),
        ratio(random.drained_micros, hot.drained_micros),
        ratio(hot.cpu_micros, random.cpu_micros),
        String::new(),
    ]);
    table.print();
}

fn print_costs(plan: &Plan, run: &Run, name: &str) {
    println!("\nPer payment, {name}:\n");
    let mut table = Table::new(&["use case", "requests", "transactions", "read units", "write units"]);
    // Capacity units are multiples of a half, so tenths are whole.
    let hundredths_each = |cost: &Value, name: &str| {
        let text = cost[name].to_string();
        let (whole, part) = text.split_once('.').unwrap_or((text.as_str(), "0"));
        let tenths = whole.parse::<u64>().unwrap_or(0) * 10 + part.parse::<u64>().unwrap_or(0);
        hundredths(tenths * 10 / plan.payments)
    };
    for cost in &run.costs {
        let figures = ["requests", "transactions", "read_units", "write_units"];
        let name = cost["use_case"].as_str().unwrap_or_default().to_owned();
        table.row(std::iter::once(name).chain(figures.map(|figure| hundredths_each(cost, figure))));
    }
    table.print();
}
