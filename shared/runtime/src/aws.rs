//! Configuration that all AWS clients share.

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use guerdon_store::table::{Connection, Store};

use crate::{
    env::{ConfigError, optional, required},
    https::Https,
};

/// Configuration that every AWS client of the process shares.
#[derive(Clone)]
pub struct Aws {
    pub(crate) region: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) credentials: Credentials,
    pub(crate) https: Https,
}

impl Aws {
    /// Reads region and credentials as Lambda sets them. No profile files, no metadata service.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_env() -> Result<Self, ConfigError> {
        const PURPOSE: &str = "AWS credentials; Lambda sets them";
        let key = required("AWS_ACCESS_KEY_ID", PURPOSE)?;
        let secret = required("AWS_SECRET_ACCESS_KEY", PURPOSE)?;
        Ok(Self {
            region: required("AWS_REGION", "the region; Lambda sets it")?,
            endpoint: optional("AWS_ENDPOINT_URL"),
            credentials: Credentials::new(key, secret, optional("AWS_SESSION_TOKEN"), None, "lambda"),
            https: Https::default(),
        })
    }

    #[cfg(test)]
    pub(crate) fn for_tests(region: &str, credentials: Credentials) -> Self {
        Self { region: region.to_owned(), endpoint: None, credentials, https: Https::default() }
    }

    pub(crate) fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.https.clone())
    }

    /// Time limits, as the table's client has them: a blocked connection must not use up the function's whole time.
    #[cfg(any(feature = "bus", feature = "queue"))]
    pub(crate) fn timeouts() -> aws_smithy_types::timeout::TimeoutConfig {
        use std::time::Duration;
        aws_smithy_types::timeout::TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(8))
            .build()
    }

    /// The table.
    pub fn store(&self, table: &str) -> Store {
        Store::connect(Connection {
            region: self.region.clone(),
            endpoint: self.endpoint.clone(),
            credentials: self.credentials.clone(),
            http_client: Some(self.http_client()),
            table: table.to_owned(),
        })
    }
}
