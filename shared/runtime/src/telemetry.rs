//! Logs: one JSON object a line. Ids are keyed hashes, payloads and names never appear
//! (docs/logging.md lists the fields).

use tracing::Level;

use crate::env::{ConfigError, optional};

const NAME: &str = "GUERDON_LOG";

/// Starts logging at the level of `GUERDON_LOG` (`error`, `warn`, `info`, `debug`), `info` by default.
///
/// # Errors
/// [`ConfigError::Invalid`] for another word.
pub fn start() -> Result<(), ConfigError> {
    let level = level()?;
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_max_level(level)
        // Lambda stamps each line itself.
        .without_time()
        .finish();
    // A second start, as in tests, keeps the first.
    tracing::subscriber::set_global_default(subscriber).ok();
    Ok(())
}

/// The configured level.
///
/// # Errors
/// [`ConfigError::Invalid`] for an unknown word.
pub fn level() -> Result<Level, ConfigError> {
    let word = optional(NAME).unwrap_or_else(|| "info".to_owned());
    word.parse().map_err(|_| ConfigError::Invalid {
        name: NAME,
        problem: "must be one of error, warn, info, debug, trace".to_owned(),
    })
}
