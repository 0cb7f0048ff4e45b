//! Logs: one JSON object a line. Ids are keyed hashes, payloads and names never appear
//! (docs/logging.md lists the fields).

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{
    env::{ConfigError, optional},
    metrics::Metrics,
};

const NAME: &str = "GUERDON_LOG";

/// Crates whose lines are logged. Libraries are switched off: at some levels their lines contain whole requests, with
/// names and secrets.
const OURS: [&str; 23] = [
    "guerdon_domain",
    "guerdon_store",
    "guerdon_app",
    "guerdon_telegram",
    "guerdon_stripe",
    "guerdon_runtime",
    "guerdon_api",
    "guerdon_database",
    "guerdon_engine",
    "guerdon_simulator",
    "guerdon_local",
    "telegram_webhook",
    "stripe_webhook",
    "admin_api",
    "member_api",
    "commission_worker",
    "billing_worker",
    "hold_release",
    "code_expiry",
    "ledger_verifier",
    "projector",
    "event_relay",
    "notifier",
];

/// Starts the metrics, and logging at the level of `GUERDON_LOG` (`error`, `warn`, `info`, `debug`), `info` by default.
///
/// # Errors
/// [`ConfigError::Invalid`] for another level.
pub fn start() -> Result<(), ConfigError> {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        // Lambda adds the time to each line.
        .without_time();
    let function = optional("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default();
    let metrics = Metrics::new(function, std::io::stdout).layer();
    // A second start, which happens in tests, changes nothing.
    tracing_subscriber::registry().with(lines.with_filter(only_ours()?)).with(metrics).try_init().ok();
    Ok(())
}

/// Like [`start`], but without metrics, for a person at a terminal.
///
/// # Errors
/// [`ConfigError::Invalid`] for an unknown level.
pub fn start_for_people() -> Result<(), ConfigError> {
    let lines = tracing_subscriber::fmt::layer().compact().with_target(false);
    tracing_subscriber::registry().with(lines.with_filter(only_ours()?)).try_init().ok();
    Ok(())
}

fn only_ours() -> Result<Targets, ConfigError> {
    let level = level()?;
    Ok(Targets::new().with_targets(OURS.map(|target| (target, level))))
}

fn level() -> Result<LevelFilter, ConfigError> {
    let word = optional(NAME).unwrap_or_else(|| "info".to_owned());
    match word.as_str() {
        "error" => Ok(LevelFilter::ERROR),
        "warn" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        _ => Err(ConfigError::Invalid {
            name: NAME,
            problem: "must be one of error, warn, info, debug".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn every_crate_of_the_workspace_is_heard() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut names = Vec::new();
        for folder in ["shared", "functions", "infra"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let manifest = std::fs::read_to_string(entry.unwrap().path().join("Cargo.toml"));
                let name = manifest.ok().and_then(|text| {
                    text.lines()
                        .find_map(|line| Some(line.strip_prefix("name = \"")?.strip_suffix('"')?.to_owned()))
                });
                names.extend(name.map(|name| name.replace('-', "_")));
            }
        }
        names.sort();
        let mut ours = OURS.map(str::to_owned);
        ours.sort();
        assert_eq!(names, ours);
    }

    #[test]
    fn only_our_own_crates_are_heard() {
        let filter = only_ours().unwrap();
        assert!(filter.would_enable("guerdon_app::commissions::settle_wallet", &Level::INFO));
        assert!(filter.would_enable("commission_worker::handler", &Level::ERROR));
        for library in ["aws_smithy_runtime", "reqwest", "hyper_util", "lambda_runtime"] {
            assert!(!filter.would_enable(library, &Level::ERROR), "{library}");
        }
    }
}
