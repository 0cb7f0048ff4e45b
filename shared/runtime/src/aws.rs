//! AWS clients: one lazy HTTP client for all of them, one TLS stack, five trusted roots.

use std::sync::OnceLock;

use aws_credential_types::Credentials;
use aws_smithy_http_client::{
    Builder, Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector},
    runtime_components::RuntimeComponents,
};
use guerdon_store::{Connection, Store};

use crate::{
    env::{ConfigError, optional, required},
    secrets::Secrets,
};

/// The Amazon Trust Services roots. Native roots would be 80% of the SDK's start-up.
const ROOTS: &[u8] = include_bytes!("amazon_roots.pem");

/// Makes the TLS connector at the first call, not when a client is configured, and makes it once.
#[derive(Debug, Default)]
struct LazyHttpClient {
    client: OnceLock<SharedHttpClient>,
}

impl HttpClient for LazyHttpClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.client.get_or_init(https).http_connector(settings, components)
    }
    // `validate_base_client_config` is not forwarded on purpose: it would build a connector for each
    // client and throw it away.
}

fn https() -> SharedHttpClient {
    if is_plain() {
        return Builder::new().build_http();
    }
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    match trust() {
        Some(context) => builder.tls_context(context).build_https(),
        None => builder.build_https(),
    }
}

/// One connection pool outside the SDK's clients, built alike.
pub(crate) fn connector() -> Connector {
    if is_plain() {
        return Connector::builder().build_http();
    }
    let builder = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring));
    match trust() {
        Some(context) => builder.tls_context(context).build(),
        None => builder.build(),
    }
}

/// A stand-in for AWS on this machine speaks plain HTTP.
fn is_plain() -> bool {
    optional("AWS_ENDPOINT_URL").is_some_and(|url| url.starts_with("http://"))
}

fn trust() -> Option<TlsContext> {
    let roots = TrustStore::empty().with_pem_certificate(ROOTS);
    TlsContext::builder().with_trust_store(roots).build().ok()
}

/// What every AWS client of the process shares.
#[derive(Clone)]
pub struct Aws {
    pub(crate) region: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) credentials: Credentials,
    pub(crate) http_client: SharedHttpClient,
}

impl Aws {
    /// Region and credentials as Lambda sets them. No profile files, no metadata service.
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
            http_client: SharedHttpClient::new(LazyHttpClient::default()),
        })
    }

    #[cfg(test)]
    pub(crate) fn for_tests(region: &str, credentials: Credentials) -> Self {
        let http_client = SharedHttpClient::new(LazyHttpClient::default());
        Self { region: region.to_owned(), endpoint: None, credentials, http_client }
    }

    /// The table.
    pub fn store(&self, table: &str) -> Store {
        Store::connect(Connection {
            region: self.region.clone(),
            endpoint: self.endpoint.clone(),
            credentials: self.credentials.clone(),
            http_client: Some(self.http_client.clone()),
            table: table.to_owned(),
        })
    }

    /// The secrets of this deployment.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn secrets(&self) -> Result<Secrets, ConfigError> {
        Ok(Secrets::ssm(self, required("GUERDON_SECRETS_PREFIX", "the path of the SSM parameters")?))
    }
}
