//! A hook between the SDK and the engine, where the worlds delay, rewrite and lose requests.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use aws_sdk_dynamodb::{
    Client,
    config::{
        HttpClient, RuntimeComponents, SharedHttpClient,
        retry::{RetryConfig, RetryPartition},
    },
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::HttpRequest,
};

use crate::{
    answer::Answer,
    connector::{lost, response},
    engine::{Engine, embedded},
};

/// Status and JSON body; none when the connection breaks.
pub type WireAnswer = Option<(u16, String)>;

/// Answers the requests of a client, with any delay, by [`Engine::answer`] or otherwise.
pub trait Wire: Send + Sync + 'static {
    /// Answers one request, given its operation (such as `TransactWriteItems`) and its JSON body.
    fn answer(
        self: Arc<Self>,
        operation: String,
        body: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = WireAnswer> + Send>>;
}

impl Engine {
    /// Runs one request of the JSON protocol and returns status and body.
    pub fn answer(&self, operation: &str, body: &[u8]) -> (u16, String) {
        let Answer { status, body } = self.backend.dispatch(operation, body).wait();
        (status, body)
    }

    /// Makes an SDK client whose requests go through `wire`. Clients of one `name` share their budget of retries, as
    /// those of one process do; each request is tried `attempts` times.
    pub fn client_through(wire: Arc<dyn Wire>, name: String, attempts: u32) -> Client {
        let retries = match attempts {
            0 | 1 => RetryConfig::disabled(),
            more => RetryConfig::standard().with_max_attempts(more),
        };
        let config = embedded()
            .retry_partition(RetryPartition::new(name))
            .retry_config(retries)
            .http_client(SharedHttpClient::new(Through(wire)))
            .build();
        Client::from_conf(config)
    }
}

#[derive(Clone)]
struct Through(Arc<dyn Wire>);

impl fmt::Debug for Through {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Through")
    }
}

impl HttpClient for Through {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Through {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = request.body().bytes().unwrap_or_default().to_vec();
        let answer = self.0.clone().answer(operation, body);
        HttpConnectorFuture::new(async move {
            match answer.await {
                Some((status, body)) => response(Answer { status, body }),
                None => Err(lost()),
            }
        })
    }
}
