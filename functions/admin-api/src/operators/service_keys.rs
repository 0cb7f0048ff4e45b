//! Keys of services.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{
    credentials::Principal,
    idempotency::Write,
    output::{Page, Refusal},
    paging::Paged,
};
use guerdon_app::{
    once::CallRefusal,
    operators::{make_service_key, revoke_service_key, service_keys},
};
use guerdon_domain::{
    ids::ServiceKeyId,
    operators::{Scope, ServiceKey},
};
use guerdon_runtime::problem::Problem;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    input::{self, ListQuery, bad_request, next_cursor},
    state::Api,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// The name of the service, 1 to 64 characters.
    name: String,
    /// The scopes of the key, one or more: `users:read`, `users:write`, `orders:read`, `orders:write`, `wallets:read`,
    /// `withdrawals:write`, `referrals:read`, `referrals:write`, `tokens:write`.
    scopes: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct KeyView {
    id: String,
    name: String,
    scopes: Vec<&'static str>,
    created_by: String,
    created_at: String,
    revoked_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct MadeKey {
    /// The whole key. It is not kept and cannot be shown again.
    key: String,
    #[serde(flatten)]
    about: KeyView,
}

fn view(key: ServiceKey) -> KeyView {
    KeyView {
        id: key.id.into(),
        name: key.name,
        scopes: key.scopes.into_iter().map(Scope::as_str).collect(),
        created_by: key.created_by.into(),
        created_at: key.created_at.to_string(),
        revoked_at: key.revoked_at.map(|at| at.to_string()),
    }
}

/// Keys of services, revoked ones too. What they are is not kept.
#[utoipa::path(
    get,
    path = "/api/admin/service-keys",
    tag = "service keys",
    params(ListQuery),
    responses((status = 200, description = "Done", body = Page<KeyView>))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Paged { limit, after, .. }: Paged<ListQuery, ServiceKeyId>,
) -> Result<Response, Refusal> {
    let keys = service_keys(&api.gate.app, after.as_ref(), limit).await?;
    let next_cursor = next_cursor(&keys, limit, |key| key.id.clone())?;
    Ok(Json(Page { items: keys.into_iter().map(view).collect(), next_cursor }).into_response())
}

/// Makes a key for a service. A repeated call under the same `Idempotency-Key` returns the same key, a call without
/// one makes another key. A key whose answer was lost can be revoked.
#[utoipa::path(
    post,
    path = "/api/admin/service-keys",
    tag = "service keys",
    request_body = NewKey,
    responses((status = 201, description = "Made", body = MadeKey))
)]
pub(crate) async fn make(State(api): State<Arc<Api>>, write: Write) -> Result<Response, Refusal> {
    let body: NewKey = input::json(&write.body, "name and scopes")?;
    let name = body.name.trim();
    if !(1..=64).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(bad_request("bad_name", "name must have 1 to 64 characters."));
    }
    let scopes: Option<BTreeSet<_>> = body.scopes.iter().map(|scope| Scope::parse(scope)).collect();
    let scopes = scopes.filter(|scopes| !scopes.is_empty()).ok_or_else(|| {
        let known: Vec<_> = Scope::ALL.into_iter().map(Scope::as_str).collect();
        bad_request("bad_scopes", format!("scopes must name one or more of {}.", known.join(", ")))
    })?;
    let key = write.key()?;
    let made = make_service_key(&api.gate.app, &write.principal.name, name, &scopes, key.as_deref()).await?;
    let made = made.ok_or(CallRefusal::KeyReused)?;
    let made = MadeKey { key: made.key, about: view(made.record) };
    Ok((StatusCode::CREATED, [("cache-control", "no-store")], Json(made)).into_response())
}

/// Revokes a service's key, at once.
#[utoipa::path(
    delete,
    path = "/api/admin/service-keys/{id}",
    tag = "service keys",
    params(("id" = String, Path)),
    responses((status = 204, description = "Revoked"))
)]
pub(crate) async fn revoke(
    State(api): State<Arc<Api>>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = ServiceKeyId::parse(id);
    if let Ok(id) = id
        && revoke_service_key(&api.gate.app, &principal.name, &id).await?
    {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let detail = "Nothing was changed: no key in force has this id.";
    Err(Refusal(Problem::new(StatusCode::NOT_FOUND, "unknown_key", "Unknown key", detail)))
}
