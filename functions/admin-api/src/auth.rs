//! Who may come in, and how often.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use guerdon_app::{operator_name, session_of};
use guerdon_domain::Role;
use guerdon_runtime::{
    problem::{self, Problem, unauthorized},
    secrets::Secret,
    tokens::{self, Bearer},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{
    access::{Access, access},
    handler::Desk,
    output::Refusal,
};

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    /// The name in the audit trail. No secret.
    pub(crate) name: String,
    /// What they may do.
    pub(crate) role: Role,
    /// Their session, for those who signed in with a password.
    pub(crate) bearer: Option<Bearer>,
}

/// Lets a call through that has a right credential of a sufficient role and is within its minute's share.
pub(crate) async fn admit(State(desk): State<Arc<Desk>>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let Some(access) = access(request.method(), path) else {
        return Refusal(problem::method_not_allowed()).into_response();
    };
    let admitted = match access {
        Access::Anyone => within_share(&desk, "sign-in").await,
        Access::Operator(needed) => check(&desk, request.headers(), needed).await.map(|principal| {
            request.extensions_mut().insert(principal);
        }),
    };
    match admitted {
        Ok(()) => next.run(request).await,
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

async fn check(desk: &Desk, headers: &HeaderMap, needed: Role) -> Result<Principal, Problem> {
    let principal = match headers.get(header::AUTHORIZATION) {
        Some(presented) => by_session(desk, presented).await?,
        None => by_token(desk, headers).await?,
    };
    within_share(desk, &principal.name).await?;
    if principal.role < needed {
        let detail =
            format!("This needs the role {}; you have {}.", needed.as_str(), principal.role.as_str());
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail));
    }
    Ok(principal)
}

async fn by_token(desk: &Desk, headers: &HeaderMap) -> Result<Principal, Problem> {
    let Ok(configured) = desk.secrets.get(Secret::AdminToken).await else {
        return Err(unauthorized("No admin token is configured, so nobody may come in by one."));
    };
    let presented = headers.get("x-admin-token").map(HeaderValue::as_bytes).unwrap_or_default();
    let name = name_of(&configured, presented)
        .ok_or_else(|| unauthorized("The X-Admin-Token header is missing or wrong."))?;
    Ok(Principal { name, role: Role::SuperAdmin, bearer: None })
}

/// An access token only says who asks: the session and the role are looked up, so both end at once.
async fn by_session(desk: &Desk, presented: &HeaderValue) -> Result<Principal, Problem> {
    let wrong = || unauthorized("The access token is wrong, or its time or its session is over.");
    let token = presented.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).ok_or_else(wrong)?;
    let bearer = tokens::bearer(&desk.secrets, token, desk.app.clock.as_ref()).await.map_err(|error| {
        tracing::error!(%error, "nobody may come in by password");
        unauthorized("Signing in by password is not configured.")
    })?;
    let bearer = bearer.ok_or_else(wrong)?;
    let found = session_of(&desk.app, &bearer.operator, &bearer.session).await;
    let (operator, _) = found.map_err(|error| Refusal::from(error).0)?.ok_or_else(wrong)?;
    let name = operator_name(&desk.app, &operator.id);
    Ok(Principal { name, role: operator.role, bearer: Some(bearer) })
}

/// Counts a call of `who` and refuses those beyond the minute's share.
async fn within_share(desk: &Desk, who: &str) -> Result<(), Problem> {
    let calls = desk.app.store.count_call(who, desk.app.now()).await.map_err(|error| {
        tracing::error!(%error, "calls cannot be counted");
        problem::unavailable()
    })?;
    if calls > desk.calls_per_minute {
        let detail = format!("More than {} calls within a minute. Wait a minute.", desk.calls_per_minute);
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_calls", "Too many calls", detail));
    }
    Ok(())
}

/// Compares hashes, all of them, in constant time. Several tokens may be in force: `name=token` is that
/// operator's, and a bare one is `admin`'s, whoever holds it.
fn name_of(configured: &str, presented: &[u8]) -> Option<String> {
    let presented = Sha256::digest(presented);
    let mut found = None;
    for entry in configured.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (name, token) = named(entry).unwrap_or(("admin", entry));
        let digest = Sha256::digest(token.as_bytes());
        if bool::from(digest.as_slice().ct_eq(presented.as_slice())) {
            found = Some(name.to_owned());
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
        let found = name_of(configured, presented.as_bytes());
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
