//! The source of a request: the address of its connection, or what a proxy of ours says about it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::Response,
};
use guerdon_runtime::source::Source;
use http::HeaderMap;

/// Addresses of the proxies before this stack. Only their `X-Forwarded-For` counts: anybody can send one.
#[derive(Clone)]
pub(crate) struct Proxies(Arc<[IpAddr]>);

impl Proxies {
    pub(crate) fn new(addresses: &[IpAddr]) -> Self {
        Self(addresses.iter().map(IpAddr::to_canonical).collect())
    }

    fn knows(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Finds the caller's address. Each proxy adds the address that it saw at the end, so the last one that is not a
    /// proxy's is the first that a caller could not make up.
    fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.knows(peer) {
            return peer;
        }
        let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
        let told = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        let mut caller = peer;
        for address in told {
            let Ok(address) = address.trim().parse() else { return caller };
            caller = address;
            if !self.knows(caller) {
                break;
            }
        }
        caller
    }
}

/// Tells the handlers where the request came from.
pub(crate) async fn told_source(
    State(proxies): State<Proxies>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = proxies.caller(peer.ip(), request.headers());
    request.extensions_mut().insert(Source::of_address(caller));
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(peer: &str, told: &[&str], expect: &str) {
        let proxies = Proxies::new(&["127.0.0.1", "10.0.0.2"].map(|address| address.parse().unwrap()));
        let mut headers = HeaderMap::new();
        for line in told {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let caller = proxies.caller(peer.parse().unwrap(), &headers);
        assert_eq!(caller, expect.parse::<IpAddr>().unwrap(), "{peer} {told:?}");
    }

    #[test]
    fn only_a_proxy_of_ours_is_believed() {
        check("203.0.113.7", &["198.51.100.1"], "203.0.113.7");
        check("127.0.0.1", &[], "127.0.0.1");
        check("127.0.0.1", &["203.0.113.7"], "203.0.113.7");
        check("::ffff:127.0.0.1", &["203.0.113.7"], "203.0.113.7");
        check("127.0.0.1", &["203.0.113.7, 10.0.0.2"], "203.0.113.7");
    }

    #[test]
    fn what_the_caller_wrote_before_a_proxy_does_not_count() {
        check("127.0.0.1", &["198.51.100.1, 203.0.113.7"], "203.0.113.7");
        check("127.0.0.1", &["198.51.100.1", "203.0.113.7"], "203.0.113.7");
        check("127.0.0.1", &["x", "203.0.113.7"], "203.0.113.7");
        check("127.0.0.1", &["198.51.100.1, x"], "127.0.0.1");
        check("127.0.0.1", &["198.51.100.1,"], "127.0.0.1");
        check("127.0.0.1", &["198.51.100.1, x, 10.0.0.2"], "10.0.0.2");
    }
}
