//! The list of operators, and the operator who calls.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use guerdon_api::{credentials::Principal, output::Refusal};
use guerdon_app::operators::{Password, remove_operator, set_operator};
use guerdon_domain::operators::Role;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    input::{self, unprocessable},
    state::Api,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OperatorBody {
    #[schema(value_type = String)]
    role: Role,
    password: String,
}

#[derive(Serialize, ToSchema)]
struct Me {
    operator: String,
    #[schema(value_type = String)]
    role: Role,
}

/// The caller, as the audit trail names them.
#[utoipa::path(
    get,
    path = "/admin/auth/me",
    tag = "sign-in",
    responses((status = 200, description = "Done", body = Me))
)]
pub(crate) async fn me(Extension(principal): Extension<Principal>) -> Response {
    Json(Me { role: principal.role(), operator: principal.name.into() }).into_response()
}

/// Makes a Telegram user an operator, or gives an operator another role and password.
#[utoipa::path(
    put,
    path = "/api/admin/operators/{user_id}",
    tag = "sign-in",
    params(("user_id" = String, Path)),
    request_body = OperatorBody,
    responses((status = 200, description = "Done", body = Me))
)]
pub(crate) async fn set(
    State(api): State<Arc<Api>>,
    Extension(principal): Extension<Principal>,
    Path(user_id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let user_id = input::user_id(&user_id)?;
    let body: OperatorBody = input::json(&body, "role and password")?;
    let password = Password::try_new(&body.password, user_id.get())
        .map_err(|weak| unprocessable("weak_password", format!("The password is refused: {weak}.")))?;
    set_operator(&api.gate.app, &principal.name, user_id, body.role, &password).await?;
    let operator = guerdon_app::operators::operator_name(&api.gate.app, &api.gate.app.member_id(user_id));
    Ok(Json(Me { operator: operator.into(), role: body.role }).into_response())
}

/// Takes an operator's access away, at once.
#[utoipa::path(
    delete,
    path = "/api/admin/operators/{user_id}",
    tag = "sign-in",
    params(("user_id" = String, Path)),
    responses((status = 204, description = "Done"))
)]
pub(crate) async fn remove(
    State(api): State<Arc<Api>>,
    Extension(principal): Extension<Principal>,
    Path(user_id): Path<String>,
) -> Result<Response, Refusal> {
    remove_operator(&api.gate.app, &principal.name, input::user_id(&user_id)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
