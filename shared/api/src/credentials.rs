//! Credentials: an operator's token or session, a service's key, a member's token.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use guerdon_app::{
    error::AppError,
    operators::{KEY_PREFIX, operator_name, service_key_is_in_force, service_of, session_of},
};
use guerdon_domain::{
    ids::{PrincipalId, ServiceKeyId},
    operators::{Role, Scope},
};
use guerdon_runtime::{
    problem::{Problem, unauthorized},
    secrets::Secret,
    tokens::{self, Bearer, MemberToken, Presented},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{access::Access, gate::Gate, output::Refusal};

/// The caller.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The name in the audit trail. It is not secret.
    pub name: PrincipalId,
    /// The kind of caller.
    pub who: Who,
}

/// Kinds of caller, each with what decides its access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// An operator, with their session when they signed in by password.
    Operator(Role, Option<Bearer>),
    /// A service, with its key and the key's scopes.
    Service(ServiceKeyId, BTreeSet<Scope>),
    /// A member.
    Member(MemberToken),
}

impl Principal {
    /// The operator's session, if they signed in by password.
    pub const fn bearer(&self) -> Option<&Bearer> {
        match &self.who {
            Who::Operator(_, bearer) => bearer.as_ref(),
            Who::Service(..) | Who::Member(_) => None,
        }
    }

    /// The operator's role; the lowest one for other callers, who pass no check that needs a role.
    pub const fn role(&self) -> Role {
        match &self.who {
            Who::Operator(role, _) => *role,
            Who::Service(..) | Who::Member(_) => Role::Admin,
        }
    }

    /// The member, if the caller is one.
    pub const fn member(&self) -> Option<&MemberToken> {
        match &self.who {
            Who::Member(member) => Some(member),
            Who::Operator(..) | Who::Service(..) => None,
        }
    }

    /// The id of the service's key, if the caller is a service.
    pub const fn service_key(&self) -> Option<&ServiceKeyId> {
        match &self.who {
            Who::Service(key, _) => Some(key),
            Who::Operator(..) | Who::Member(_) => None,
        }
    }

    /// Checks that the caller may call a route with this access.
    pub(crate) fn check(&self, access: Access) -> Result<(), Problem> {
        let (allowed, needed) = match (&self.who, access.operator, access.service) {
            (Who::Operator(role, _), Some(needed), _) => {
                (*role >= needed, format!("the role {}; you have {}", needed.as_str(), role.as_str()))
            }
            (Who::Service(_, scopes), _, Some(needed)) => {
                (scopes.contains(&needed), format!("a key with the scope {}", needed.as_str()))
            }
            (Who::Member(_), ..) if access.member => (true, String::new()),
            (_, Some(needed), None) => (false, format!("an operator of the role {}", needed.as_str())),
            (_, _, Some(needed)) => (false, format!("a service's key with the scope {}", needed.as_str())),
            (_, None, None) => (false, "a member's token".to_owned()),
        };
        if allowed {
            return Ok(());
        }
        let detail = format!("This needs {needed}.");
        Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail))
    }
}

/// Identifies the caller by the headers, which must carry exactly one credential.
pub(crate) async fn principal(gate: &Gate, headers: &HeaderMap) -> Result<Principal, Problem> {
    let presented = ["authorization", "x-api-key", "x-admin-token"];
    if presented.iter().map(|name| headers.get_all(*name).iter().count()).sum::<usize>() > 1 {
        return Err(unauthorized("Send one credential: several do not say who calls."));
    }
    if let Some(presented) = headers.get(header::AUTHORIZATION) {
        let wrong = || unauthorized("The Authorization header has no credential that is in force.");
        let presented = presented.to_str().map_err(|_| wrong())?;
        let (scheme, token) = presented.split_once(' ').ok_or_else(wrong)?;
        if scheme.eq_ignore_ascii_case("bearer") {
            if token.starts_with(KEY_PREFIX) {
                return by_key(gate, token).await;
            }
            return by_token(gate, token).await;
        }
        // Clients that keep credentials in the URL or in `.netrc` send them this way.
        let key = scheme.eq_ignore_ascii_case("basic").then(|| basic(token)).flatten().ok_or_else(wrong)?;
        return by_key(gate, &key).await;
    }
    if let Some(key) = headers.get("x-api-key") {
        return by_key(gate, key.to_str().unwrap_or_default()).await;
    }
    by_admin_token(gate, headers).await
}

