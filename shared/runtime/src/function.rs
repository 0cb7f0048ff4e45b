//! What every function that uses the table begins with.

use std::sync::Arc;

use guerdon_app::context::{App, OsEntropy, SystemClock};
use guerdon_domain::{members::PseudonymKey, settings::Preset};
use serde::Deserialize;
use tokio::sync::OnceCell;

use crate::{
    aws::Aws,
    env::{ConfigError, preset, required},
    secrets::{Secret, Secrets},
    telemetry,
};

/// What a schedule hands to its function (`Input` in the template).
#[derive(Debug, Default, Deserialize)]
pub struct Scheduled {
    /// Scheduler's id of this run; empty when somebody starts the function by hand.
    #[serde(default)]
    pub execution_id: String,
}

/// A function of the deployment: its settings are read, and nothing was called yet.
pub struct Function {
    /// What its AWS clients share.
    pub aws: Aws,
    /// The deployment's secrets.
    pub secrets: Secrets,
    table: String,
    preset: Arc<Preset>,
    app: OnceCell<App>,
}

impl Function {
    /// Starts the logs and reads the settings that every function has.
    ///
    /// # Errors
    /// [`ConfigError`]: a setting is missing or wrong.
    pub fn start() -> Result<Self, ConfigError> {
        telemetry::start()?;
        let table = required("GUERDON_TABLE", "the name of the table")?;
        let aws = Aws::from_env()?;
        let (preset, secrets) = (preset()?, aws.secrets()?);
        Ok(Self { aws, secrets, table, preset, app: OnceCell::new() })
    }

    /// The context of the use cases. It is made at the first call, which reads the pseudonym key: a function
    /// that waits for its first event has called nobody.
    ///
    /// # Errors
    /// [`ConfigError`] when the key cannot be read or is too short; the next call tries again.
    pub async fn app(&self) -> Result<&App, ConfigError> {
        self.app
            .get_or_try_init(|| async {
                let key = self.secrets.get(Secret::PseudonymKey).await?;
                Ok(App::new(
                    self.aws.store(&self.table),
                    Arc::new(SystemClock::default()),
                    Arc::new(OsEntropy),
                    self.preset.clone(),
                    PseudonymKey::try_new(key).map_err(|_| ConfigError::Invalid {
                        name: Secret::PseudonymKey.variable(),
                        problem: "must have at least 16 bytes".to_owned(),
                    })?,
                ))
            })
            .await
    }
}
