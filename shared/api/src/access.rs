//! Access to routes. Every route is in its API's list; a route that is not in the list rejects every call.

use guerdon_domain::operators::{Role, Scope};
use http::Method;

/// The callers that a route accepts; by default none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Access {
    /// Anybody. Each source has one rate limit for all routes with the same name; an empty name is not counted.
    pub anyone: Option<&'static str>,
    /// Operators of this role or a higher one.
    pub operator: Option<Role>,
    /// Services whose key has this scope.
    pub service: Option<Scope>,
    /// Accepts members, about themselves.
    pub member: bool,
}

/// Accepts anybody: the call has its own proof, such as a password. A source's calls share the rate limit that is named.
pub const fn anyone(share: &'static str) -> Access {
    Access { anyone: Some(share), operator: None, service: None, member: false }
}

/// Accepts operators of a role or a higher one.
pub const fn operator(role: Role) -> Access {
    Access { anyone: None, operator: Some(role), service: None, member: false }
}

/// Accepts services with a scope.
pub const fn service(scope: Scope) -> Access {
    Access { anyone: None, operator: None, service: Some(scope), member: false }
}

/// Accepts members, about themselves.
pub const fn member() -> Access {
    Access { anyone: None, operator: None, service: None, member: true }
}

impl Access {
    /// Accepts also operators of a role or a higher one.
    #[must_use]
    pub const fn or_operator(self, role: Role) -> Self {
        Self { operator: Some(role), ..self }
    }

    /// Accepts also members, about themselves.
    #[must_use]
    pub const fn or_member(self) -> Self {
        Self { member: true, ..self }
    }
}

/// A route and the callers that it accepts.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path as the router has it.
    pub path: &'static str,
    /// The callers that it accepts.
    pub access: Access,
}

/// Looks up the callers that a route accepts; none when there is no such route.
pub(crate) fn access(routes: &[Route], method: &Method, path: &str) -> Option<Access> {
    // A route for GET also answers HEAD.
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    routes.iter().find(|route| route.method == method && route.path == path).map(|route| route.access)
}

/// An API's list of routes: `access => method "path" handler;`. It makes `ROUTES`, the list; `handlers()`, the
/// router; and `Document`, the OpenAPI document as the handlers describe it.
#[macro_export]
macro_rules! routes {
    ($state:ty; $($access:expr => $method:ident $path:literal $($handler:ident)::+;)+) => {
        /// All routes, with the callers that they accept.
        pub const ROUTES: &[$crate::access::Route] = &[
            $($crate::access::Route { method: $crate::method!($method), path: $path, access: $access }),+
        ];

        /// The routes' handlers.
        fn handlers() -> $crate::reexports::axum::Router<$state> {
            $crate::reexports::axum::Router::new()
                $(.route($path, $crate::reexports::axum::routing::$method($($handler)::+)))+
        }

        /// The routes' inputs and answers.
        #[derive($crate::reexports::utoipa::OpenApi)]
        #[openapi(paths($($($handler)::+),+))]
        pub struct Document;
    };
}

/// A method's name.
#[doc(hidden)]
#[macro_export]
macro_rules! method {
    (get) => {
        "GET"
    };
    (post) => {
        "POST"
    };
    (put) => {
        "PUT"
    };
    (delete) => {
        "DELETE"
    };
}
