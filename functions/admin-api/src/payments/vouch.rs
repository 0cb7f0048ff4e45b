//! Payments that an operator vouches for.

use std::sync::Arc;

use axum::{Extension, body::Bytes, extract::State, response::Response};
use guerdon_api::{Principal, Refusal};
use http::HeaderMap;

use crate::{
    input::{WriteBody, write},
    state::Api,
    wallets::adjust,
};

/// Converts a pending referral whose payment an operator vouches for.
#[utoipa::path(
    post,
    path = "/api/admin/credits/force-confirm",
    tag = "credits",
    request_body = WriteBody,
    responses((status = 200, description = "Done", body = adjust::Changed))
)]
pub(crate) async fn force_confirm(
    State(api): State<Arc<Api>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let write = write("force-confirm", &principal, &headers, &body, None)?;
    Ok(adjust::answer(guerdon_app::payments::force_confirm(&api.gate.app, &write.request).await?))
}
