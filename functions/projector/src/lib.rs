//! Keeps counters, rankings and the release sweep's markers up to date from the table's stream.
pub mod handler;
