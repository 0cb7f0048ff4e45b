//! The OpenAPI document, completed from the list of routes: access, and the problems that every route may answer
//! with.

use utoipa::{
    ToSchema,
    openapi::{
        ComponentsBuilder, Content, HttpMethod, OpenApi, Ref, RefOr, Required, ResponseBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, Type},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::access::{Access, Route};

/// A problem (RFC 9457), with a stable `code`.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "it describes what `guerdon_runtime::problem::Problem` writes")]
struct ProblemBody {
    /// HTTP status.
    status: u16,
    /// Stable machine-readable code.
    code: String,
    /// Title of this kind of problem.
    title: String,
    /// Explanation of this case, and what the caller can do.
    detail: String,
}

const SCHEMES: [&str; 4] = ["admin_token", "operator", "service_key", "member_token"];

/// Completes `document` from `routes`.
pub fn complete(document: &mut OpenApi, routes: &[Route]) {
    for route in routes {
        let path = route.path.replace("{*", "{");
        let Some(item) = document.paths.paths.get_mut(&path) else { continue };
        let method = match route.method {
            "POST" => HttpMethod::Post,
            "PUT" => HttpMethod::Put,
            "DELETE" => HttpMethod::Delete,
            _ => HttpMethod::Get,
        };
        let operation = match method {
            HttpMethod::Post => &mut item.post,
            HttpMethod::Put => &mut item.put,
            HttpMethod::Delete => &mut item.delete,
            _ => &mut item.get,
        };
        if let Some(operation) = operation {
            operation.operation_id = Some(name_of(route));
            secure(operation, route.access);
            answer(operation, route);
        }
    }
    let parts = document.components.take().unwrap_or_default();
    let mut parts = ComponentsBuilder::from(parts).schema_from::<ProblemBody>();
    for (name, scheme) in SCHEMES.into_iter().zip(schemes()) {
        parts = parts.security_scheme(name, scheme);
    }
    document.components = Some(parts.build());
}

/// Names each route, such as `post_users_create`. Generated clients use it as the name of their function.
fn name_of(route: &Route) -> String {
    let words = route.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let method = route.method.to_ascii_lowercase();
    std::iter::once(method.as_str()).chain(words).collect::<Vec<_>>().join("_")
}

fn schemes() -> [SecurityScheme; 4] {
    let bearer = |about: &str| {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(about));
        SecurityScheme::Http(scheme.build())
    };
    let token = ApiKeyValue::with_description("X-Admin-Token", "A token of ADMIN_TOKEN; a super admin's.");
    [
        SecurityScheme::ApiKey(ApiKey::Header(token)),
        bearer("An operator's access token, from POST /admin/auth/login."),
        bearer("A service's key, `gsk_...`. Also as X-Api-Key, or as the user name or password of Basic."),
        bearer("A member's token, which a service gets from POST /api/members/{user_id}/token."),
    ]
}

fn secure(operation: &mut Operation, access: Access) {
    let none: [&str; 0] = [];
    let mut ways = Vec::new();
    if let Some(role) = access.operator {
        ways.push(SecurityRequirement::new("admin_token", none));
        ways.push(SecurityRequirement::new("operator", [role.as_str()]));
    }
    if let Some(scope) = access.service {
        ways.push(SecurityRequirement::new("service_key", [scope.as_str()]));
    }
    if access.member {
        ways.push(SecurityRequirement::new("member_token", none));
    }
    operation.security = Some(ways);
}

/// Adds the problems of admission and of the framework; a route's own problems are declared at its handler.
fn answer(operation: &mut Operation, route: &Route) {
    let mut problems = vec![("400", "The request cannot be read."), ("503", "Try again in a moment.")];
    if route.access.anyone != Some("") {
        problems.push(("401", "No credential, or one that is not in force."));
    }
    if route.access.anyone != Some("") {
        problems.push((
            "429",
            "Too many calls, or too soon after the last time; `Retry-After` says when to try again.",
        ));
    }
    if route.access.anyone.is_none() {
        problems.push(("403", "The credential is not for this."));
    }
    if route.path.contains('{') {
        problems.push(("404", "There is nothing of this id."));
    }
    if route.method != "GET" {
        problems.push(("404", "Something that the call names does not exist."));
        problems.push(("409", "It cannot be as things stand, or the key was used for another input."));
        problems.push(("422", "Well formed, and yet it cannot be."));
        problems.push(("413", "The body is larger than 16 KiB."));
        let takes_key = operation
            .parameters
            .iter()
            .flatten()
            .any(|known| matches!(known, RefOr::T(known) if known.name == "Idempotency-Key"));
        if !takes_key && route.access.anyone.is_none() {
            operation.parameters.get_or_insert_default().push(RefOr::T(idempotency_key()));
        }
    }
    for (status, about) in problems {
        let known = operation.responses.responses.entry(status.to_owned());
        known.or_insert_with(|| RefOr::T(ResponseBuilder::new().description(about).build()));
    }
    for (status, response) in &mut operation.responses.responses {
        let is_problem = status.starts_with('4') || status.starts_with('5');
        if let (true, RefOr::T(response)) = (is_problem, response) {
            let body = Content::new(Some(Ref::from_schema_name("Problem")));
            response.content.insert("application/problem+json".to_owned(), RefOr::T(body));
        }
    }
}

fn idempotency_key() -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(128));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Repeat it to repeat the call: it is done once and answered alike."))
        .schema(Some(text.pattern(Some("^[!-\"$-~]+$"))))
        .build()
}
