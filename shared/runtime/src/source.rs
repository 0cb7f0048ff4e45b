//! The source of a request: the address that the gateway saw, never one that the caller wrote.

use std::net::{IpAddr, Ipv6Addr};

use http::Extensions;
use lambda_http::request::RequestContext;

/// The network from which a request came, as a name to count it under: an IPv4 address, or the 64 bits of an IPv6
/// address that a provider gives to one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source(String);

impl Source {
    /// Makes the source of an address.
    pub fn of_address(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        })
    }

    /// Finds the source that the one-machine gateway, API Gateway or the Function URL tells. Requests without one share
    /// the source `unknown`.
    pub fn of(extensions: &Extensions) -> Self {
        if let Some(source) = extensions.get::<Self>() {
            return source.clone();
        }
        let told = match extensions.get::<RequestContext>() {
            Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
            _ => None,
        };
        let address = told.and_then(|told| told.parse().ok());
        address.map_or_else(|| Self("unknown".to_owned()), Self::of_address)
    }

    /// Returns the name. It is a person's address: it is counted under, and never logged or stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expect: &str) {
        assert_eq!(Source::of_address(address.parse().unwrap()).as_str(), expect, "{address}");
    }

    #[test]
    fn a_customer_of_a_provider_is_one_source() {
        check("203.0.113.7", "203.0.113.7");
        check("::ffff:203.0.113.7", "203.0.113.7");
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64");
        check("2001:db8:1:2::9", "2001:db8:1:2::/64");
        check("::1", "::/64");
    }

    #[test]
    fn the_gateway_tells_the_source_and_no_header_does() {
        let context = serde_json::json!({
            "version": "2.0", "rawPath": "/", "rawQueryString": "", "isBase64Encoded": false, "routeKey": "$default",
            "headers": { "x-forwarded-for": "198.51.100.1", "forwarded": "for=198.51.100.1" },
            "requestContext": {
                "accountId": "1", "apiId": "a", "stage": "$default", "routeKey": "$default", "requestId": "r",
                "domainName": "d", "domainPrefix": "d", "time": "t", "timeEpoch": 1,
                "http": { "method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7",
                          "userAgent": "x" },
            },
        });
        let request = lambda_http::request::from_str(&context.to_string()).unwrap();
        assert_eq!(Source::of(request.extensions()).as_str(), "203.0.113.7");
        assert_eq!(Source::of(&Extensions::new()).as_str(), "unknown");
    }
}
