//! Projections of the stream: counters, rankings, lists.
mod lists;
mod projections;

pub use lists::{List, Listed, Lists, Page};
pub use projections::{Contribution, Projection, Ranked, Statistics};
