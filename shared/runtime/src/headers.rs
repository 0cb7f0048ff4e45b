//! Headers that every answer over HTTP has.

use http::{HeaderMap, HeaderValue, header};

/// Says that the body is what its `content-type` says, and that nobody keeps it, unless the answer says otherwise:
/// answers hold tokens, links and people's data.
pub fn protect(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
