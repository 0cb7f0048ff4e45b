//! The start of every function that uses the table.

use std::sync::Arc;

use guerdon_app::{
    context::{App, SystemClock},
    entropy::OsEntropy,
    error::AppError,
    jobs::logged_run,
    observe::correlated,
};
use guerdon_domain::{members::PseudonymKey, settings::Preset};
use lambda_runtime::{LambdaEvent, run, service_fn};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::{
    aws::Aws,
    env::{ConfigError, preset, required},
    secrets::{Secret, Secrets},
    telemetry,
};

/// Payload of a schedule (`Input` in the template).
#[derive(Debug, Default, Deserialize)]
struct Scheduled {
    /// Scheduler's id of this run; empty when a person invokes the function.
    #[serde(default)]
    execution_id: String,
}

/// A function of the deployment. Its settings are read; no service has been called yet.
pub struct Function {
    /// Configuration that its AWS clients share.
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
        let (preset, secrets) = (preset()?, Secrets::from_env(&aws)?);
        Ok(Self { aws, secrets, table, preset, app: OnceCell::new() })
    }

    /// Serves a schedule: each event is one run of `job`, recorded in the job log under Scheduler's id of the run.
    ///
    /// # Errors
    /// [`ConfigError`], and those of Lambda's runtime. A failed run is reported as an error, and Scheduler tries again.
    pub async fn scheduled(
        job: &'static str,
        work: impl AsyncFn(&App) -> Result<Value, AppError>,
    ) -> Result<(), lambda_runtime::Error> {
        let function = Self::start()?;
        let (function, work) = (&function, &work);
        run(service_fn(move |event: LambdaEvent<Scheduled>| async move {
            let app = function.app().await?;
            let ran = correlated(event.payload.execution_id, logged_run(app, job, work(app))).await?;
            Ok::<_, lambda_runtime::Error>(ran)
        }))
        .await
    }

    /// The context of the use cases. It is made at the first call, which reads the pseudonym key: before its first
    /// event a function makes no call.
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
