//! An API as a service: admission before its routes, errors as problems, and an id for each call.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{Next, from_fn_with_state, map_response},
    response::{IntoResponse, Response},
};
use guerdon_app::observe::correlated;
use guerdon_runtime::{headers::protect, problem};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use lambda_http::{RequestExt, request::RequestContext};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{
    access::Route,
    admit::{Guarded, admit},
    gate::Gate,
    input::bad_request,
    output::Refusal,
};

/// Largest body of a write, in bytes.
pub const MAX_BODY: usize = 16 * 1024;

/// Builds the service, in Lambda as on one machine. `handlers` are those of `routes`.
pub fn service(gate: Gate, routes: &'static [Route], handlers: Router) -> Router {
    let cors = cors(&gate);
    let guarded = Arc::new(Guarded { gate, routes });
    let routes = handlers
        .route_layer(from_fn_with_state(guarded.clone(), admit))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .method_not_allowed_fallback(|| async { Refusal(problem::method_not_allowed()) });
    Router::new()
        .merge(routes)
        .fallback(|| async { Refusal(problem::not_found()) })
        .layer(map_response(as_problem))
        .layer(map_response(protected))
        .layer(cors)
        .layer(from_fn_with_state(guarded, correlate))
}

/// Allows calls from a browser by pages of the configured origins.
fn cors(gate: &Gate) -> CorsLayer {
    let own = ["idempotency-key", "x-admin-token", "x-api-key"].map(HeaderName::from_static);
    let shown = ["ratelimit", "ratelimit-policy", "x-request-id", "idempotent-replayed", "x-next-cursor"];
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(gate.origins.clone()))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(
            [header::AUTHORIZATION, header::CONTENT_TYPE].into_iter().chain(own).collect::<Vec<_>>(),
        )
        .expose_headers(shown.map(HeaderName::from_static))
        .max_age(std::time::Duration::from_secs(600))
}

/// Gives each call an id, by which its answer, its log lines and its writes can be found.
async fn correlate(State(guarded): State<Arc<Guarded>>, request: Request, next: Next) -> Response {
    let id = match request.extensions().request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    let fresh = || guarded.gate.app.entropy.nonce().map(|bytes| hex::encode(&bytes[..8])).unwrap_or_default();
    let id = format!("req_{}", id.unwrap_or_else(fresh));
    let mut response = correlated(&id, next.run(request)).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

async fn protected(mut response: Response) -> Response {
    protect(response.headers_mut());
    response
}

/// Converts the framework's own rejections into problems.
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
    response.headers().get(header::CONTENT_TYPE) == Some(&problem::PROBLEM_JSON)
}
