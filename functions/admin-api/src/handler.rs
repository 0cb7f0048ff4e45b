//! The routes.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn_with_state, map_response},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use guerdon_app::App;
use guerdon_runtime::{problem, secrets::Secrets};
use http::StatusCode;

use crate::{auth, output::Refusal, read, write};

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
}

/// The API as a service: the same in Lambda and on one machine.
pub fn router(desk: Desk) -> Router {
    let desk = Arc::new(desk);
    let credits = Router::new()
        .route("/stats", get(read::stats))
        .route("/top-referrers", get(read::top_referrers))
        .route("/user/{user_id}", get(read::user))
        .route("/search", get(read::search))
        .route("/pending", get(read::pending))
        .route("/export", get(read::export))
        .route("/apply", post(write::apply))
        .route("/revoke", post(write::revoke))
        .route("/force-confirm", post(write::force_confirm))
        .route_layer(from_fn_with_state(desk.clone(), auth::admit))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .method_not_allowed_fallback(|| async { Refusal(problem::method_not_allowed()) })
        .with_state(desk);
    Router::new()
        .nest("/api/admin/credits", credits)
        .fallback(|| async { Refusal(problem::not_found()) })
        .layer(map_response(as_problem))
}

/// Rejections of the framework's own become problems too.
async fn as_problem(response: Response) -> Response {
    match response.status() {
        StatusCode::PAYLOAD_TOO_LARGE if !is_problem(&response) => {
            Refusal(problem::too_large(MAX_BODY)).into_response()
        }
        _ => response,
    }
}

fn is_problem(response: &Response) -> bool {
    response.headers().get(http::header::CONTENT_TYPE) == Some(&problem::PROBLEM_JSON)
}
