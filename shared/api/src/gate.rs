//! The state that access checks need: context, secrets, rate limits, and the origins that may call.

use guerdon_app::context::App;
use guerdon_runtime::{
    env::{self, ConfigError},
    secrets::Secrets,
};
use http::HeaderValue;

/// State of admission, which every handler also gets.
#[derive(Clone)]
pub struct Gate {
    /// The use cases' context.
    pub app: App,
    /// The deployment's secrets.
    pub secrets: Secrets,
    /// Rate limits of callers.
    pub limits: Limits,
    /// Origins of pages that may call from a browser, as `https://example.com`. Empty: none.
    pub origins: Vec<HeaderValue>,
}

/// Rate limits: calls that one caller may make in a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls of an operator; also sign-ins of each kind by one source.
    pub operator: u64,
    /// Calls with a service's key.
    pub service: u64,
    /// Calls of a member.
    pub member: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { operator: 120, service: 600, member: 60 }
    }
}

impl Limits {
    /// Reads `GUERDON_ADMIN_CALLS_PER_MINUTE`, `GUERDON_SERVICE_CALLS_PER_MINUTE`, `GUERDON_MEMBER_CALLS_PER_MINUTE`.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable and its bounds.
    pub fn from_env() -> Result<Self, ConfigError> {
        let (usual, bounds) = (Self::default(), || 1..=100_000);
        Ok(Self {
            operator: env::number("GUERDON_ADMIN_CALLS_PER_MINUTE", usual.operator, bounds())?,
            service: env::number("GUERDON_SERVICE_CALLS_PER_MINUTE", usual.service, bounds())?,
            member: env::number("GUERDON_MEMBER_CALLS_PER_MINUTE", usual.member, bounds())?,
        })
    }
}

/// Reads `GUERDON_CORS_ORIGINS`: origins of pages that may call from a browser, comma separated; none by default.
///
/// # Errors
/// [`ConfigError`] when one is not an origin.
pub fn origins() -> Result<Vec<HeaderValue>, ConfigError> {
    const NAME: &str = "GUERDON_CORS_ORIGINS";
    let text = env::optional(NAME).unwrap_or_default();
    let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    let origin = |text: &str| {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_origin = host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', ' ']));
        HeaderValue::from_str(text).ok().filter(|_| is_origin).ok_or_else(|| ConfigError::Invalid {
            name: NAME,
            problem: format!("has {text:?}, which is no origin as https://example.com"),
        })
    };
    origins.map(origin).collect()
}
