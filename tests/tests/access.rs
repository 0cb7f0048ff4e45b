//! Tests of access: every route is called without a credential, with each wrong one, and with the right one.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_api::access::{Access, Route};
use guerdon_domain::{
    ids::TelegramId,
    operators::{Role, Scope},
};
use guerdon_runtime::secrets::Secret;
use guerdon_tests::{ADMIN_TOKEN, Answer, World, telegram::Person};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const BOSS: i64 = 700_000_001;
const CLERK: i64 = 700_000_002;
const BOSS_PASSWORD: &str = "elephant-Moon7";
const CLERK_PASSWORD: &str = "kettle:Drum42x";

async fn office() -> World {
    World::with(|config| {
        config.super_admin = Some(TelegramId::try_new(BOSS).unwrap());
        config.secrets.insert(Secret::SuperAdminPassword.variable(), BOSS_PASSWORD.to_owned());
    })
    .await
}

async fn post(world: &World, path: &str, bearer: Option<&str>, body: &Value) -> Answer {
    let authorization = bearer.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(authorization.as_deref().map(|value| ("authorization", value)));
    world.request(Method::POST, path, &headers, body.to_string().into_bytes()).await
}

async fn login(world: &World, id: i64, password: &str) -> Answer {
    post(world, "/admin/auth/login", None, &json!({ "telegram_id": id, "password": password })).await
}

fn token(answer: &Answer, name: &str) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body[name].as_str().unwrap().to_owned()
}

/// Signs in the boss, who makes the clerk an operator, and then the clerk; returns both access tokens.
async fn staff(world: &World) -> (String, String) {
    let boss = token(&login(world, BOSS, BOSS_PASSWORD).await, "access_token");
    let body = json!({ "role": "admin", "password": CLERK_PASSWORD });
    let made = with(world, Method::PUT, &format!("/api/admin/operators/{CLERK}"), &boss, &body).await;
    assert_eq!((made.status, &made.body["role"]), (200, &json!("admin")), "{made:?}");
    let clerk = login(world, CLERK, CLERK_PASSWORD).await;
    assert_eq!(clerk.body["role"], "admin");
    (boss, token(&clerk, "access_token"))
}

async fn with(world: &World, method: Method, path: &str, bearer: &str, body: &Value) -> Answer {
    let authorization = format!("Bearer {bearer}");
    let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
    world.request(method, path, &headers, body.to_string().into_bytes()).await
}

/// The route's path with a value for each parameter.
fn concrete(route: &Route) -> (Method, String) {
    let path = route.path.replace("{*payment}", "stripe:in_1").replace("{user_id}", "42");
    let path = path.replace("{id}", "unknown-1").replace("{step}", "approve").replace("{order_id}", "ord_1");
    let path = path.replace("{key}", "unknown");
    (route.method.parse().unwrap(), path)
}

async fn call(world: &World, route: &Route, headers: &[(&str, &str)]) -> Answer {
    let (method, path) = concrete(route);
    world.request(method, &path, headers, Vec::new()).await
}

/// Asserts that the call was accepted: the answer is the route's own, whatever it is.
fn is_in(answer: &Answer, what: &str) {
    assert!(![401, 403, 405].contains(&answer.status), "{what}: {answer:?}");
    assert_ne!(answer.code(), "not_found", "{what}");
}

fn all_routes() -> impl Iterator<Item = Route> {
    let lists = [admin_api::routes::ROUTES, member_api::routes::ROUTES];
    lists.into_iter().flatten().copied()
}

/// The kinds of callers with a valid credential, each with the access that accepts it.
async fn callers(world: &World) -> Vec<(&'static str, String, fn(&Access) -> bool)> {
    // A new sign-in for each route, because one of them ends the session.
    let bearer = async |id, password| token(&login(world, id, password).await, "access_token");
    let shop = world.shop().await;
    let member = world.member_token(&shop, 42).await;
    vec![
        ("super admin", bearer(BOSS, BOSS_PASSWORD).await, |access| access.operator.is_some()),
        ("admin", bearer(CLERK, CLERK_PASSWORD).await, |access| access.operator == Some(Role::Admin)),
        ("service", shop, |access| access.service.is_some()),
        ("member", member, |access| access.member),
    ]
}

