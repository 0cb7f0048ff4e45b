//! The description of both APIs, and a page that shows it. Everything the page needs comes from here.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

/// Made of the code; a test compares.
const OPENAPI: &str = include_str!("../../../docs/openapi.json");
/// Redoc 2.5 (MIT), as published, compressed.
const REDOC: &[u8] = include_bytes!("../assets/redoc.standalone.js.gz");

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Guerdon API</title>
<style>body { margin: 0 }</style>
</head>
<body>
<redoc spec-url="/openapi.json" disable-search="false" hide-download-button="false"></redoc>
<script src="/docs/redoc.js"></script>
</body>
</html>
"#;

/// The page loads its script from here and nothing from anywhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; worker-src blob:; font-src 'self' data:; frame-ancestors 'none'";

fn cached(kind: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "documentation",
    responses((status = 200, description = "OpenAPI 3.1", body = Object))
)]
pub(crate) async fn openapi() -> Response {
    cached("application/json", OPENAPI)
}

/// A page that shows this document.
#[utoipa::path(
    get,
    path = "/docs",
    tag = "documentation",
    responses((status = 200, description = "A page", body = String, content_type = "text/html"))
)]
pub(crate) async fn page() -> Response {
    let mut response = cached("text/html; charset=utf-8", PAGE);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// The script of the page.
#[utoipa::path(
    get,
    path = "/docs/redoc.js",
    tag = "documentation",
    responses((status = 200, description = "A script, compressed", body = String, content_type = "text/javascript"))
)]
pub(crate) async fn script() -> Response {
    let mut response = cached("text/javascript; charset=utf-8", REDOC);
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}
