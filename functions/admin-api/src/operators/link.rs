//! Signing in by the link that the bot gives.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use guerdon_api::output::Refusal;
use guerdon_app::operators::sign_in_by_link;
use http::{HeaderValue, header};
use serde::Deserialize;
use utoipa::ToSchema;

use super::sign_in::{Tokens, tokens_of};
use crate::{input, state::Api};

/// The page that the link leads to. The token stands behind the `#`, so the page sends it when its button is pressed:
/// a preview that opens the link uses nothing up.
const PAGE: &str = include_str!("link.html");

/// The page has one inline script and one inline style, and may connect to its own origin only.
const POLICY: &str = "default-src 'none'; script-src 'sha256-0Kzx/dRFax29zkjSu+jLsx2bDSYizOwqhh94cpcmv1I='; style-src 'unsafe-inline'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page of a sign-in link.
#[utoipa::path(
    get,
    path = "/admin/auth/link",
    tag = "sign-in",
    responses((status = 200, description = "A page", body = String, content_type = "text/html"))
)]
pub(crate) async fn page() -> Response {
    let mut response = PAGE.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkToken {
    /// The part of the link after `#`.
    token: String,
}

/// Signs in by a link's token, which is used up.
#[utoipa::path(
    post,
    path = "/admin/auth/link",
    tag = "sign-in",
    request_body = LinkToken,
    responses((status = 200, description = "Done", body = Tokens))
)]
pub(crate) async fn sign_in(State(api): State<Arc<Api>>, body: Bytes) -> Result<Response, Refusal> {
    let body: LinkToken = input::json(&body, "token")?;
    let signed_in = sign_in_by_link(&api.gate.app, &body.token).await?;
    Ok(Json(tokens_of(&api, signed_in).await?).into_response())
}
