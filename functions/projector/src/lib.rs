//! Updates counters, rankings and the release sweep's markers from the table's stream.
pub mod handler;
