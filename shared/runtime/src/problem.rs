//! Errors over HTTP: RFC 9457 problem details with a stable `code`.

use http::{Response, StatusCode, header};
use serde::Serialize;

/// A problem, explained to the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable machine-readable code.
    pub code: &'static str,
    /// Title of this kind of problem.
    pub title: &'static str,
    /// Explanation of this case, and what the caller can do.
    pub detail: String,
    /// Time for the next try, as an HTTP date: the header `Retry-After`.
    #[serde(skip)]
    pub retry_at: Option<String>,
}

impl Problem {
    /// Makes a problem.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self { status: status.as_u16(), code, title, detail: detail.into(), retry_at: None }
    }

    /// Adds the time for the next try.
    pub fn again_at(self, http_date: String) -> Self {
        Self { retry_at: Some(http_date), ..self }
    }

    /// The body as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }

    /// Builds the response.
    pub fn into_response<B: From<String>>(self) -> Response<B> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = Response::new(B::from(self.to_json()));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, PROBLEM_JSON);
        response.extensions_mut().insert(Code(self.code));
        if let Some(at) = self.retry_at.and_then(|at| http::HeaderValue::from_str(&at).ok()) {
            response.headers_mut().insert(header::RETRY_AFTER, at);
        }
        response
    }
}

/// The problem's code, kept with the response for whoever logs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(pub &'static str);

/// `application/problem+json`.
pub const PROBLEM_JSON: http::HeaderValue = http::HeaderValue::from_static("application/problem+json");

/// 401: no credential, or a wrong one.
pub fn unauthorized(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "Not authenticated", detail)
}

/// 404: no such route.
pub fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "No such resource", "There is nothing at this path.")
}

/// 405: another method is needed.
pub fn method_not_allowed() -> Problem {
    let detail = "This path does not take this method.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed", detail)
}

/// 413: the body is too large.
pub fn too_large(limit: usize) -> Problem {
    let detail = format!("The body is larger than {limit} bytes.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "Body too large", detail)
}

/// 503: a service that we need did not answer; the caller can try again.
pub fn unavailable() -> Problem {
    let detail = "Something this needs did not answer. Nothing is lost by trying again in a moment.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Try again", detail)
}

/// 500: an error of ours.
pub fn internal() -> Problem {
    let detail = "This is our fault. It has been logged under the request's id.";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
}
