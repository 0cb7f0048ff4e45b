//! Who may come in, and how often.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use guerdon_runtime::{
    problem::{Problem, unauthorized},
    secrets::Secret,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{handler::Desk, output::Refusal};

/// The credential behind a call, by a name that is no secret.
#[derive(Debug, Clone)]
pub(crate) struct Principal(pub(crate) String);

/// Lets a call through that has a right token and is within its minute's share.
pub(crate) async fn admit(State(desk): State<Arc<Desk>>, mut request: Request, next: Next) -> Response {
    match check(&desk, request.headers()).await {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(problem) => {
            let too_many = problem.status == StatusCode::TOO_MANY_REQUESTS.as_u16();
            let mut response = Refusal(problem).into_response();
            if too_many {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            }
            response
        }
    }
}

async fn check(desk: &Desk, headers: &HeaderMap) -> Result<Principal, Problem> {
    let Ok(configured) = desk.secrets.get(Secret::AdminToken).await else {
        return Err(unauthorized("No admin token is configured, so nobody may come in."));
    };
    let presented = headers.get("x-admin-token").map(HeaderValue::as_bytes).unwrap_or_default();
    let principal = principal_of(&configured, presented)
        .ok_or_else(|| unauthorized("The X-Admin-Token header is missing or wrong."))?;
    let calls = desk.app.store.count_call(&principal.0, desk.app.now()).await.map_err(|error| {
        tracing::error!(%error, "calls cannot be counted");
        guerdon_runtime::problem::unavailable()
    })?;
    if calls > desk.calls_per_minute {
        let detail = format!("More than {} calls within a minute. Wait a minute.", desk.calls_per_minute);
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_calls", "Too many calls", detail));
    }
    Ok(principal)
}

/// Compares hashes, all of them, in constant time. Several tokens may be in force while one is rolled.
fn principal_of(configured: &str, presented: &[u8]) -> Option<Principal> {
    let presented = Sha256::digest(presented);
    let mut found = None;
    for token in configured.split(',').map(str::trim).filter(|token| !token.is_empty()) {
        let digest = Sha256::digest(token.as_bytes());
        if bool::from(digest.as_slice().ct_eq(presented.as_slice())) {
            found = Some(Principal(format!("admin-{}", &hex::encode(digest)[..8])));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_configured_token_opens() {
        let check =
            |configured: &str, presented: &str| principal_of(configured, presented.as_bytes()).map(|p| p.0);
        assert!(check("one,two", "two").is_some());
        assert_ne!(check("one,two", "two"), check("one,two", "one"));
        for (configured, presented) in
            [("", ""), (" , ", ""), ("one", ""), ("one", "One"), ("one", "one,two")]
        {
            assert_eq!(check(configured, presented), None, "{configured:?} {presented:?}");
        }
    }
}
