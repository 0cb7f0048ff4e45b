//! Admission: a call passes if its credential is valid and its caller has calls left in this minute.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use guerdon_app::operators::count_call;
use guerdon_runtime::{
    problem::{self, Code, Problem},
    source::Source,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::{
    access::{Route, access},
    credentials::{Who, kind_of_credential, principal},
    gate::Gate,
    input::idempotency_key,
    output::Refusal,
};

/// A caller's remaining calls after this call.
struct Allowance {
    limit: u64,
    calls: u64,
    /// Seconds until the count starts again.
    reset: i64,
}

/// An API's routes and the gate before them.
pub(crate) struct Guarded {
    pub(crate) gate: Gate,
    pub(crate) routes: &'static [Route],
}

pub(crate) async fn admit(State(guarded): State<Arc<Guarded>>, request: Request, next: Next) -> Response {
    let trace = Trace::of(&guarded, &request);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = answer(&guarded, &trace, request, next).await;
    if let Some(route) = route {
        // Whoever measures the answer can name its route.
        response.extensions_mut().insert(route);
    }
    response
}

async fn answer(guarded: &Guarded, trace: &Trace, request: Request, next: Next) -> Response {
    match enter(guarded, request).await {
        Ok((request, allowance)) => {
            let mut response = next.run(request).await;
            trace.note(&guarded.gate, &response);
            if let Some(allowance) = allowance {
                allowance.tell(response.headers_mut());
            }
            response
        }
        Err((problem, allowance)) => {
            let status = problem.status;
            let mut response = Refusal(problem).into_response();
            trace.note(&guarded.gate, &response);
            let headers = response.headers_mut();
            if status == StatusCode::UNAUTHORIZED.as_u16() {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            if let Some(allowance) = allowance {
                allowance.tell(headers);
                if status == StatusCode::TOO_MANY_REQUESTS.as_u16() {
                    headers.insert(header::RETRY_AFTER, HeaderValue::from(allowance.reset));
                }
            }
            response
        }
    }
}

/// What is logged about a call whose credential is refused.
struct Trace {
    credential: &'static str,
    source: Source,
    /// Whether the call is a sign-in: then every refusal is about its credential.
    signs_in: bool,
}

impl Trace {
    fn of(guarded: &Guarded, request: &Request) -> Self {
        let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
        let access = access(guarded.routes, request.method(), path);
        let share = access.and_then(|access| access.anyone).filter(|share| !share.is_empty());
        Self {
            credential: share.unwrap_or_else(|| kind_of_credential(request.headers())),
            source: Source::of(request.extensions()),
            signs_in: share.is_some(),
        }
    }

    fn note(&self, gate: &Gate, response: &Response) {
        let status = response.status();
        let refused = status == StatusCode::UNAUTHORIZED || (self.signs_in && status.is_client_error());
        if let Some(Code(code)) = response.extensions().get::<Code>().filter(|_| refused) {
            gate.app.authentication_failed(self.credential, code, self.source.as_str());
        }
    }
}

type Entered = Result<(Request, Option<Allowance>), (Problem, Option<Allowance>)>;

async fn enter(guarded: &Guarded, mut request: Request) -> Entered {
    let (gate, path) = (&guarded.gate, request.extensions().get::<MatchedPath>());
    let path = path.map(MatchedPath::as_str).unwrap_or_default();
    let Some(access) = access(guarded.routes, request.method(), path) else {
        return Err((problem::method_not_allowed(), None));
    };
    if let Some(share) = access.anyone {
        let allowance = count_stranger(gate, share, &Source::of(request.extensions()));
        return within(request, allowance);
    }
    let principal = principal(gate, request.headers()).await.map_err(|problem| (problem, None))?;
    let limit = match principal.who {
        Who::Operator(..) => gate.limits.operator,
        Who::Service(..) => gate.limits.service,
        Who::Member(_) => gate.limits.member,
    };
    let allowance = count(gate, principal.name.as_str(), limit).await.map_err(|problem| (problem, None))?;
    if let Err(problem) = principal.check(access) {
        return Err((problem, Some(allowance)));
    }
    if request.headers().contains_key("idempotency-key")
        && request.method() != Method::GET
        && let Err(refusal) = idempotency_key(request.headers())
    {
        return Err((refusal.0, Some(allowance)));
    }
    request.extensions_mut().insert(principal);
    within(request, Some(allowance))
}

fn within(request: Request, allowance: Option<Allowance>) -> Entered {
    match allowance {
        Some(allowance) if allowance.calls > allowance.limit => {
            let detail = format!(
                "More than {} calls within a minute. Wait {} seconds.",
                allowance.limit, allowance.reset
            );
            let status = StatusCode::TOO_MANY_REQUESTS;
            Err((Problem::new(status, "too_many_calls", "Too many calls", detail), Some(allowance)))
        }
        allowance => Ok((request, allowance)),
    }
}

/// Counts a call without a credential, in this process: a stranger's calls write nothing, and use up nobody else's.
fn count_stranger(gate: &Gate, share: &str, source: &Source) -> Option<Allowance> {
    if share.is_empty() {
        return None;
    }
    let now = gate.app.now();
    let calls = gate.app.memory.sign_ins.count(&format!("{share} {}", source.as_str()), now)?;
    Some(Allowance { limit: gate.limits.operator, calls, reset: 60 - now.seconds().rem_euclid(60) })
}

/// Counts a call of `who`.
async fn count(gate: &Gate, who: &str, limit: u64) -> Result<Allowance, Problem> {
    let now = gate.app.now();
    let calls = count_call(&gate.app, who, limit, now).await.map_err(|error| {
        tracing::error!(%error, "calls cannot be counted");
        problem::unavailable()
    })?;
    Ok(Allowance { limit, calls, reset: 60 - now.seconds().rem_euclid(60) })
}

impl Allowance {
    /// The headers of the IETF's draft on RateLimit.
    fn tell(&self, headers: &mut HeaderMap) {
        let remaining = self.limit.saturating_sub(self.calls);
        let policy = format!("\"minute\";q={};w=60", self.limit);
        let state = format!("\"minute\";r={remaining};t={}", self.reset);
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", state)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}
