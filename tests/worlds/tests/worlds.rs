//! Thousands of worlds, and every planted fault.
#![allow(clippy::print_stderr, reason = "--nocapture shows the figures")]

use guerdon_worlds::{many::play_many, mutant::Mutant, play::play, run::Run};

/// Worlds of a run of the tests; any number by hand: `make worlds SEEDS=20000`.
fn seeds() -> u64 {
    std::env::var("WORLD_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(800)
}

#[test]
fn nothing_is_ever_paid_twice_or_lost() {
    let tally = play_many(1..1 + seeds(), Run::default(), 1);
    if let Some(failure) = tally.first() {
        panic!("{failure}");
    }
    assert!(
        tally.faults > tally.runs && tally.conflicts > tally.runs,
        "hardly anything went wrong: {tally:?}"
    );
}

/// Checks that the worlds detect every planted fault.
#[test]
fn every_planted_fault_is_caught() {
    let missed: Vec<_> = Mutant::ALL
        .into_iter()
        .filter(|mutant| {
            let run = Run { mutant: Some(*mutant), kind: mutant.kind(), ..Run::default() };
            play_many(1..3001, run, 1).failed.is_empty()
        })
        .collect();
    assert!(missed.is_empty(), "never caught: {missed:?}");
}

#[test]
fn one_seed_gives_one_run() {
    for seed in 1..=10 {
        let run = Run { seed, ..Run::default() };
        let [one, other] = [play(run), play(run)].map(|outcome| {
            let traced = outcome.traced;
            (traced.hash, traced.requests, traced.commits, traced.faults, outcome.economy)
        });
        assert_eq!(one, other, "seed {seed}");
    }
}

/// Checks that a world with its messages in another order and with other faults ends in the same state.
#[test]
fn the_end_does_not_depend_on_the_order() {
    for seed in 1..=(seeds() / 20) {
        let end = |schedule| {
            let outcome = play(Run { seed, schedule: Some(schedule), ..Run::default() });
            assert_eq!(outcome.violation, None, "seed {seed}, schedule {schedule}");
            outcome.economy
        };
        assert_eq!(end(seed + 1_000_000), end(seed + 2_000_000), "seed {seed}");
    }
}
