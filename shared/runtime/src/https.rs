//! The HTTP client of all AWS clients: HTTP/1.1, one TLS stack, five trusted roots, made at the first call.
//!
//! The SDK's own client also has HTTP/2, proxies, the system's certificates and two pools. We do not need them, and
//! they make a function's binary too large and its start too slow (docs/adr/0020).

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_smithy_runtime_api::client::{
    connection::{CaptureSmithyConnection, ConnectionMetadata},
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{self, CaptureConnection, capture_connection},
    },
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::env::optional;

/// The Amazon Trust Services roots. To load the native roots would take 80% of the SDK's start-up.
const ROOTS: &[u8] = include_bytes!("amazon_roots.pem");

/// Time limit for connecting to a service in the same region.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

type Pool = Client<HttpsConnector<connect::HttpConnector>, SdkBody>;

/// A pool of connections. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Https(Arc<OnceLock<Pool>>);

impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Https")
    }
}

impl HttpClient for Https {
    /// Ignores the settings: each client limits the total time of its attempts.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Https {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let pool = match self.pool() {
            Ok(pool) => pool,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::other(error.into(), None))),
        };
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || Some(abandonable(connection.clone())));
        }
        let answer = pool.request(request);
        HttpConnectorFuture::new(async move {
            // The error happened between us and the service: the SDK may try again.
            let answer = answer.await.map_err(|error| ConnectorError::io(error.into()))?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Lets the SDK mark the connection as unusable: after a failed attempt it asks for another one.
fn abandonable(connection: CaptureConnection) -> ConnectionMetadata {
    let abandon = move || {
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    ConnectionMetadata::builder().proxied(false).poison_fn(abandon).build()
}

impl Https {
    fn pool(&self) -> Result<&Pool, rustls::Error> {
        if let Some(pool) = self.0.get() {
            return Ok(pool);
        }
        let tls = tls()?;
        Ok(self.0.get_or_init(|| {
            let mut tcp = connect::HttpConnector::new();
            tcp.enforce_http(false);
            tcp.set_nodelay(true);
            tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
            let builder = HttpsConnectorBuilder::new().with_tls_config(tls);
            let builder = if is_plain() { builder.https_or_http() } else { builder.https_only() };
            Client::builder(TokioExecutor::new()).build(builder.enable_http1().wrap_connector(tcp))
        }))
    }
}

fn tls() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(ROOTS) {
        let root = root.map_err(|error| rustls::Error::General(error.to_string()))?;
        roots.add(root)?;
    }
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Returns whether plain HTTP is allowed: only for a stand-in for AWS on this machine.
fn is_plain() -> bool {
    optional("AWS_ENDPOINT_URL").is_some_and(|url| url.starts_with("http://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazons_roots_are_trusted() {
        assert_eq!(CertificateDer::pem_slice_iter(ROOTS).filter_map(Result::ok).count(), 5);
        tls().unwrap();
    }
}
