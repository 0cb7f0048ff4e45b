//! Functions that run work under a correlation id, and the target of metrics.

pub use guerdon_store::table::{METRICS, correlated, correlation};
