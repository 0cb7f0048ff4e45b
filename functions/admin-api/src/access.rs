//! Who may call what: every route is in this list, and one that is not lets nobody in.

use guerdon_domain::Role;
use http::Method;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody: the call brings its own proof, a password or a refresh token.
    Anyone,
    /// An operator of this role or a higher one.
    Operator(Role),
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

const fn anyone(method: &'static str, path: &'static str) -> Route {
    Route { method, path, access: Access::Anyone }
}

const fn admin(method: &'static str, path: &'static str) -> Route {
    Route { method, path, access: Access::Operator(Role::Admin) }
}

const fn super_admin(method: &'static str, path: &'static str) -> Route {
    Route { method, path, access: Access::Operator(Role::SuperAdmin) }
}

/// Every route there is.
pub const ROUTES: &[Route] = &[
    anyone("POST", "/admin/auth/login"),
    anyone("POST", "/admin/auth/refresh"),
    admin("POST", "/admin/auth/logout"),
    admin("GET", "/admin/auth/me"),
    super_admin("PUT", "/api/admin/operators/{user_id}"),
    super_admin("DELETE", "/api/admin/operators/{user_id}"),
    admin("GET", "/api/admin/audit"),
    admin("GET", "/api/admin/credits/stats"),
    admin("GET", "/api/admin/credits/top-referrers"),
    admin("GET", "/api/admin/credits/user/{user_id}"),
    admin("GET", "/api/admin/credits/search"),
    admin("GET", "/api/admin/credits/pending"),
    admin("GET", "/api/admin/credits/export"),
    admin("POST", "/api/admin/credits/apply"),
    admin("POST", "/api/admin/credits/revoke"),
    admin("POST", "/api/admin/credits/force-confirm"),
    admin("GET", "/api/admin/program"),
    super_admin("PUT", "/api/admin/program"),
    admin("POST", "/api/admin/program/simulate"),
    admin("POST", "/api/admin/payments"),
    admin("GET", "/api/admin/payments/{*payment}"),
    admin("GET", "/api/admin/users/{user_id}/payments"),
    admin("GET", "/api/admin/users/{user_id}/statement"),
    admin("GET", "/api/admin/users/{user_id}/withdrawals"),
    admin("POST", "/api/admin/users/{user_id}/withdrawals"),
    admin("POST", "/api/admin/users/{user_id}/bar"),
    admin("POST", "/api/admin/users/{user_id}/unbar"),
    admin("GET", "/api/admin/withdrawals"),
    admin("POST", "/api/admin/withdrawals/export"),
    admin("GET", "/api/admin/withdrawals/{id}"),
    admin("POST", "/api/admin/withdrawals/{id}/{step}"),
];

/// Who may call this, if it is a route.
pub(crate) fn access(method: &Method, path: &str) -> Option<Access> {
    // What answers GET answers HEAD.
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    ROUTES.iter().find(|route| route.method == method && route.path == path).map(|route| route.access)
}
