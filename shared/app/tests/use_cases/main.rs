//! The use cases over the real store on the embedded engine, with faults, races and replays.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests may panic, and print what they measured"
)]

mod acknowledging;
mod budgets;
mod claiming;
mod confirming;
mod customers;
mod deciding;
mod faults;
mod figures;
mod fraud;
mod fraud_chains;
mod fraud_rates;
mod leaderboards;
mod linking;
mod operators;
mod paying;
mod posting;
mod programs;
mod projecting;
mod reopening;
mod reversing;
mod settings;
mod settling;
mod starting;
mod statements;
mod support;
mod tampering;
mod withdrawing;
