//! The SDK's HTTP connector, answered in-process, with a hook for injected faults.

use std::{fmt, sync::Arc};

use crate::{answer::Answer, dispatch::Backend, tables::Pending};
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;

/// A fault of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No fault.
    None,
    /// The connection breaks before the request takes effect.
    LostBefore,
    /// The request takes effect and the answer is lost.
    LostAfter,
    /// A transaction is cancelled because another one touches the same items.
    Conflict,
    /// The table is throttled for a moment.
    Throttle,
}

/// Decides which requests fail. It is called once per request with the operation's name, such as `TransactWriteItems`.
pub trait Faults: Send + Sync {
    /// Decides the fault of the next request.
    fn next(&self, operation: &str) -> Fault;
}

/// Injects no faults.
pub struct NoFaults;

impl Faults for NoFaults {
    fn next(&self, _operation: &str) -> Fault {
        Fault::None
    }
}

pub(crate) fn client(backend: Backend, faults: Arc<dyn Faults>) -> SharedHttpClient {
    SharedHttpClient::new(Embedded { backend, faults })
}

#[derive(Clone)]
struct Embedded {
    backend: Backend,
    faults: Arc<dyn Faults>,
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Embedded")
    }
}

impl HttpClient for Embedded {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Embedded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let pending = match self.answer(&request) {
            Ok(pending) => pending,
            Err(lost) => return HttpConnectorFuture::ready(Err(lost)),
        };
        if pending.tickets.is_empty() {
            return HttpConnectorFuture::ready(response(pending.answer));
        }
        // While it waits for the disk others are answered, and wait together with it.
        HttpConnectorFuture::new(async { response(pending.settled().await) })
    }
}

impl Embedded {
    fn answer(&self, request: &HttpRequest) -> Result<Pending, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let body = request.body().bytes().unwrap_or_default();
        let answer = match self.faults.next(operation) {
            Fault::None => return Ok(self.backend.dispatch(operation, body)),
            Fault::LostBefore => return Err(lost()),
            Fault::LostAfter => {
                self.backend.dispatch(operation, body);
                return Err(lost());
            }
            Fault::Conflict => conflict(operation, body),
            Fault::Throttle => throttle(),
        };
        Ok(Pending { answer, tickets: Vec::new() })
    }
}

pub(crate) fn lost() -> ConnectorError {
    ConnectorError::io("injected: the connection was lost".into())
}

fn throttle() -> Answer {
    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"injected"}"#;
    Answer { status: 400, body: body.to_owned() }
}

fn conflict(operation: &str, body: &[u8]) -> Answer {
    if operation != "TransactWriteItems" {
        let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException","message":"injected"}"#;
        return Answer { status: 400, body: body.to_owned() };
    }
    let items = serde_json::from_slice::<serde_json::Value>(body)
        .ok()
        .and_then(|request| request["TransactItems"].as_array().map(Vec::len))
        .unwrap_or(1);
    let reasons: Vec<_> = (0..items)
        .map(|n| serde_json::json!({ "Code": if n == 0 { "TransactionConflict" } else { "None" } }))
        .collect();
    let body = serde_json::json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "injected: TransactionConflict",
        "CancellationReasons": reasons,
    });
    Answer { status: 400, body: body.to_string() }
}

pub(crate) fn response(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    http::Response::builder()
        .status(answer.status)
        .header("content-type", "application/x-amz-json-1.0")
        .body(SdkBody::from(answer.body))
        .map_err(|error| ConnectorError::other(error.into(), None))
        .and_then(|response| {
            HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
        })
}
