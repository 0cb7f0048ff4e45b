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

/// Compares hashes, all of them, in constant time. Several tokens may be in force: `name=token` is that
/// operator's, and a bare one is `admin`'s, whoever holds it.
fn principal_of(configured: &str, presented: &[u8]) -> Option<Principal> {
    let presented = Sha256::digest(presented);
    let mut found = None;
    for entry in configured.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (name, token) = named(entry).unwrap_or(("admin", entry));
        let digest = Sha256::digest(token.as_bytes());
        if bool::from(digest.as_slice().ct_eq(presented.as_slice())) {
            found = Some(Principal(name.to_owned()));
        }
    }
    found
}

/// The shortest token that may have a name: what is shorter after a `=` is the padding of a bare one.
const SHORTEST_TOKEN: usize = 12;

fn named(entry: &str) -> Option<(&str, &str)> {
    let (name, token) = entry.split_once('=')?;
    let is_name = (1..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
    (is_name && token.len() >= SHORTEST_TOKEN).then_some((name, token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(configured: &str, presented: &str, expect: Option<&str>) {
        let found = principal_of(configured, presented.as_bytes()).map(|principal| principal.0);
        assert_eq!(found.as_deref(), expect, "{configured:?} {presented:?}");
    }

    #[test]
    fn only_a_configured_token_opens() {
        check("one,two", "two", Some("admin"));
        for (configured, presented) in
            [("", ""), (" , ", ""), ("one", ""), ("one", "One"), ("one", "one,two")]
        {
            check(configured, presented, None);
        }
    }

    #[test]
    fn a_named_token_is_that_operators_and_a_name_opens_nothing() {
        let two = "ana=token-of-ana-1, ben=token-of-ben-1,bare-token-123";
        check(two, "token-of-ana-1", Some("ana"));
        check(two, "token-of-ben-1", Some("ben"));
        check(two, "bare-token-123", Some("admin"));
        for wrong in ["ana", "ana=token-of-ana-1", "=", "token-of-ana", ""] {
            check(two, wrong, None);
        }
        // Two of one name while it is rolled.
        check("ana=token-of-ana-1,ana=token-of-ana-2", "token-of-ana-2", Some("ana"));
        // A bare token may end in the padding of base64, and a name has one spelling.
        check("c2VjcmV0MTIzNA==", "c2VjcmV0MTIzNA==", Some("admin"));
        check("ana=", "", None);
        check("ana=short", "short", None);
        check("Ana=token-of-ana-1", "token-of-ana-1", None);
    }
}
