//! Signing in by password, and sessions.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use guerdon_api::{credentials::Principal, output::Refusal};
use guerdon_app::operators::{FirstOperator, Password, SignedIn, renew, sign_in, sign_out};
use guerdon_domain::{ids::TelegramId, operators::Role};
use guerdon_runtime::{
    problem::Problem,
    secrets::Secret,
    source::Source,
    tokens::{self, Bearer, LIFETIME_SECONDS},
};
use http::{Extensions, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    input::{self, bad_request},
    state::Api,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials<'a> {
    #[serde(borrow)]
    #[schema(value_type = String)]
    telegram_id: &'a RawValue,
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Renewal {
    refresh_token: String,
}

/// The answer to a sign-in: the fields of RFC 6749, and the role.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    refresh_token: String,
    #[schema(value_type = String)]
    role: Role,
}

/// Signs an operator in by Telegram id and password.
#[utoipa::path(
    post,
    path = "/admin/auth/login",
    tag = "sign-in",
    request_body = Credentials,
    responses((status = 200, description = "Done", body = Tokens))
)]
pub(crate) async fn login(
    State(api): State<Arc<Api>>,
    extensions: Extensions,
    body: Bytes,
) -> Result<Response, Refusal> {
    let body: Credentials<'_> = input::json(&body, "telegram_id and password")?;
    let telegram_id = input::user_id(body.telegram_id.get().trim_matches('"'))?;
    let first = first_operator(&api, telegram_id).await?;
    let (app, source) = (&api.gate.app, Source::of(&extensions));
    let signed_in = sign_in(app, telegram_id, &body.password, source.as_str(), first.as_ref()).await?;
    Ok(Json(tokens_of(&api, signed_in).await?).into_response())
}

/// Goes on with a session. A refresh token is good for one use.
#[utoipa::path(
    post,
    path = "/admin/auth/refresh",
    tag = "sign-in",
    request_body = Renewal,
    responses((status = 200, description = "Done", body = Tokens))
)]
pub(crate) async fn refresh(State(api): State<Arc<Api>>, body: Bytes) -> Result<Response, Refusal> {
    let body: Renewal = input::json(&body, "refresh_token")?;
    let signed_in = renew(&api.gate.app, &body.refresh_token).await?;
    Ok(Json(tokens_of(&api, signed_in).await?).into_response())
}

/// Ends the session; its tokens open nothing any more.
#[utoipa::path(
    post,
    path = "/admin/auth/logout",
    tag = "sign-in",
    responses((status = 204, description = "Done"))
)]
pub(crate) async fn logout(
    State(api): State<Arc<Api>>,
    Extension(principal): Extension<Principal>,
) -> Result<Response, Refusal> {
    let bearer = principal.bearer().ok_or_else(|| {
        bad_request("no_session", "An X-Admin-Token has no session to end; take it out of ADMIN_TOKEN.")
    })?;
    sign_out(&api.gate.app, &bearer.operator, &bearer.session).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(crate) async fn tokens_of(api: &Api, signed_in: SignedIn) -> Result<Tokens, Refusal> {
    let bearer = Bearer { operator: signed_in.operator, session: signed_in.session };
    let access_token =
        tokens::issue(&api.gate.secrets, &bearer, api.gate.app.now()).await.map_err(not_configured)?;
    Ok(Tokens {
        access_token,
        token_type: "bearer",
        expires_in: LIFETIME_SECONDS,
        refresh_token: signed_in.refresh_token,
        role: signed_in.role,
    })
}

/// The configured first operator, when it is the one who signs in.
async fn first_operator(api: &Api, telegram_id: TelegramId) -> Result<Option<FirstOperator>, Refusal> {
    // It is read for every id, so the time does not say whose id it is.
    let password = api.gate.secrets.get(Secret::SuperAdminPassword).await;
    let Some(password) = password.ok().filter(|_| api.super_admin == Some(telegram_id)) else {
        return Ok(None);
    };
    match Password::try_new(&password, telegram_id.get()) {
        Ok(password) => Ok(Some(FirstOperator { telegram_id, password })),
        Err(weak) => Err(not_configured(format!("SUPER_ADMIN_PASSWORD is refused: {weak}"))),
    }
}

fn not_configured(error: impl std::fmt::Display) -> Refusal {
    tracing::error!(%error, "sign-in by password is not configured; rejecting the call");
    let detail = "Signing in by password is not configured here. Nothing was changed.";
    Refusal(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "sign_in_not_configured", "Not configured", detail))
}