/// The kind of credential that a call carries, as it is logged.
pub(crate) fn kind_of_credential(headers: &HeaderMap) -> &'static str {
    let presented = ["authorization", "x-api-key", "x-admin-token"];
    let sent: Vec<&str> = presented.into_iter().filter(|name| headers.contains_key(*name)).collect();
    let bearer = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    match sent.as_slice() {
        [] => "none",
        ["x-api-key"] => "service_key",
        ["x-admin-token"] => "admin_token",
        ["authorization"] => match bearer.split(|byte| *byte == b' ').next().unwrap_or_default() {
            scheme if scheme.eq_ignore_ascii_case(b"basic") => "service_key",
            scheme if scheme.eq_ignore_ascii_case(b"bearer") => {
                let key = bearer[scheme.len()..].trim_ascii_start().starts_with(KEY_PREFIX.as_bytes());
                if key { "service_key" } else { "access_token" }
            }
            _ => "other",
        },
        _ => "several",
    }
}

/// Finds the key in the user name or in the password.
fn basic(encoded: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    let key = if password.starts_with(KEY_PREFIX) { password } else { user };
    Some(key.to_owned())
}

async fn by_key(gate: &Gate, key: &str) -> Result<Principal, Problem> {
    let found = service_of(&gate.app, key).await.map_err(|error| Refusal::from(error).0)?;
    let found = found.ok_or_else(|| unauthorized("The service's key is wrong or revoked."))?;
    Ok(Principal { name: format!("service-{}", found.id).into(), who: Who::Service(found.id, found.scopes) })
}

async fn by_admin_token(gate: &Gate, headers: &HeaderMap) -> Result<Principal, Problem> {
    let Some(presented) = headers.get("x-admin-token").map(HeaderValue::as_bytes) else {
        return Err(unauthorized(
            "Send a credential: Authorization: Bearer with a token or a service's key, or X-Admin-Token.",
        ));
    };
    let Ok(configured) = gate.secrets.get(Secret::AdminToken).await else {
        return Err(unauthorized("No admin token is configured, so no token is accepted."));
    };
    let name =
        name_of(&configured, presented).ok_or_else(|| unauthorized("The X-Admin-Token header is wrong."))?;
    Ok(Principal { name, who: Who::Operator(Role::SuperAdmin, None) })
}

/// Identifies the caller by an access token. An operator's session and role, and the key of the service that asked for a
/// member's token, are looked up, so a change of them takes effect at once.
async fn by_token(gate: &Gate, token: &str) -> Result<Principal, Problem> {
    let wrong =
        || unauthorized("The access token is wrong, or its time, its session or its service's key is over.");
    let clock = gate.app.clock.as_ref();
    let presented = tokens::presented(&gate.secrets, token, clock).await.map_err(|error| {
        tracing::error!(%error, "cannot verify access tokens; rejecting the call");
        unauthorized("Access tokens are not configured here.")
    })?;
    match presented.ok_or_else(wrong)? {
        Presented::Member(member) => {
            let in_force = service_key_is_in_force(&gate.app, &member.service_key).await;
            if !in_force.map_err(|error| Refusal::from(error).0)? {
                return Err(wrong());
            }
            let name = format!("member-{}", gate.app.tag(&member.id)).into();
            Ok(Principal { name, who: Who::Member(member) })
        }
        Presented::Operator(bearer) => {
            let found = session_of(&gate.app, &bearer.operator, &bearer.session).await;
            let found = found.map_err(|error: AppError| Refusal::from(error).0)?;
            let (operator, _) = found.ok_or_else(wrong)?;
            let name = operator_name(&gate.app, &operator.id);
            Ok(Principal { name, who: Who::Operator(operator.role, Some(bearer)) })
        }
    }
}

/// Identifies the operator by a configured token. It compares the hashes of all tokens in constant time. A token
/// `name=token` belongs to that operator, a token without a name to `admin`.
fn name_of(configured: &str, presented: &[u8]) -> Option<PrincipalId> {
    let presented = Sha256::digest(presented);
    let mut found = None;
    for entry in configured.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (name, token) = named(entry).unwrap_or(("admin", entry));
        let digest = Sha256::digest(token.as_bytes());
        if bool::from(digest.as_slice().ct_eq(presented.as_slice())) {
            found = Some(name.into());
        }
    }
    found
}

/// Shortest token that may have a name: something shorter after a `=` is the padding of a token without a name.
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
        assert_eq!(found.as_ref().map(PrincipalId::as_str), expect, "{configured:?} {presented:?}");
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
        // Two tokens of one name are in force while it is replaced.
        check("ana=token-of-ana-1,ana=token-of-ana-2", "token-of-ana-2", Some("ana"));
        // A token without a name may end in the padding of base64, and a name has one spelling.
        check("c2VjcmV0MTIzNA==", "c2VjcmV0MTIzNA==", Some("admin"));
        check("ana=", "", None);
        check("ana=short", "short", None);
        check("Ana=token-of-ana-1", "token-of-ana-1", None);
    }
}
