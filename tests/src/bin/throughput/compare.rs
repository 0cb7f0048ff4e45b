//! Comparison of the measurements.

use anyhow::Context;

use crate::{
    Plan,
    report::{Table, hundredths},
};

/// The result of a run.
pub(crate) struct Measured {
    pub(crate) payments: u64,
    pub(crate) micros: u64,
    /// CPU time of the process that holds the money.
    pub(crate) server_cpu_micros: u64,
    /// CPU time of the process that sends the payments, when that is another one.
    pub(crate) client_cpu_micros: u64,
}

impl Measured {
    fn per_second(&self) -> u64 {
        self.payments * 1_000_000 / self.micros.max(1)
    }

    fn server_cpu_each(&self) -> u64 {
        self.server_cpu_micros / self.payments.max(1)
    }

    fn cpu_each(&self) -> u64 {
        (self.server_cpu_micros + self.client_cpu_micros) / self.payments.max(1)
    }
}

/// A system that takes payments, measured with both kinds of referrers.
pub(crate) struct System {
    pub(crate) name: &'static str,
    /// The durability of a commit when it is answered.
    pub(crate) disk: &'static str,
    pub(crate) random: Measured,
    pub(crate) hot: Measured,
}

/// The name of runs with so many referrers.
pub(crate) const fn hot_or_random(referrers: u64) -> &'static str {
    if referrers == 1 { "one hot referrer" } else { "referrers at random" }
}

/// The median run.
pub(crate) fn middle(mut runs: Vec<Measured>) -> anyhow::Result<Measured> {
    runs.sort_by_key(|run| run.micros);
    let middle = runs.len() / 2;
    runs.into_iter().nth(middle).context("no run")
}

/// Prints all measurements, and then the ratios of ours to theirs.
pub(crate) fn print(plan: &Plan, theirs: &[System], ours: &[System]) {
    println!(
        "{} payments of as many referees, {} referrers or one, {} at once; coalesced: settled after every {} payments\n",
        plan.payments, plan.referrers, plan.concurrency, plan.settle_every
    );
    let mut table = Table::new(&[
        "payments",
        "an answered commit is",
        "random /s",
        "hot /s",
        "hot / random",
        "random: server CPU ms",
        "with client",
        "hot: server CPU ms",
        "with client",
        "money",
    ]);
    for system in theirs.iter().chain(ours) {
        let System { name, disk, random, hot } = system;
        table.row([
            (*name).to_owned(),
            (*disk).to_owned(),
            random.per_second().to_string(),
            hot.per_second().to_string(),
            ratio(random.micros, hot.micros),
            cpu_ms(random.server_cpu_each()),
            cpu_ms(random.cpu_each()),
            cpu_ms(hot.server_cpu_each()),
            cpu_ms(hot.cpu_each()),
            "exact".to_owned(),
        ]);
    }
    table.print();
    for system in theirs {
        ratios(system, ours);
    }
    println!("{NOTES}");
}

fn ratios(theirs: &System, ours: &[System]) {
    if ours.is_empty() {
        return;
    }
    println!("\nGuerdon / {} (above 1.00 Guerdon is better):\n", theirs.name);
    let mut table = Table::new(&[
        "",
        "random /s",
        "hot /s",
        "random per server CPU s",
        "hot per server CPU s",
        "random per CPU s with client",
        "hot per CPU s with client",
    ]);
    for System { name, random, hot, .. } in ours {
        table.row([
            (*name).to_owned(),
            ratio(theirs.random.micros, random.micros),
            ratio(theirs.hot.micros, hot.micros),
            ratio(theirs.random.server_cpu_micros, random.server_cpu_micros),
            ratio(theirs.hot.server_cpu_micros, hot.server_cpu_micros),
            ratio(theirs.random.cpu_each(), random.cpu_each()),
            ratio(theirs.hot.cpu_each(), hot.cpu_each()),
        ]);
    }
    table.print();
}

/// The factor by which the second of two costs of the same work is better.
fn ratio(theirs: u64, ours: u64) -> String {
    hundredths((theirs * 100 + ours / 2) / ours.max(1))
}

/// Microseconds as milliseconds with three decimals.
fn cpu_ms(micros: u64) -> String {
    format!("{}.{:03}", micros / 1000, micros % 1000)
}

const NOTES: &str = "
What is not the same:
- PostgreSQL syncs each commit to the disk unless the line says otherwise; our file mode writes it and does not
  sync it (it survives kill -9, not a power cut). \"Commits not awaited\" (synchronous_commit=off) is its nearest.
- The use cases run in the process that hands the payments in: their \"server\" CPU holds the client's.
- The whole stack does far more per payment: HTTP, signature, queues, worker, stream, projections, notices.";
