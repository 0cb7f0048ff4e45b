//! What is counted.
mod counter;
mod counters;

pub use counter::{Counter, Sum};
pub use counters::Counters;
