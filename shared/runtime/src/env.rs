//! Configuration from environment variables. A bad value stops the start with an error that names the variable.

use std::sync::Arc;

use guerdon_domain::{ids::TelegramId, settings::Preset};

/// A variable is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not set.
    #[error("{name} is not set: {purpose}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// Purpose of the variable.
        purpose: &'static str,
    },
    /// Set to an invalid value.
    #[error("{name} {problem}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// Description of the problem; never the value of a secret.
        problem: String,
    },
}

/// Reads a variable; an empty one counts as not set.
pub fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// Reads a variable that must be set.
///
/// # Errors
/// [`ConfigError::Missing`].
pub fn required(name: &'static str, purpose: &'static str) -> Result<String, ConfigError> {
    optional(name).ok_or(ConfigError::Missing { name, purpose })
}

/// Reads a whole number within bounds, `default` when it is not set.
///
/// # Errors
/// [`ConfigError::Invalid`] names the bounds.
pub fn number(
    name: &'static str,
    default: u64,
    bounds: std::ops::RangeInclusive<u64>,
) -> Result<u64, ConfigError> {
    let Some(text) = optional(name) else { return Ok(default) };
    text.parse().ok().filter(|n| bounds.contains(n)).ok_or_else(|| ConfigError::Invalid {
        name,
        problem: format!("must be a whole number from {} to {}", bounds.start(), bounds.end()),
    })
}

/// Reads `SUPER_ADMIN_TELEGRAM_ID`, the person who becomes the first super admin; none when it is not set.
///
/// # Errors
/// [`ConfigError::Invalid`] when it is not a Telegram id.
pub fn super_admin() -> Result<Option<TelegramId>, ConfigError> {
    const NAME: &str = "SUPER_ADMIN_TELEGRAM_ID";
    let id = optional(NAME).map(|text| TelegramId::parse(&text)).transpose();
    id.map_err(|_| ConfigError::Invalid { name: NAME, problem: "must be a Telegram id in digits".to_owned() })
}

/// Loads the preset that `GUERDON_PRESET` names, `bitten` when it is not set.
///
/// # Errors
/// [`ConfigError::Invalid`], which lists the presets, when there is no such preset.
pub fn preset() -> Result<Arc<Preset>, ConfigError> {
    const NAME: &str = "GUERDON_PRESET";
    let name = optional(NAME).unwrap_or_else(|| "bitten".to_owned());
    let preset = Preset::builtin(&name);
    preset.map(Arc::new).map_err(|error| ConfigError::Invalid { name: NAME, problem: error.to_string() })
}
