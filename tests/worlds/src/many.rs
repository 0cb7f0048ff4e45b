//! Runs of many seeds on all cores.

use std::{
    num::NonZero,
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    plan::Plan,
    play::{Outcome, play},
    run::Run,
};

/// The results of many runs.
#[derive(Debug, Default)]
pub struct Tally {
    /// Runs.
    pub runs: u64,
    /// Requests to the table.
    pub requests: u64,
    /// Writes that were committed.
    pub commits: u64,
    /// Faults that were injected.
    pub faults: u64,
    /// Writes that met another one's lock.
    pub conflicts: u64,
    /// Seeds that failed, with their violations, in order.
    pub failed: Vec<(u64, String)>,
}

impl Tally {
    fn add(&mut self, seed: u64, outcome: Outcome) {
        self.runs += 1;
        self.requests += outcome.traced.requests;
        self.commits += outcome.traced.commits;
        self.faults += outcome.traced.faults;
        self.conflicts += outcome.traced.conflicts;
        if let Some(violation) = outcome.violation {
            self.failed.push((seed, violation));
        }
    }

    /// The first failure, formatted for a person.
    pub fn first(&self) -> Option<String> {
        let (seed, violation) = self.failed.first()?;
        Some(format!("seed {seed} failed: {violation}; replay: make worlds SEED={seed}"))
    }
}

/// Runs every seed of a range, with the other options of `run`, until `enough` have failed.
///
/// # Panics
/// Panics if a run panics.
pub fn play_many(seeds: Range<u64>, run: Run, enough: usize) -> Tally {
    let cores = std::thread::available_parallelism().map_or(2, NonZero::get);
    let next = AtomicU64::new(seeds.start);
    let tally = Mutex::new(Tally::default());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let failed = tally.lock().unwrap_or_else(PoisonError::into_inner).failed.len();
            if seed >= seeds.end || failed >= enough {
                return;
            }
            if run.kind.is_some_and(|kind| Plan::new(seed, run.schedule.unwrap_or(seed)).kind != kind) {
                continue;
            }
            let outcome = play(Run { seed, ..run });
            tally.lock().unwrap_or_else(PoisonError::into_inner).add(seed, outcome);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    let mut tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    tally.failed.sort();
    tally
}
