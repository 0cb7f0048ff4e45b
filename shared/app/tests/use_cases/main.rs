//! The use cases over the real store on the embedded engine, with faults, races and replays.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests may panic, and print what they measured"
)]

mod budgets;
mod desk;
mod faults;
mod linking;
mod paying;
mod posting;
mod projecting;
mod settling;
mod starting;
mod support;
