//! Who may call what: every route is in its API's list, and one that is not lets nobody in.

use guerdon_domain::operators::{Role, Scope};
use http::Method;

/// Who may call a route. Nobody, unless it says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Access {
    /// Anybody. What is named here shares one allowance of calls; an empty name is not counted.
    pub anyone: Option<&'static str>,
    /// Operators of this role or a higher one.
    pub operator: Option<Role>,
    /// Services whose key has this scope.
    pub service: Option<Scope>,
    /// Members, about themselves.
    pub member: bool,
}

/// Anybody; the call brings its own proof, such as a password, and calls share the allowance named.
pub const fn anyone(share: &'static str) -> Access {
    Access { anyone: Some(share), operator: None, service: None, member: false }
}

/// Operators of a role or a higher one.
pub const fn operator(role: Role) -> Access {
    Access { anyone: None, operator: Some(role), service: None, member: false }
}

/// Services with a scope.
pub const fn service(scope: Scope) -> Access {
    Access { anyone: None, operator: None, service: Some(scope), member: false }
}

/// Members, about themselves.
pub const fn member() -> Access {
    Access { anyone: None, operator: None, service: None, member: true }
}

impl Access {
    /// These and operators of a role or a higher one.
    #[must_use]
    pub const fn or_operator(self, role: Role) -> Self {
        Self { operator: Some(role), ..self }
    }

    /// These and members, about themselves.
    #[must_use]
    pub const fn or_member(self) -> Self {
        Self { member: true, ..self }
    }
}

/// A route and who may call it.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path as the router has it.
    pub path: &'static str,
    /// Who.
    pub access: Access,
}

/// Who may call this, if it is a route.
pub(crate) fn access(routes: &[Route], method: &Method, path: &str) -> Option<Access> {
    // What answers GET answers HEAD.
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    routes.iter().find(|route| route.method == method && route.path == path).map(|route| route.access)
}

/// An API's list of routes: `access => method "path" handler;`. Makes `ROUTES`, the list; `handlers()`, its
/// router; and `Document`, its OpenAPI document as the handlers describe it.
#[macro_export]
macro_rules! routes {
    ($state:ty; $($access:expr => $method:ident $path:literal $($handler:ident)::+;)+) => {
        /// Every route there is, and who may call it.
        pub const ROUTES: &[$crate::Route] = &[
            $($crate::Route { method: $crate::method!($method), path: $path, access: $access }),+
        ];

        /// The routes' handlers.
        fn handlers() -> $crate::reexports::axum::Router<$state> {
            $crate::reexports::axum::Router::new()
                $(.route($path, $crate::reexports::axum::routing::$method($($handler)::+)))+
        }

        /// What the routes take and give.
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