/// Headers of one request.
type Headers = Vec<(&'static str, String)>;

/// Every wrong credential: none, empty, of another kind, of an ended session, cut off, or one besides another.
async fn wrong_credentials(world: &World, boss: &str) -> Vec<Headers> {
    let ended = token(&login(world, CLERK, CLERK_PASSWORD).await, "access_token");
    assert_eq!(post(world, "/admin/auth/logout", Some(&ended), &json!({})).await.status, 204);
    let shop = world.shop().await;
    let cut = format!("Bearer {}", &boss[..boss.len() - 3]);
    let token = ("x-admin-token", ADMIN_TOKEN.to_owned());
    let authorization = |value: String| vec![("authorization", value)];
    vec![
        vec![],
        vec![("x-admin-token", String::new())],
        vec![("x-admin-token", "wrong".to_owned())],
        vec![("x-api-key", String::new())],
        vec![("x-api-key", ADMIN_TOKEN.to_owned())],
        authorization(String::new()),
        authorization(ADMIN_TOKEN.to_owned()),
        authorization("Bearer ".to_owned()),
        authorization("Basic Z3NrXzEyMzQ6".to_owned()),
        authorization(format!("Bearer {ended}")),
        authorization(cut.clone()),
        authorization(format!("Bearer {}", &shop[..shop.len() - 1])),
        // Two credentials are refused even if one is valid: the caller would be ambiguous.
        vec![("authorization", cut), token.clone()],
        vec![("authorization", format!("Bearer {shop}")), token],
    ]
}

/// Asserts that a route accepts those that its access names, and refuses every other caller.
async fn opens_to_its_own(world: &World, route: &Route, what: &str) {
    if route.access.operator.is_some() {
        is_in(&call(world, route, &[("x-admin-token", ADMIN_TOKEN)]).await, what);
    }
    for (who, bearer, enters) in callers(world).await {
        let bearer = format!("Bearer {bearer}");
        let answer = call(world, route, &[("authorization", &bearer)]).await;
        // A member is accepted by the route and then refused, because the record belongs to another member.
        let shut = answer.status == 403 && answer.code() == "forbidden";
        assert_eq!(!shut, enters(&route.access), "{what} by {who}: {answer:?}");
        if !shut && answer.code() != "not_yours" {
            is_in(&answer, what);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_accepts_the_callers_it_lists_and_no_others() {
    let world = office().await;
    let (boss, _) = staff(&world).await;
    let wrong = wrong_credentials(&world, &boss).await;
    for route in &all_routes().collect::<Vec<_>>() {
        let (method, path) = concrete(route);
        let what = format!("{method} {path}");
        if route.access.anyone.is_some() {
            let answer = call(&world, route, &[]).await;
            assert!(![401, 403].contains(&answer.status) && answer.status < 500, "{what}: {answer:?}");
            continue;
        }
        for headers in &wrong {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = call(&world, route, &headers).await;
            assert_eq!((answer.status, answer.code()), (401, "unauthorized"), "{what} {headers:?}");
        }
        opens_to_its_own(&world, route, &what).await;
    }
}

/// A key with all other scopes is refused where this one is needed.
#[tokio::test(flavor = "multi_thread")]
async fn a_scope_is_needed_and_not_any_scope() {
    let world = office().await;
    for route in all_routes() {
        let Some(needed) = route.access.service else { continue };
        let others = Scope::ALL.into_iter().filter(|scope| *scope != needed).map(Scope::as_str);
        let key = format!("Bearer {}", world.service_key(&others.collect::<Vec<_>>()).await);
        let answer = call(&world, &route, &[("authorization", &key)]).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{} {}", route.method, route.path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_guesses_at_once_are_five() {
    let world = office().await;
    login(&world, BOSS, BOSS_PASSWORD).await;
    let guess = async |n: usize| login(&world, BOSS, &format!("guess number {n}")).await.code().to_owned();
    let codes = futures::future::join_all((0..60).map(guess)).await;
    let wrong = codes.iter().filter(|code| *code == "wrong_credentials").count();
    assert!(wrong < 5, "{wrong} looked at besides the one that locked");
    let right = login(&world, BOSS, BOSS_PASSWORD).await;
    assert_eq!((right.status, right.code()), (429, "locked"), "not even the right one");
    assert!(right.header("retry-after").is_some_and(|at| at.ends_with(" GMT")), "{right:?}");
    world.advance(15 * 60).await;
    assert_eq!(login(&world, BOSS, BOSS_PASSWORD).await.status, 200);
    for n in 0..4 {
        assert_eq!(login(&world, BOSS, &format!("wrong again {n}")).await.code(), "wrong_credentials");
    }
    assert_eq!(login(&world, BOSS, BOSS_PASSWORD).await.status, 200, "the count starts anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_good_once_and_using_it_twice_ends_the_session() {
    let world = office().await;
    let first = login(&world, BOSS, BOSS_PASSWORD).await;
    let (access, used) = (token(&first, "access_token"), token(&first, "refresh_token"));
    let renew = async |refresh: &str| {
        post(&world, "/admin/auth/refresh", None, &json!({ "refresh_token": refresh })).await
    };
    let second = renew(&used).await;
    let (next, newest) = (token(&second, "access_token"), token(&second, "refresh_token"));
    let me = async |bearer: &str| with(&world, Method::GET, "/admin/auth/me", bearer, &Value::Null).await;
    assert_eq!(me(&access).await.body["role"], "super_admin");
    world.advance(15 * 60).await;
    assert_eq!(me(&access).await.status, 401, "an access token lasts a quarter of an hour");
    assert_eq!(me(&next).await.status, 401);
    let third = renew(&newest).await;
    let (access, newest) = (token(&third, "access_token"), token(&third, "refresh_token"));
    assert_eq!(me(&access).await.status, 200);
    assert_eq!(renew(&used).await.code(), "wrong_credentials", "used before");
    assert_eq!(me(&access).await.status, 401, "the session has ended for all its tokens");
    assert_eq!(renew(&newest).await.code(), "wrong_credentials");
    let fresh = token(&login(&world, BOSS, BOSS_PASSWORD).await, "refresh_token");
    world.advance(12 * 3600).await;
    assert_eq!(renew(&fresh).await.code(), "wrong_credentials", "half a day is the most");
}

/// The path of the clerk as an operator.
fn clerks_path() -> String {
    format!("/api/admin/operators/{CLERK}")
}

/// The status with which the statistics answer to a bearer.
async fn sees_stats(world: &World, bearer: &str) -> u16 {
    with(world, Method::GET, "/api/admin/credits/stats", bearer, &Value::Null).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_come_and_go() {
    let world = office().await;
    let (boss, clerk) = staff(&world).await;
    assert_eq!(sees_stats(&world, &clerk).await, 200);
    let body = json!({ "role": "admin", "password": "another:Lamp9" });
    assert_eq!(with(&world, Method::PUT, &clerks_path(), &boss, &body).await.status, 200);
    assert_eq!(sees_stats(&world, &clerk).await, 401, "a new password ends the sessions of the old one");
    assert_eq!(login(&world, CLERK, CLERK_PASSWORD).await.code(), "wrong_credentials");
    let clerk = token(&login(&world, CLERK, "another:Lamp9").await, "access_token");
    let remove = async |id: i64| {
        with(&world, Method::DELETE, &format!("/api/admin/operators/{id}"), &boss, &Value::Null).await
    };
    assert_eq!(remove(BOSS).await.code(), "not_yourself");
    assert_eq!(remove(CLERK).await.status, 204);
    assert_eq!((sees_stats(&world, &clerk).await, sees_stats(&world, &boss).await), (401, 200));
    assert_eq!(remove(CLERK).await.code(), "unknown_operator");
    let actions: Vec<_> = world.audit().await.into_iter().map(|(action, _)| action).collect();
    for action in ["operator.created", "operator.signed_in", "operator.set", "operator.removed"] {
        assert!(actions.iter().any(|found| found == action), "{action}: {actions:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_operator_is_refused_and_changes_nothing() {
    let world = office().await;
    let (boss, clerk) = staff(&world).await;
    for (body, code) in [
        (json!({ "role": "admin", "password": "password1234" }), "weak_password"),
        (json!({ "role": "owner", "password": CLERK_PASSWORD }), "bad_body"),
        (json!({ "role": "admin" }), "bad_body"),
    ] {
        assert_eq!(with(&world, Method::PUT, &clerks_path(), &boss, &body).await.code(), code);
    }
    assert_eq!(sees_stats(&world, &clerk).await, 200, "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_first_operator_every_sign_in_is_refused() {
    let world = World::new().await;
    let strangers = login(&world, BOSS, BOSS_PASSWORD).await;
    assert_eq!((strangers.status, strangers.code()), (401, "wrong_credentials"));
    let weak = World::with(|config| {
        config.super_admin = Some(TelegramId::try_new(BOSS).unwrap());
        config.secrets.insert(Secret::SuperAdminPassword.variable(), "password1234".to_owned());
    })
    .await;
    let refused = login(&weak, BOSS, "password1234").await;
    assert_eq!((refused.status, refused.code()), (503, "sign_in_not_configured"), "refused when weak");
    for body in [json!({}), json!({ "telegram_id": "x", "password": "y" }), json!([])] {
        assert_eq!(post(&world, "/admin/auth/login", None, &body).await.status, 400, "{body}");
    }
}

/// Asks the bot for a link as the clerk; returns the link's token.
async fn link(world: &World) -> String {
    world.says(Person { id: CLERK, name: "Clerk" }, "/admin").await;
    let sent = world.outbox(CLERK).await.pop().unwrap();
    let button = &sent["payload"]["reply_markup"]["inline_keyboard"][0][0];
    let (page, token) = button["url"].as_str().unwrap().split_once('#').unwrap();
    assert!(page.ends_with("/admin/auth/link"), "{button}");
    token.to_owned()
}

async fn by_link(world: &World, token: &str) -> Answer {
    post(world, "/admin/auth/link", None, &json!({ "token": token })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_gives_operators_a_link_that_opens_once() {
    let world = office().await;
    staff(&world).await;
    let stranger = world.says(Person { id: 700_000_009, name: "Eve" }, "/admin").await;
    assert!(stranger.contains("I don't know that"), "{stranger}");
    let first = link(&world).await;
    assert_eq!(world.get("/admin/auth/link").await.status, 200, "looking at the page uses nothing up");
    let tries = futures::future::join_all((0..8).map(|_| by_link(&world, &first))).await;
    let opened: Vec<_> = tries.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!((opened.len(), &opened[0].body["role"]), (1, &json!("admin")));
    let access = token(opened[0], "access_token");
    assert_eq!(with(&world, Method::GET, "/admin/auth/me", &access, &Value::Null).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_link_allows_its_own_script() {
    let world = office().await;
    let page = world.get("/admin/auth/link").await;
    let html = page.body.as_str().unwrap();
    let script = html.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
    let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, Sha256::digest(script));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains(&format!("script-src 'sha256-{hash}'")), "{policy}: its script may run");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_after_ten_minutes_and_with_a_new_password() {
    let world = office().await;
    let (boss, _) = staff(&world).await;
    let late = link(&world).await;
    world.advance(10 * 60).await;
    assert_eq!(by_link(&world, &late).await.code(), "wrong_credentials", "ten minutes");
    let old = link(&world).await;
    let body = json!({ "role": "admin", "password": "another:Lamp9" });
    assert_eq!(with(&world, Method::PUT, &clerks_path(), &boss, &body).await.status, 200);
    let refused = by_link(&world, &old).await;
    assert_eq!(refused.code(), "wrong_credentials", "made before the password was changed");
    for bad in ["", "x", "a.b.c", &format!("{late}x")] {
        assert_eq!(by_link(&world, bad).await.code(), "wrong_credentials", "{bad}");
    }
}

/// What anybody may see and keep.
const DOCUMENTATION: [&str; 3] = ["/docs", "/openapi.json", "/docs/redoc.js"];

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_kept_or_taken_for_something_else() {
    let world = office().await;
    let (boss, _) = staff(&world).await;
    let shop = world.shop().await;
    let key = json!({ "name": "x", "scopes": ["users:read"] });
    let mut answers = vec![
        login(&world, BOSS, BOSS_PASSWORD).await,
        by_link(&world, &link(&world).await).await,
        post(&world, "/api/admin/service-keys", Some(&boss), &key).await,
        post(&world, "/api/members/42/token", Some(&shop), &json!({})).await,
        post(&world, "/telegram/webhook", None, &json!({})).await,
        post(&world, "/api/stripe/webhook", None, &json!({})).await,
    ];
    for path in ["/admin/auth/link", "/nowhere", "/local/outbox/1", "/sim", "/r/ZZZZZZZZ"] {
        answers.push(world.get(path).await);
    }
    for route in all_routes().filter(|route| !DOCUMENTATION.contains(&route.path)) {
        answers.push(call(&world, &route, &[("x-admin-token", ADMIN_TOKEN)]).await);
    }
    for answer in &answers {
        let kept = (answer.header("x-content-type-options"), answer.header("cache-control"));
        assert_eq!(kept, (Some("nosniff"), Some("no-store")), "{answer:?}");
    }
    for path in DOCUMENTATION {
        assert_eq!(world.get(path).await.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
}
