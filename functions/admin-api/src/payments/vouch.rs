//! Payments that an operator vouches for.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use guerdon_api::{idempotency::Write, output::Refusal};

use crate::{
    input::{WriteBody, about_member},
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
pub(crate) async fn force_confirm(State(api): State<Arc<Api>>, write: Write) -> Result<Response, Refusal> {
    let (call, _) = about_member(&api.gate, &write, None)?;
    Ok(adjust::answer(guerdon_app::payments::force_confirm(&api.gate.app, &call).await?))
}
