//! Checks before the routes of one machine: the host that a request is for, and the page that sent it.
//!
//! A browser lets any page send requests to this machine. Two things keep such a page out. A name that was rebound to
//! this machine is no host of ours, so its pages get nothing at all. And `/local` and `/sim`, which have no operator's
//! credential, take no request of a page that they did not serve, and no change without the local token.

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use guerdon_runtime::problem::Problem;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use subtle::ConstantTimeEq;

/// The header that carries the local token.
pub const LOCAL_TOKEN: &str = "x-local-token";

/// Names and token of a stack.
#[derive(Clone)]
pub(crate) struct Guard {
    /// Names under which the stack is reached, besides addresses and `localhost`.
    names: Arc<[String]>,
    token: Arc<str>,
}

impl Guard {
    /// Makes the guard of a stack that is reached by `public_url` too.
    pub(crate) fn new(public_url: Option<&str>, names: &[String], token: &str) -> Self {
        let public = public_url.and_then(|url| url.parse::<Uri>().ok());
        let public = public.as_ref().and_then(Uri::host).map(str::to_ascii_lowercase);
        let names =
            names.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).chain(public).collect();
        Self { names, token: token.into() }
    }

    /// True for a host that no page can rebind: an address, this machine's own name, or a configured name.
    fn knows(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        address.is_ok() || host == "localhost" || host.ends_with(".localhost") || self.names.contains(&host)
    }

    fn refusal(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Problem> {
        let host = text(headers, header::HOST.as_str()).or_else(|| uri.authority().map(|host| host.as_str()));
        let Some(host) = host else {
            return Some(refused(StatusCode::BAD_REQUEST, "no_host", "Send a Host header."));
        };
        if !self.knows(host_of(host)) {
            let detail = "This host is not one of this stack's. Use localhost or an address, or name the host in \
                          GUERDON_PUBLIC_URL or GUERDON_HOSTS.";
            return Some(refused(StatusCode::MISDIRECTED_REQUEST, "unknown_host", detail));
        }
        let path = uri.path();
        let tools = path == "/local" || path.starts_with("/local/");
        let controls = tools || path.starts_with("/sim/api/");
        if (controls || path == "/sim" || path.starts_with("/sim/"))
            && is_foreign(method, path, headers, host)
        {
            let detail = "Pages of other sites may not use this stack's tools.";
            return Some(refused(StatusCode::FORBIDDEN, "foreign_page", detail));
        }
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if controls && !reads { self.change(headers) } else { None }
    }

    /// Refuses a change without the token, or with another body than JSON.
    fn change(&self, headers: &HeaderMap) -> Option<Problem> {
        let sent = text(headers, LOCAL_TOKEN).unwrap_or_default();
        if !bool::from(sent.as_bytes().ct_eq(self.token.as_bytes())) {
            let detail = "Send the header X-Local-Token. The stack prints the token at its start, and keeps it in the \
                          file local-token of its data folder.";
            return Some(refused(StatusCode::UNAUTHORIZED, "no_local_token", detail));
        }
        let kind = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
        let json =
            kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        let empty = text(headers, header::CONTENT_LENGTH.as_str()).is_none_or(|length| length == "0")
            && !headers.contains_key(header::TRANSFER_ENCODING);
        if json || empty {
            return None;
        }
        let detail = "Send JSON, with content-type: application/json.";
        Some(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail))
    }
}

/// True for a request that a browser sends for a page of another site. A person may follow a link to a page from
/// anywhere.
fn is_foreign(method: &Method, path: &str, headers: &HeaderMap, host: &str) -> bool {
    let page = matches!(path, "/sim" | "/sim/" | "/sim/pay");
    let follows = page && *method == Method::GET && text(headers, "sec-fetch-mode") == Some("navigate");
    let foreign_site =
        text(headers, "sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let foreign_origin = text(headers, header::ORIGIN.as_str()).is_some_and(|origin| {
        let of = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        !of.is_some_and(|of| of.eq_ignore_ascii_case(host))
    });
    foreign_origin || (foreign_site && !follows)
}

/// The host without its port.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !host.is_empty() => host,
        _ => authority,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

fn refused(status: StatusCode, code: &'static str, detail: &str) -> Problem {
    Problem::new(status, code, "Refused", detail)
}

pub(crate) async fn guarded(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    match guard.refusal(request.method(), request.uri(), request.headers()) {
        Some(problem) => problem.into_response::<String>().map(Body::from),
        None => next.run(request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "a-token";
    const JSON: (&str, &str) = ("content-type", "application/json");

    fn check(method: &str, path: &str, headers: &[(&str, &str)], expect: &str) {
        let guard = Guard::new(Some("https://pay.example.com/x"), &["box.lan".to_owned()], TOKEN);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        let refusal = guard.refusal(&method.parse().unwrap(), &path.parse().unwrap(), &map);
        assert_eq!(refusal.map_or("", |problem| problem.code), expect, "{method} {path} {headers:?}");
    }

    #[test]
    fn a_rebound_name_gets_nothing() {
        for host in
            ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "?"]
        {
            check("GET", "/local/outbox/1", &[("host", host)], "unknown_host");
            check("POST", "/telegram/webhook", &[("host", host)], "unknown_host");
        }
        check("GET", "/local/clock", &[], "no_host");
        let known = [
            "127.0.0.1:8080",
            "localhost",
            "LOCALHOST.:1",
            "[::1]:8080",
            "192.168.1.7",
            "pay.example.com:443",
        ];
        for host in known.into_iter().chain(["box.lan", "guerdon.localhost:8080"]) {
            check("GET", "/local/clock", &[("host", host)], "");
        }
    }

    #[test]
    fn a_page_of_another_site_gets_nothing_of_the_tools() {
        let host = ("host", "127.0.0.1:8080");
        for origin in ["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8080"] {
            for path in
                ["/local/clock", "/sim/api/stripe/subscribe", "/sim/pay", "/sim/telegram/x/sendMessage"]
            {
                check("POST", path, &[host, JSON, ("origin", origin), (LOCAL_TOKEN, TOKEN)], "foreign_page");
            }
        }
        check("GET", "/local/outbox/1", &[host, ("sec-fetch-site", "cross-site")], "foreign_page");
        let link = [host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        check("GET", "/sim/pay", &link, "");
        check("GET", "/sim/telegram/bot1:x/sendMessage", &link, "foreign_page");
        let own = [host, ("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "same-origin")];
        check("POST", "/sim/pay", &own, "");
        // Members' and operators' APIs have credentials, and say themselves which pages may call.
        check("POST", "/users/create", &[host, ("origin", "https://shop.example")], "");
    }

    #[test]
    fn a_change_needs_the_token_and_json() {
        let host = ("host", "localhost:8080");
        let token = (LOCAL_TOKEN, TOKEN);
        for (method, path) in
            [("POST", "/local/clock"), ("DELETE", "/local/costs"), ("POST", "/sim/api/users")]
        {
            check(method, path, &[host, JSON], "no_local_token");
            check(method, path, &[host, JSON, (LOCAL_TOKEN, "a-tokem")], "no_local_token");
            check(method, path, &[host, JSON, token, ("content-length", "2")], "");
            check(method, path, &[host, token], "");
            let form = ("content-type", "application/x-www-form-urlencoded");
            check(method, path, &[host, form, token, ("content-length", "2")], "not_json");
        }
        // The stand-ins of Stripe and Telegram have credentials of their own.
        check("POST", "/sim/stripe/v1/customers", &[host], "");
        check("GET", "/sim/api/state", &[host], "");
    }
}
