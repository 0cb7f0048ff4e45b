//! Admission: a call passes if its credential is valid and its caller has calls left in this minute.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use guerdon_app::{context::App, operators::count_call};
use guerdon_runtime::{
    ConfigError, env,
    problem::{self, Problem},
    secrets::Secrets,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::{
    access::{Route, access},
    credentials::{Who, principal},
    input::idempotency_key,
    output::Refusal,
};

/// State of admission, which every handler also gets.
#[derive(Clone)]
pub struct Gate {
    /// The use cases' context.
    pub app: App,
    /// The deployment's secrets.
    pub secrets: Secrets,
    /// Rate limits of callers.
    pub limits: Limits,
    /// Origins of pages that may call from a browser, as `https://example.com`. Empty: none.
    pub origins: Vec<HeaderValue>,
}

/// Rate limits: calls that one caller may make in a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls of an operator; also of all sign-ins together.
    pub operator: u64,
    /// Calls with a service's key.
    pub service: u64,
    /// Calls of a member.
    pub member: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { operator: 120, service: 600, member: 60 }
    }
}

impl Limits {
    /// Reads `GUERDON_ADMIN_CALLS_PER_MINUTE`, `GUERDON_SERVICE_CALLS_PER_MINUTE`, `GUERDON_MEMBER_CALLS_PER_MINUTE`.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable and its bounds.
    pub fn from_env() -> Result<Self, ConfigError> {
        let (usual, bounds) = (Self::default(), || 1..=100_000);
        Ok(Self {
            operator: env::number("GUERDON_ADMIN_CALLS_PER_MINUTE", usual.operator, bounds())?,
            service: env::number("GUERDON_SERVICE_CALLS_PER_MINUTE", usual.service, bounds())?,
            member: env::number("GUERDON_MEMBER_CALLS_PER_MINUTE", usual.member, bounds())?,
        })
    }
}

/// Reads `GUERDON_CORS_ORIGINS`: origins of pages that may call from a browser, comma separated; none by default.
///
/// # Errors
/// [`ConfigError`] when one is not an origin.
pub fn origins() -> Result<Vec<HeaderValue>, ConfigError> {
    const NAME: &str = "GUERDON_CORS_ORIGINS";
    let text = env::optional(NAME).unwrap_or_default();
    let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    let origin = |text: &str| {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_origin = host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', ' ']));
        HeaderValue::from_str(text).ok().filter(|_| is_origin).ok_or_else(|| ConfigError::Invalid {
            name: NAME,
            problem: format!("has {text:?}, which is no origin as https://example.com"),
        })
    };
    origins.map(origin).collect()
}

/// A caller's remaining calls after this call.
struct Allowance {
    limit: u64,
    calls: u64,
    /// Seconds until the count starts again.
    reset: i64,
}

/// The gate and its API's list of routes.
pub(crate) struct Door {
    pub(crate) gate: Gate,
    pub(crate) routes: &'static [Route],
}

pub(crate) async fn admit(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    match enter(&door, request).await {
        Ok((request, allowance)) => {
            let mut response = next.run(request).await;
            if let Some(allowance) = allowance {
                allowance.tell(response.headers_mut());
            }
            response
        }
        Err((problem, allowance)) => {
            let status = problem.status;
            let mut response = Refusal(problem).into_response();
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

type Entered = Result<(Request, Option<Allowance>), (Problem, Option<Allowance>)>;

async fn enter(door: &Door, mut request: Request) -> Entered {
    let (gate, path) = (&door.gate, request.extensions().get::<MatchedPath>());
    let path = path.map(MatchedPath::as_str).unwrap_or_default();
    let Some(access) = access(door.routes, request.method(), path) else {
        return Err((problem::method_not_allowed(), None));
    };
    if let Some(share) = access.anyone {
        let allowance = match share {
            "" => None,
            share => Some(count(gate, share, gate.limits.operator).await.map_err(|problem| (problem, None))?),
        };
        return within(request, allowance);
    }
    let principal = principal(gate, request.headers()).await.map_err(|problem| (problem, None))?;
    let limit = match principal.who {
        Who::Operator(..) => gate.limits.operator,
        Who::Service(_) => gate.limits.service,
        Who::Member(_) => gate.limits.member,
    };
    let allowance = count(gate, &principal.name, limit).await.map_err(|problem| (problem, None))?;
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

/// Counts a call of `who`.
async fn count(gate: &Gate, who: &str, limit: u64) -> Result<Allowance, Problem> {
    let now = gate.app.now();
    let calls = count_call(&gate.app, who, now).await.map_err(|error| {
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
