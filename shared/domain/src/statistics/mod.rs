//! Statistics: counters and their stored names.
mod counter;
mod counters;

pub use counter::{Counter, Sum};
pub use counters::Counters;
