//! The HTTP routes of the cloud, each handing the request to its function's handler.

use std::sync::Arc;

use admin_api::state::Api;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::{Next, from_fn, from_fn_with_state, map_response},
    response::{IntoResponse, Redirect, Response},
    routing::{any, get},
};
use guerdon_runtime::{
    headers::protect,
    http_body::MAX_BODY,
    problem::{Code, Problem, method_not_allowed, too_large},
    source::Source,
};
use http::header;
use lambda_http::Body as LambdaBody;
use stripe_webhook::handler::MAX_EVENT;
use tower::ServiceExt;

use crate::{
    guard::guarded,
    local_routes,
    metrics::{Metrics, measured},
    parts::Parts,
    proxies::told_source,
    server::{Serving, whole},
};

pub(crate) fn router(parts: Arc<Parts>, limits: Serving, metrics: Metrics) -> Router {
    let operators = Api { gate: parts.gate.clone(), super_admin: parts.super_admin };
    let mut router =
        Router::new().route("/telegram/webhook", any(telegram)).route("/api/stripe/webhook", any(stripe));
    // Beside a real token nothing may move the clock or read what was sent.
    if parts.simulates_all {
        router = router.nest("/local", local_routes::router());
    }
    let mut router = router
        .method_not_allowed_fallback(|| async { problem(method_not_allowed()) })
        .with_state(parts.clone());
    match &parts.sim {
        Some(sim) if parts.simulates_all => {
            let front = get(|| async { Redirect::temporary("/sim") });
            router = router.merge(sim.router()).route("/", front);
        }
        Some(sim) => router = router.merge(sim.stand_ins()),
        None => {}
    }
    // The operators' API answers 404 for every path that no other router has.
    let (operators, members) = (
        admin_api::routes::router(operators),
        member_api::routes::router(parts.gate.clone(), parts.bot.username.clone()),
    );
    let router = router.fallback(|request: Request| async move {
        let api = if is_members(request.uri().path()) { members } else { operators };
        api.oneshot(request).await
    });
    router
        .layer(from_fn(move |request, next| whole(limits, request, next)))
        .layer(from_fn_with_state(parts.guard.clone(), guarded))
        .layer(from_fn_with_state(parts.clone(), note_local_token))
        .layer(from_fn_with_state(parts.proxies.clone(), told_source))
        .layer(map_response(protected))
        .layer(from_fn_with_state(metrics, measured))
}

/// Logs that a local token was refused. The functions log what they refuse.
async fn note_local_token(State(parts): State<Arc<Parts>>, request: Request, next: Next) -> Response {
    let source = Source::of(request.extensions());
    let response = next.run(request).await;
    if response.extensions().get() == Some(&Code("no_local_token")) {
        parts.app.authentication_failed("local_token", "no_local_token", source.as_str());
    }
    response
}

/// Paths that the HTTP API of the cloud leads to member-api. A test compares them with the template.
pub const MEMBER_PATHS: [&str; 10] = [
    "/users/",
    "/orders/",
    "/wallet/",
    "/withdrawals/create",
    "/api/members/",
    "/api/referral/",
    "/r/",
    "/openapi.json",
    "/docs",
    "/docs/redoc.js",
];

fn is_members(path: &str) -> bool {
    MEMBER_PATHS
        .iter()
        .any(|known| if known.ends_with('/') { path.starts_with(known) } else { path == *known })
}

async fn protected(mut response: Response) -> Response {
    protect(response.headers_mut());
    response
}

fn problem(problem: Problem) -> Response {
    problem.into_response::<String>().map(Body::from)
}

async fn telegram(State(parts): State<Arc<Parts>>, request: Request) -> Response {
    let request = match to_lambda(request, MAX_BODY).await {
        Ok(request) => request,
        Err(refused) => return problem(refused),
    };
    let update = parts.sim.is_some().then(|| request.body().to_vec());
    let response = telegram_webhook::handler::handle(&parts.bot, request).await;
    if let (Some(sim), Some(update), true) = (&parts.sim, update, response.status().is_success()) {
        // Telegram executes a reply that names a method.
        serde_json::from_slice(&update).iter().for_each(|update| sim.observe_update(update));
        serde_json::from_slice(response.body()).iter().for_each(|reply| sim.record_reply(reply));
    }
    from_lambda(response)
}

async fn stripe(State(parts): State<Arc<Parts>>, request: Request) -> Response {
    match to_lambda(request, MAX_EVENT).await {
        Ok(request) => from_lambda(stripe_webhook::handler::handle(&parts.stripe_webhook, request).await),
        Err(refused) => problem(refused),
    }
}

/// A request as the function sees it behind API Gateway or a Function URL.
pub(crate) async fn to_lambda(request: Request, limit: usize) -> Result<lambda_http::Request, Problem> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, limit).await.map_err(|_| too_large(limit))?;
    Ok(http::Request::from_parts(parts, LambdaBody::Binary(body.to_vec())))
}

fn from_lambda(response: http::Response<LambdaBody>) -> Response {
    let mut response = response.map(|body| Body::from(body.to_vec())).into_response();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}
