//! The routes.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{Next, from_fn_with_state, map_response},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use guerdon_app::{App, correlated};
use guerdon_domain::TelegramId;
use guerdon_runtime::{problem, secrets::Secrets};
use http::{HeaderValue, StatusCode};
use lambda_http::{RequestExt, request::RequestContext};

use crate::{
    audit, auth, bank, batch, input::bad_request, output::Refusal, payments, program, read, request, sign_in,
    statement, steps, withdrawals, write,
};

/// The largest body of a write.
pub const MAX_BODY: usize = 16 * 1024;

/// What the API needs.
pub struct Desk {
    /// The use cases' context.
    pub app: App,
    /// The deployment's secrets.
    pub secrets: Secrets,
    /// Calls that one credential may make in a minute.
    pub calls_per_minute: u64,
    /// Who becomes the first super admin, by `SUPER_ADMIN_PASSWORD`.
    pub super_admin: Option<TelegramId>,
}

/// The API as a service: the same in Lambda and on one machine.
pub fn router(desk: Desk) -> Router {
    let desk = Arc::new(desk);
    let routes = credits()
        .merge(money())
        .merge(operators())
        .route_layer(from_fn_with_state(desk.clone(), auth::admit))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .method_not_allowed_fallback(|| async { Refusal(problem::method_not_allowed()) })
        .with_state(desk.clone());
    Router::new()
        .merge(routes)
        .fallback(|| async { Refusal(problem::not_found()) })
        .layer(map_response(as_problem))
        .layer(from_fn_with_state(desk, correlate))
}

/// Credit, as the documented API of the `bitten` system has it.
fn credits() -> Router<Arc<Desk>> {
    Router::new()
        .route("/api/admin/credits/stats", get(read::stats))
        .route("/api/admin/credits/top-referrers", get(read::top_referrers))
        .route("/api/admin/credits/user/{user_id}", get(read::user))
        .route("/api/admin/credits/search", get(read::search))
        .route("/api/admin/credits/pending", get(read::pending))
        .route("/api/admin/credits/export", get(read::export))
        .route("/api/admin/credits/apply", post(write::apply))
        .route("/api/admin/credits/revoke", post(write::revoke))
        .route("/api/admin/credits/force-confirm", post(write::force_confirm))
}

/// The program, payments, statements and withdrawals.
fn money() -> Router<Arc<Desk>> {
    Router::new()
        .route("/api/admin/audit", get(audit::list))
        .route("/api/admin/program", get(program::newest).put(program::set))
        .route("/api/admin/program/simulate", post(program::simulate))
        .route("/api/admin/payments", post(bank::record))
        // The rest of the path: a reference may have a slash in it.
        .route("/api/admin/payments/{*payment}", get(payments::explain))
        .route("/api/admin/users/{user_id}/payments", get(payments::of_member))
        .route("/api/admin/users/{user_id}/statement", get(statement::statement))
        .route("/api/admin/users/{user_id}/withdrawals", get(withdrawals::of_member).post(request::ask))
        .route("/api/admin/users/{user_id}/bar", post(write::bar))
        .route("/api/admin/users/{user_id}/unbar", post(write::unbar))
        .route("/api/admin/withdrawals", get(withdrawals::list))
        .route("/api/admin/withdrawals/export", post(batch::export))
        .route("/api/admin/withdrawals/{id}", get(withdrawals::one))
        .route("/api/admin/withdrawals/{id}/{step}", post(steps::step))
}

/// Names each call, so that its answer, its lines and what it wrote can be found by one id.
async fn correlate(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let id = match request.extensions().request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    let fresh = || desk.app.entropy.nonce().map(|bytes| hex::encode(&bytes[..8])).unwrap_or_default();
    let id = format!("req_{}", id.unwrap_or_else(fresh));
    let mut response = correlated(&id, next.run(request)).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// Signing in, and who may.
fn operators() -> Router<Arc<Desk>> {
    Router::new()
        .route("/admin/auth/login", post(sign_in::login))
        .route("/admin/auth/refresh", post(sign_in::refresh))
        .route("/admin/auth/logout", post(sign_in::logout))
        .route("/admin/auth/me", get(sign_in::me))
        .route("/api/admin/operators/{user_id}", put(sign_in::set).delete(sign_in::remove))
}

/// Rejections of the framework's own become problems too.
async fn as_problem(response: Response) -> Response {
    match response.status() {
        StatusCode::PAYLOAD_TOO_LARGE if !is_problem(&response) => {
            Refusal(problem::too_large(MAX_BODY)).into_response()
        }
        StatusCode::BAD_REQUEST if !is_problem(&response) => {
            bad_request("bad_request", "The path or the query cannot be read.").into_response()
        }
        _ => response,
    }
}

fn is_problem(response: &Response) -> bool {
    response.headers().get(http::header::CONTENT_TYPE) == Some(&problem::PROBLEM_JSON)
}
