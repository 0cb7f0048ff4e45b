//! The front of the stand-in Stripe API: who may call, idempotency keys, injected failures, the record of calls.

use axum::{
    Json,
    body::Bytes,
    extract::{RawQuery, State as Shared},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    objects::API_VERSION,
    resources,
    state::{ApiCall, Stored, Stripe},
};
use crate::{form, injection::Injection, log::push_capped, world::Side};

const MAX_KEY_BYTES: usize = 255;
const KEPT_KEYS: usize = 10_000;

/// An answer before it becomes HTTP.
#[derive(Clone)]
pub(crate) struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }

    /// An error in Stripe's envelope.
    pub(crate) fn error(
        status: u16,
        kind: &str,
        code: Option<&str>,
        param: Option<&str>,
        message: &str,
    ) -> Self {
        let mut error = json!({"message": message, "type": kind});
        if let Some(code) = code {
            error["code"] = json!(code);
            error["doc_url"] =
                json!(format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")));
        }
        if let Some(param) = param {
            error["param"] = json!(param);
        }
        Self { status, body: json!({"error": error}) }
    }

    pub(crate) fn invalid(param: &str, message: &str) -> Self {
        Self::error(400, "invalid_request_error", Some("parameter_invalid_empty"), Some(param), message)
    }

    pub(crate) fn missing(kind: &str, id: &str) -> Self {
        let message = format!("No such {kind}: '{id}'");
        Self::error(404, "invalid_request_error", Some("resource_missing"), Some("id"), &message)
    }
}

/// One call, decoded.
pub(crate) struct Call {
    pub method: Method,
    pub path: String,
    pub idempotency_key: Option<String>,
    pub params: Value,
}

/// Everything under `/sim/stripe/`.
pub(crate) async fn stripe_api(
    Shared(side): Shared<Side<Stripe>>,
    method: Method,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_authorized(&headers, &side.config().stripe_api_key) {
        let message = "Invalid API Key provided. The simulator expects the key it was configured with.";
        return respond(Answer::error(401, "invalid_request_error", None, None, message), &side, None, false);
    }
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
    let encoded = match method {
        Method::GET | Method::DELETE => query.unwrap_or_default(),
        _ => String::from_utf8_lossy(&body).into_owned(),
    };
    let path = uri.path();
    let call = Call {
        // Stripe knows keys on POST only.
        idempotency_key: key.filter(|_| method == Method::POST),
        path: path.strip_prefix("/sim/stripe").unwrap_or(path).to_owned(),
        params: form::nested(&encoded),
        method,
    };
    let (answer, replayed) = side.call(&call);
    respond(answer, &side, call.idempotency_key.as_deref(), replayed)
}

fn is_authorized(headers: &HeaderMap, key: &str) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given == format!("Bearer {key}") || given == format!("Basic {}", STANDARD.encode(format!("{key}:")))
}

fn respond(answer: Answer, side: &Side<Stripe>, key: Option<&str>, replayed: bool) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(answer.body)).into_response();
    let headers = response.headers_mut();
    headers.insert("stripe-version", HeaderValue::from_static(API_VERSION));
    let request_id = side.change(|stripe| stripe.next_id("req"));
    for (name, value) in [("request-id", Some(request_id.as_str())), ("idempotency-key", key)] {
        if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
            headers.insert(name, value);
        }
    }
    if replayed {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    response
}

impl Side<Stripe> {
    fn call(&self, call: &Call) -> (Answer, bool) {
        let now = self.now();
        self.change(|stripe| {
            let (answer, replayed) = answer(stripe, call, now, &self.config().base_url);
            push_capped(
                &mut stripe.calls,
                ApiCall {
                    at: now,
                    method: call.method.to_string(),
                    path: call.path.clone(),
                    idempotency_key: call.idempotency_key.clone(),
                    params: call.params.clone(),
                    status: answer.status,
                    replayed,
                },
            );
            (answer, replayed)
        })
    }

    /// Guerdon's calls to Stripe, oldest first: `{method, path, idempotency_key, params}`, with the path as
    /// `/v1/...` and the parameters decoded from Stripe's bracket syntax. Replayed and failed calls included.
    #[must_use]
    pub(crate) fn stripe_calls(&self) -> Vec<Value> {
        let shown = |call: &ApiCall| {
            json!({
                "method": call.method, "path": call.path, "idempotency_key": call.idempotency_key,
                "params": call.params,
            })
        };
        self.read(|stripe| stripe.calls.iter().map(shown).collect())
    }
}

/// The order is Stripe's: a stored answer first, then the work, then the storing of its answer.
fn answer(stripe: &mut Stripe, call: &Call, now: i64, base_url: &str) -> (Answer, bool) {
    let key_bytes = call.idempotency_key.as_ref().map(String::len);
    if key_bytes.is_some_and(|bytes| !(1..=MAX_KEY_BYTES).contains(&bytes)) {
        let message = "Idempotency keys are 1 to 255 characters long.";
        return (Answer::invalid("Idempotency-Key", message), false);
    }
    let injected = Injection::take(&mut stripe.fail);
    if let Some(injection) = injected.filter(|injection| !injection.after_commit) {
        let failure = injected_failure(injection);
        if injection.sticky {
            store(stripe, now, call, &failure);
        }
        return (failure, false);
    }
    if let Some(stored) = call.idempotency_key.as_ref().and_then(|key| stripe.idempotency.get(key)) {
        let same =
            stored.method == call.method.as_str() && stored.path == call.path && stored.params == call.params;
        let answer = match same {
            true => Answer { status: stored.status, body: stored.body.clone() },
            false => conflict(call),
        };
        // The answer of a replay can get lost on the way as well.
        return (injected.map_or(answer, injected_failure), same);
    }
    let answer = resources::dispatch(stripe, call, now, base_url);
    let failure = injected.map(|injection| (injected_failure(injection), injection.sticky));
    match &failure {
        Some((failure, true)) => store(stripe, now, call, failure),
        // What Stripe did is what the key stands for, whether or not the caller got to hear of it.
        _ => store(stripe, now, call, &answer),
    }
    (failure.map_or(answer, |(failure, _)| failure), false)
}

fn conflict(call: &Call) -> Answer {
    let key = call.idempotency_key.as_deref().unwrap_or_default();
    let message = format!(
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try \
         using a key other than '{key}' if you meant to execute a different request."
    );
    Answer::error(400, "idempotency_error", None, None, &message)
}

fn injected_failure(injection: Injection) -> Answer {
    let (kind, code) = match injection.status {
        429 => ("invalid_request_error", Some("rate_limit")),
        400..500 => ("invalid_request_error", None),
        _ => ("api_error", None),
    };
    Answer::error(injection.status, kind, code, None, "A failure injected into the simulator.")
}

/// Nothing is stored of a call that failed validation: the key may be used again with the right parameters.
fn store(stripe: &mut Stripe, now: i64, call: &Call, answer: &Answer) {
    let Some(key) = &call.idempotency_key else { return };
    if (400..500).contains(&answer.status) {
        return;
    }
    let stored = Stored {
        at: now,
        method: call.method.to_string(),
        path: call.path.clone(),
        params: call.params.clone(),
        status: answer.status,
        body: answer.body.clone(),
    };
    stripe.idempotency.insert(key.clone(), stored);
    if stripe.idempotency.len() > KEPT_KEYS {
        // Stripe, too, may forget a key after a day.
        stripe.idempotency.retain(|_, stored| now.saturating_sub(stored.at) < 86_400);
    }
}
