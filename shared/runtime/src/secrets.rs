//! Secrets: read at first use from SSM Parameter Store and cached for ten minutes. In the cloud they are never
//! in environment variables; on one machine they are read from `.env`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use guerdon_app::context::{Clock, SystemClock};
use guerdon_domain::time::Timestamp;

use crate::{
    aws::Aws,
    env::{ConfigError, required},
    ssm::Ssm,
};

/// All secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Secret {
    /// The bot's token.
    TelegramBotToken,
    /// The secret that Telegram sends to our webhook.
    TelegramWebhookSecret,
    /// Our key at Stripe.
    StripeApiKey,
    /// Stripe's signing secrets, comma separated while one is being replaced.
    StripeWebhookSecret,
    /// The operators' token.
    AdminToken,
    /// Ties Telegram ids to pseudonyms. Never rotated.
    PseudonymKey,
    /// Keys that sign access tokens, comma separated while one is being replaced.
    TokenKey,
    /// The first super admin's password.
    SuperAdminPassword,
}

impl Secret {
    /// The variable on one machine.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::TelegramBotToken => "TELEGRAM_BOT_TOKEN",
            Self::TelegramWebhookSecret => "TELEGRAM_WEBHOOK_SECRET",
            Self::StripeApiKey => "STRIPE_API_KEY",
            Self::StripeWebhookSecret => "STRIPE_WEBHOOK_SECRET",
            Self::AdminToken => "ADMIN_TOKEN",
            Self::PseudonymKey => "GUERDON_PSEUDONYM_KEY",
            Self::TokenKey => "GUERDON_TOKEN_KEY",
            Self::SuperAdminPassword => "SUPER_ADMIN_PASSWORD",
        }
    }

    /// The parameter's name under the deployment's prefix.
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::TelegramBotToken => "telegram-bot-token",
            Self::TelegramWebhookSecret => "telegram-webhook-secret",
            Self::StripeApiKey => "stripe-api-key",
            Self::StripeWebhookSecret => "stripe-webhook-secret",
            Self::AdminToken => "admin-token",
            Self::PseudonymKey => "pseudonym-key",
            Self::TokenKey => "token-key",
            Self::SuperAdminPassword => "super-admin-password",
        }
    }
}

/// Time after which a rotated secret is in force everywhere.
const KEPT: Duration = Duration::from_secs(600);

#[derive(Clone)]
enum Source {
    Ssm { client: Arc<Ssm>, prefix: String },
    Given(Arc<HashMap<Secret, String>>),
}

/// Reads secrets. Clones share the cache.
#[derive(Clone)]
pub struct Secrets {
    source: Source,
    kept: Arc<Mutex<HashMap<Secret, (Timestamp, String)>>>,
    clock: Arc<dyn Clock>,
}

impl Secrets {
    /// The secrets of this deployment, below `GUERDON_SECRETS_PREFIX`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        let prefix = required("GUERDON_SECRETS_PREFIX", "the path of the SSM parameters")?;
        let client = Arc::new(Ssm::new(aws.clone()));
        Ok(Self::of(Source::Ssm { client, prefix: prefix.trim_end_matches('/').to_owned() }))
    }

    /// Makes secrets of given values, for one machine and for tests.
    pub fn given(secrets: impl IntoIterator<Item = (Secret, String)>) -> Self {
        Self::of(Source::Given(Arc::new(secrets.into_iter().collect())))
    }

    fn of(source: Source) -> Self {
        Self { source, kept: Arc::default(), clock: Arc::new(SystemClock::default()) }
    }

    /// Reads the secret's value.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] when it is not set; [`ConfigError::Invalid`] when it cannot be read.
    pub async fn get(&self, secret: Secret) -> Result<String, ConfigError> {
        let missing =
            ConfigError::Missing { name: secret.variable(), purpose: "a secret of this deployment" };
        match &self.source {
            Source::Given(secrets) => secrets.get(&secret).cloned().ok_or(missing),
            Source::Ssm { client, prefix } => {
                if let Some(value) = self.kept(secret) {
                    return Ok(value);
                }
                let name = format!("{prefix}/{}", secret.parameter());
                let read = client.parameter(&name, self.clock.now()).await;
                let value = read.map_err(|error| ConfigError::Invalid {
                    name: secret.variable(),
                    problem: format!("cannot be read from SSM: {error}"),
                })?;
                let value = value.filter(|value| !value.is_empty()).ok_or(missing)?;
                let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.insert(secret, (self.clock.now(), value.clone()));
                Ok(value)
            }
        }
    }

    fn kept(&self, secret: Secret) -> Option<String> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, value) = kept.get(&secret)?;
        let age = self.clock.now().millis().saturating_sub(read_at.millis());
        (u128::try_from(age).unwrap_or(u128::MAX) < KEPT.as_millis()).then(|| value.clone())
    }
}

/// A value built from a secret. It is kept while the secret stays the same, so a rotated secret is in use as soon as
/// it is read.
pub struct Built<T>(Mutex<Option<(String, Arc<T>)>>);

impl<T> Default for Built<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Built<T> {
    /// Returns what `build` makes of `secret`; builds it only when the secret has changed.
    ///
    /// # Errors
    /// Those of `build`; the next call tries again.
    pub fn of<E>(&self, secret: String, build: impl FnOnce(&str) -> Result<T, E>) -> Result<Arc<T>, E> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, built)) = kept.as_ref().filter(|(of, _)| *of == secret) {
            return Ok(built.clone());
        }
        let built = Arc::new(build(&secret)?);
        *kept = Some((secret, built.clone()));
        Ok(built)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_built_once_for_each_secret() {
        let built = Built::default();
        let mut times = 0;
        let mut of = |secret: &str| {
            let client = built.of(secret.to_owned(), |secret| {
                times += 1;
                if secret.is_empty() { Err("empty") } else { Ok(format!("client of {secret}")) }
            });
            (client.map(|client| client.as_str().to_owned()), times)
        };
        assert_eq!(of(""), (Err("empty"), 1));
        assert_eq!(of("old"), (Ok("client of old".to_owned()), 2));
        assert_eq!(of("old"), (Ok("client of old".to_owned()), 2));
        assert_eq!(of("new"), (Ok("client of new".to_owned()), 3));
    }
}
