//! Service keys of the API: created and revoked by super admins, shown once, stored as a hash.

use std::collections::BTreeSet;

use guerdon_domain::{
    ids::{PrincipalId, ServiceKeyId},
    operators::{AuditRecord, Scope, ServiceKey},
};
use guerdon_store::table::metered;
use subtle::ConstantTimeEq;

use crate::{
    audit::{self, Line},
    context::App,
    error::{AppError, refusal},
    operators::{hash, sign_in::random},
};

/// The prefix of every key, so that a search finds a leaked one.
pub const KEY_PREFIX: &str = "gsk_";

/// A new key.
#[derive(Clone)]
pub struct NewServiceKey {
    /// The stored record.
    pub record: ServiceKey,
    /// The whole key. It is not stored and cannot be shown again.
    pub key: String,
}

/// Creates a key for `scopes` and writes an audit line in one transaction. A repeated call under the
/// operator's `key` returns the same service key. Returns `None` if that `key` was used for a different
/// service key.
pub async fn make_service_key(
    app: &App,
    operator: &PrincipalId,
    name: &str,
    scopes: &BTreeSet<Scope>,
    key: Option<&str>,
) -> Result<Option<NewServiceKey>, AppError> {
    metered("make_service_key", async {
        // With an idempotency key, both values derive from it. No secret has to be stored for a repeated
        // call.
        let (id, secret) = match key {
            Some(key) => {
                let digest = |part: &str| {
                    app.pseudonyms.digest("service-key", format!("{part}\n{operator}\n{key}").as_bytes())
                };
                (digest("id")[..16].to_owned(), digest("secret")[..48].to_owned())
            }
            None => (random(app)?[..16].to_owned(), random(app)?),
        };
        let record = ServiceKey {
            id: ServiceKeyId::parse(id)?,
            name: name.to_owned(),
            scopes: scopes.clone(),
            secret_hash: hash(&secret),
            created_by: operator.clone(),
            created_at: app.now(),
            revoked_at: None,
        };
        let after = serde_json::json!({ "name": record.name, "scopes": record.scopes }).to_string();
        let line = line(app, operator, "service_key.made", &record.id, ["null".to_owned(), after]);
        let writes = [app.store.service_keys().insert(&record, ())?, app.store.audit().insert(&line, ())?];
        let record = match refusal(app.store.commit(&writes).await)? {
            None => record,
            Some(()) => match app.store.service_keys().find(&record.id).await? {
                Some(known) if known.name == record.name && known.scopes == record.scopes => known,
                Some(_) => return Ok(None),
                None => return Err(AppError::Conflict),
            },
        };
        let key = format!("{KEY_PREFIX}{}_{secret}", record.id);
        Ok(Some(NewServiceKey { record, key }))
    })
    .await
}

/// Revokes a key at once, and writes an audit line. Returns false if no key with this id is in force.
pub async fn revoke_service_key(
    app: &App,
    operator: &PrincipalId,
    id: &ServiceKeyId,
) -> Result<bool, AppError> {
    metered("revoke_service_key", async {
        let states = ["\"in force\"", "\"revoked\""].map(str::to_owned);
        let line = line(app, operator, "service_key.revoked", id, states);
        let writes =
            [app.store.service_keys().revoke(id, app.now(), ())?, app.store.audit().insert(&line, ())?];
        Ok(refusal(app.store.commit(&writes).await)?.is_none())
    })
    .await
}

/// Returns service keys, including revoked ones, after the key with the id `after`.
pub async fn service_keys(
    app: &App,
    after: Option<&ServiceKeyId>,
    limit: i32,
) -> Result<Vec<ServiceKey>, AppError> {
    Ok(app.store.service_keys().list(after, limit).await?)
}

/// Returns the record of the key `presented`, if the key is in force.
pub async fn service_of(app: &App, presented: &str) -> Result<Option<ServiceKey>, AppError> {
    let parts = presented.strip_prefix(KEY_PREFIX).and_then(|rest| rest.split_once('_'));
    let Some((id, secret)) = parts.filter(|(id, _)| id.len() == 16) else { return Ok(None) };
    let Ok(id) = ServiceKeyId::parse(id) else { return Ok(None) };
    let found = app.store.service_keys().find(&id).await?;
    Ok(found.filter(|record| {
        let same = hash(secret).as_bytes().ct_eq(record.secret_hash.as_bytes());
        bool::from(same) && record.revoked_at.is_none()
    }))
}

/// Returns true if the key with this id was not revoked.
pub async fn service_key_is_in_force(app: &App, id: &ServiceKeyId) -> Result<bool, AppError> {
    Ok(app.store.service_keys().find(id).await?.is_some_and(|key| key.revoked_at.is_none()))
}

fn line(
    app: &App,
    operator: &PrincipalId,
    action: &str,
    id: &ServiceKeyId,
    states: [String; 2],
) -> AuditRecord {
    let line = Line::new(action).because(format!("key {id}")).states(states);
    audit::line(format!("{action}-{id}"), app.now(), operator, line)
}
