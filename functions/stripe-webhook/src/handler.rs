//! One event from Stripe: verified, queued, acknowledged.

use std::sync::Arc;

use guerdon_app::{
    context::Clock,
    memory::Failures,
    observe::{METRICS, correlated},
};
use guerdon_domain::members::PseudonymKey;
use guerdon_runtime::{
    headers::protect,
    http_body::MAX_BODY,
    problem::{Problem, method_not_allowed, too_large, unavailable},
    queue::Queue,
    secrets::{Secret, Secrets},
    source::Source,
};
use guerdon_stripe::{
    event::{EventObject, EventOrigin, ParseError, StripeEvent},
    signature::{SignatureError, WebhookSecret, verify},
    slim::slim,
};
use http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};

use crate::origin::{Foreign, Origin};

/// The largest event that is accepted, in bytes. Stripe names no limit; 293 KB were seen. What is longer than a message
/// of the queue may be is queued without what we do not read.
pub const MAX_EVENT: usize = 4 * 1024 * 1024;

const NOT_HANDLED: &str = r#"{"received":true,"handled":false}"#;

/// State of the function.
pub struct Webhook {
    /// The deployment's secrets.
    pub secrets: Secrets,
    /// The queue of verified events.
    pub payments: Arc<dyn Queue>,
    /// The events that are this deployment's.
    pub origin: Origin,
    /// The clock that limits the age of a signature.
    pub clock: Arc<dyn Clock>,
    /// Deliveries whose signature was refused.
    pub failures: Failures,
}

/// Answers one delivery: 200 once the event is queued; Stripe delivers again whatever gets another answer.
pub async fn handle(webhook: &Webhook, request: Request) -> Response<Body> {
    let mut response = match accept(webhook, &request).await {
        Ok(body) => Response::new(Body::Text(body)),
        Err(problem) => problem.into_response(),
    };
    protect(response.headers_mut());
    response
}

async fn accept(webhook: &Webhook, request: &Request) -> Result<String, Problem> {
    if request.method() != Method::POST {
        return Err(method_not_allowed());
    }
    let body = request.body().as_ref();
    if body.len() > MAX_EVENT {
        return Err(too_large(MAX_EVENT));
    }
    let header = request.headers().get("stripe-signature").and_then(|value| value.to_str().ok());
    let configured = configured(webhook).await?;
    let secrets = secrets(&configured)?;
    verify(header.unwrap_or_default(), body, &secrets, webhook.clock.now()).map_err(|error| {
        let problem = refused(&error);
        webhook.failures.report(
            "stripe_signature",
            problem.code,
            &source(&configured, request),
            webhook.clock.now(),
        );
        problem
    })?;
    let event = match StripeEvent::parse(body) {
        Ok(event) => event,
        // The event is verified, of a type we handle, and unreadable: it is queued, so that the worker reports it.
        Err(ParseError::BadObject { kind, path }) => {
            if let Err(foreign) = webhook.origin.check(&EventOrigin::of_body(body)) {
                return Ok(not_booked(foreign, "", &kind));
            }
            tracing::error!(kind, path, "a Stripe event cannot be read");
            return queue(webhook, body).await;
        }
        Err(ParseError::Thin) => {
            tracing::info!("acknowledged, not handled: a thin event");
            return Ok(NOT_HANDLED.to_owned());
        }
        Err(error) => return Err(unreadable(&error)),
    };
    correlated(&event.id, take(webhook, &event, body)).await
}

async fn take(webhook: &Webhook, event: &StripeEvent, body: &[u8]) -> Result<String, Problem> {
    if event.object == EventObject::Unhandled {
        tracing::info!(event_id = event.id, kind = event.kind, "acknowledged, not handled");
        return Ok(NOT_HANDLED.to_owned());
    }
    if let Err(foreign) = webhook.origin.check(&event.origin) {
        return Ok(not_booked(foreign, &event.id, &event.kind));
    }
    let answer = queue(webhook, body).await?;
    tracing::info!(event_id = event.id, kind = event.kind, livemode = event.origin.livemode, "queued");
    Ok(answer)
}

/// Counts an event of another deployment.
fn not_booked(foreign: Foreign, event_id: &str, kind: &str) -> String {
    tracing::info!(target: METRICS, foreign_events = 1);
    tracing::warn!(event_id, kind, reason = foreign.code(), "acknowledged, not booked");
    NOT_HANDLED.to_owned()
}

async fn queue(webhook: &Webhook, body: &[u8]) -> Result<String, Problem> {
    let text = if body.len() > MAX_BODY {
        slim(body).to_string()
    } else {
        String::from_utf8_lossy(body).into_owned()
    };
    if text.len() > MAX_BODY {
        tracing::error!(bytes = text.len(), "an event is too large for the queue; Stripe will repeat it");
        return Err(too_large(MAX_BODY));
    }
    webhook.payments.send(text).await.map_err(|error| {
        tracing::error!(%error, "an event was not queued; Stripe will repeat it");
        unavailable()
    })?;
    Ok(r#"{"received":true,"handled":true}"#.to_owned())
}

/// A tag of the request's source. This function has no pseudonym key, so the key is the signing secret.
fn source(configured: &str, request: &Request) -> String {
    let source = Source::of(request.extensions());
    let key = PseudonymKey::try_new(configured);
    key.map(|key| key.log_tag(&format!("source:{}", source.as_str()))).unwrap_or_default()
}

async fn configured(webhook: &Webhook) -> Result<String, Problem> {
    webhook.secrets.get(Secret::StripeWebhookSecret).await.map_err(|error| {
        tracing::error!(%error, "cannot read the webhook secret; rejecting the request");
        unavailable()
    })
}

/// Reads all secrets in force: while a secret is being replaced there are two.
fn secrets(configured: &str) -> Result<Vec<WebhookSecret>, Problem> {
    let parsed: Result<Vec<_>, _> =
        configured.split(',').map(str::trim).filter(|s| !s.is_empty()).map(WebhookSecret::try_new).collect();
    parsed.map_err(|error| {
        tracing::error!(%error, "STRIPE_WEBHOOK_SECRET is not a valid secret");
        unavailable()
    })
}

fn refused(error: &SignatureError) -> Problem {
    let code = match error {
        SignatureError::Missing => "signature_missing",
        SignatureError::Malformed | SignatureError::NoV1 => "signature_malformed",
        SignatureError::TooOld => "signature_too_old",
        SignatureError::FromTheFuture => "signature_from_the_future",
        SignatureError::Wrong => "signature_wrong",
    };
    Problem::new(StatusCode::BAD_REQUEST, code, "The Stripe signature was refused", error.to_string())
}

fn unreadable(error: &ParseError) -> Problem {
    let code = if *error == ParseError::NotJson { "not_json" } else { "not_an_event" };
    Problem::new(StatusCode::BAD_REQUEST, code, "Unreadable event", error.to_string())
}
