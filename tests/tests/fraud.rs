//! Tests of fraud rules over the whole stack: what operators see and decide, and the effects.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_domain::fraud::Fingerprint;
use guerdon_tests::{
    ADMIN_TOKEN, Answer, World,
    lists::{each, to_the_end},
    operators::{ANA, two_operators},
    telegram::{ALICE, BOB, CAROL, Person},
};
use reqwest::Method;
use serde_json::{Value, json};

async fn call(world: &World, method: Method, path: &str, key: Option<&str>, body: &Value) -> Answer {
    let mut headers = vec![("x-admin-token", ADMIN_TOKEN), ("content-type", "application/json")];
    headers.extend(key.map(|key| ("idempotency-key", key)));
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    world.request(method, path, &headers, body).await
}

async fn post(world: &World, path: &str, body: &Value) -> Answer {
    call(world, Method::POST, &format!("/fraud/{path}"), None, body).await
}

async fn done(world: &World, path: &str, body: Value) -> Value {
    let answer = post(world, path, &body).await;
    assert!([200, 201].contains(&answer.status), "{path}: {answer:?}");
    answer.body
}

async fn flags(world: &World, query: &str) -> Vec<Value> {
    let answer = call(world, Method::GET, &format!("/fraud/flags?{query}"), None, &Value::Null).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["items"].as_array().unwrap().clone()
}

async fn set(world: &World, key: &str, value: Value) {
    let path = format!("/settings/{key}");
    let answer = call(world, Method::PUT, &path, None, &json!({ "value": value })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn of(person: Person) -> Value {
    json!(person.id.to_string())
}

async fn held(world: &World, person: Person) -> Value {
    let body = json!({ "user_id": person.id, "reason": "asked by the bank", "action": "hold" });
    done(world, "flags/create", body).await
}

/// Asserts that Alice's page of credit in the bot shows this.
async fn alice_sees(world: &World, expected: &str) {
    let page = world.says(ALICE, "/credits").await;
    assert!(page.contains(expected), "{page}");
}

/// Asserts that Alice is barred, or that she is not.
async fn alice_is_barred(world: &World, barred: bool) {
    assert_eq!(world.admin(&format!("user/{}", ALICE.id)).await["barred"], json!(barred));
}

/// Makes a world in which Bob, whom Alice brought, has paid.
async fn bob_has_paid() -> World {
    let world = World::of("ott").await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    world.bank(BOB, "135.00", "combo", "r-1").await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_flag_holds_is_released_once_it_is_dismissed() {
    let world = bob_has_paid().await;
    let flag = held(&world, ALICE).await;
    assert_eq!((&flag["user_id"], &flag["in_force"]), (&of(ALICE), &json!("hold")));
    assert_eq!(
        (&flag["state"], &flag["explanation"]),
        (&json!("open"), &json!("set by admin: asked by the bank"))
    );
    world.advance(2 * 86_400).await;
    world.run_job("hold-release").await;
    world.drain().await;
    alice_sees(&world, "Available: <b>₹0.00</b>").await;
    let refused = world.says(ALICE, "/withdraw 500 upi asha@okhdfc").await;
    assert!(refused.contains("being looked at"), "{refused}");
    assert_eq!(flags(&world, "").await, std::slice::from_ref(&flag));
    let path = format!("flags/{}/resolve", flag["id"].as_str().unwrap());
    let resolved = done(&world, &path, json!({ "verdict": "dismissed", "note": "it was her bank" })).await;
    assert_eq!((&resolved["in_force"], &resolved["resolved"]["by"]), (&json!("allow"), &json!("admin")));
    alice_sees(&world, "Available: <b>₹28.00</b>").await;
    assert_eq!(flags(&world, "").await, [] as [Value; 0]);
    assert_eq!(flags(&world, "state=resolved").await, [resolved]);
    let trail = world.audit().await;
    for action in ["fraud.flag", "fraud.resolve"] {
        assert_eq!(trail.iter().filter(|(known, _)| known == action).count(), 1, "{trail:?}");
    }
}

/// Asserts that the dashboard lists Alice under this status, or that it does not.
async fn alice_is_listed(world: &World, status: &str, listed: bool) {
    let path = format!("/admin/dashboard/users?status={status}");
    let page = call(world, Method::GET, &path, None, &Value::Null).await.body;
    assert_eq!(each(&page["items"], "user_id").contains(&of(ALICE)), listed, "{status}: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_blocked_earns_nothing_until_they_are_not() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    for person in [BOB, CAROL] {
        world.joins(person, &code).await;
    }
    let path = format!("user/{}", ALICE.id);
    for _ in 0..2 {
        let blocked = done(&world, &format!("{path}/block"), Value::Null).await;
        assert_eq!((&blocked["user_id"], &blocked["blocked"]), (&of(ALICE), &json!(true)));
    }
    assert_eq!(flags(&world, &format!("user_id={}", ALICE.id)).await.len(), 1);
    alice_is_barred(&world, true).await;
    world.drain().await;
    alice_is_listed(&world, "blocked", true).await;
    alice_is_listed(&world, "active", false).await;
    world.pays(BOB, 3900, 3900).await;
    let bar = json!({ "reason": "and by hand" });
    assert_eq!(world.operator_post(&format!("users/{}/bar", ALICE.id), "bar", &bar).await.status, 200);
    let unblocked = done(&world, &format!("{path}/unblock"), json!({ "reason": "a mistake" })).await;
    assert_eq!(unblocked["lifted"].as_array().unwrap().len(), 1, "{unblocked}");
    alice_is_barred(&world, false).await;
    world.pays(CAROL, 3900, 3900).await;
    assert_eq!(world.admin("stats").await["total_credits_issued"], json!(10.0), "Carol's alone");
}

/// Records that Alice, Bob and Carol use one device, for which the rule rejects; returns the device's hash.
async fn one_device_of_three(world: &World) -> Fingerprint {
    let app = world.stack().app();
    let device = Fingerprint::device(&app.pseudonyms, "iphone-of-asha").unwrap();
    for person in [ALICE, BOB, CAROL] {
        world.says(person, "/start").await;
        app.store().sightings().put(&device, &world.member(person), app.now()).await.unwrap();
    }
    set(world, "fraud.shared_device.action", json!("reject")).await;
    device
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_run_now_show_user_ids_and_hashes_and_say_when_they_only_watch() {
    let world = World::new().await;
    let device = one_device_of_three(&world).await;
    set(&world, "fraud.shadow", json!(true)).await;
    let path = format!("user/{}/run-checks", ALICE.id);
    let watched = done(&world, &path, Value::Null).await;
    assert_eq!((&watched["shadow"], &watched["findings"][0]["in_force"]), (&json!(true), &json!("allow")));
    let says = watched["findings"][0]["explanation"].as_str().unwrap();
    assert!(says.ends_with("(in shadow: nothing was done)"), "{says}");
    alice_is_barred(&world, false).await;
    set(&world, "fraud.shadow", Value::Null).await;
    let checked = done(&world, &path, Value::Null).await;
    let [finding] = &checked["findings"].as_array().unwrap()[..] else { panic!("{checked}") };
    assert_eq!((&finding["signal"], &finding["in_force"]), (&json!("shared_device"), &json!("reject")));
    let evidence = &finding["evidence"];
    assert_eq!((&evidence["fingerprint"], &evidence["seen"]), (&json!(device.as_str()), &json!(3)));
    let mut others = evidence["members"].as_array().unwrap().clone();
    others.sort_by_key(Value::to_string);
    assert_eq!(others, [of(BOB), of(CAROL)], "in the order of their ids");
    alice_is_barred(&world, true).await;
    let text = checked.to_string();
    assert!(!text.contains("iphone") && !text.contains(world.member(BOB).as_str()), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_and_a_refund_are_looked_at_when_they_happen() {
    let world = World::new().await;
    set(&world, "fraud.rapid_signups.signups", json!(2)).await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    world.drain().await;
    assert_eq!(flags(&world, "").await.len(), 0);
    world.joins(CAROL, &code).await;
    world.drain().await;
    let [flag] = &flags(&world, "").await[..] else { panic!() };
    assert_eq!((&flag["signal"], &flag["user_id"]), (&json!("rapid_signups"), &of(ALICE)));
}

/// All flags that a query finds, read to the last page; returns their ids.
async fn all_flags(world: &World, query: &str) -> Vec<Value> {
    let page = async |rest: &str| {
        let path = format!("/fraud/flags?{query}limit=3{rest}");
        call(world, Method::GET, &path, None, &Value::Null).await.body
    };
    each(&Value::Array(to_the_end(3, page).await), "id")
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_are_paged_to_the_end_the_latest_first() {
    let world = World::new().await;
    world.says(ALICE, "/start").await;
    let mut raised = Vec::new();
    for n in 0..7 {
        let body = json!({ "user_id": ALICE.id, "reason": format!("reason {n}") });
        raised.insert(0, done(&world, "flags/create", body).await["id"].clone());
        world.advance(1).await;
    }
    assert_eq!(all_flags(&world, "").await, raised);
    raised.sort_by_key(ToString::to_string);
    assert_eq!(all_flags(&world, &format!("user_id={}&", ALICE.id)).await, raised, "a member's, by id");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_under_one_key_happens_once() {
    let world = World::with(two_operators).await;
    world.says(ALICE, "/start").await;
    let body = json!({ "user_id": of(ALICE), "reason": "asked by the bank" });
    let first = call(&world, Method::POST, "/fraud/flags/create", Some("k1"), &body).await;
    assert_eq!(first.status, 201, "{first:?}");
    let again = call(&world, Method::POST, "/fraud/flags/create", Some("k1"), &body).await;
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&first.body, Some("true")));
    let other = json!({ "user_id": of(ALICE), "reason": "another one" });
    let refused = call(&world, Method::POST, "/fraud/flags/create", Some("k1"), &other).await;
    assert_eq!((refused.status, refused.code()), (409, "idempotency_key_reused"));
    assert_eq!(flags(&world, "").await.len(), 1);
    let path = format!("/fraud/flags/{}/resolve", first.body["id"].as_str().unwrap());
    let confirm = json!({ "verdict": "confirmed", "note": "seen it", "user_id": of(ALICE) });
    for _ in 0..2 {
        assert_eq!(call(&world, Method::POST, &path, None, &confirm).await.status, 200);
    }
    let headers = [("x-admin-token", ANA), ("content-type", "application/json")];
    let other = world.request(Method::POST, &path, &headers, confirm.to_string().into_bytes()).await;
    assert_eq!((other.status, other.code()), (409, "already_resolved"));
}

/// A path below `/fraud`, a body, and the status and the code with which they are refused.
type Refused = (String, Value, u16, &'static str);

/// Flags that cannot be created.
fn bad_flags() -> Vec<Refused> {
    let (alice, why) = (of(ALICE), json!("because"));
    let action = |action: &str| json!({ "user_id": alice, "reason": why, "action": action });
    let cases = [
        (Value::Null, 400, "bad_body"),
        (json!({ "reason": why }), 400, "bad_body"),
        (json!({ "user_id": alice }), 400, "bad_reason"),
        (json!({ "user_id": "me", "reason": why }), 400, "bad_user_id"),
        (json!({ "user_id": alice, "reason": "x" }), 400, "bad_reason"),
        (action("allow"), 400, "bad_action"),
        (action("ban"), 400, "bad_action"),
        (action(""), 400, "bad_action"),
        (json!({ "user_id": "99", "reason": why }), 404, "unknown_member"),
    ];
    cases.map(|(body, status, code)| ("flags/create".to_owned(), body, status, code)).into()
}

/// Verdicts that do not resolve `flag`, which is Alice's.
fn bad_verdicts(flag: &str) -> Vec<Refused> {
    let dismissed = json!({ "verdict": "dismissed", "note": "because" });
    let others = json!({ "verdict": "dismissed", "note": "because", "user_id": of(BOB) });
    let of_flag = [
        (Value::Null, 400, "bad_body"),
        (json!({ "note": "because" }), 400, "bad_verdict"),
        (json!({ "verdict": "maybe", "note": "because" }), 400, "bad_verdict"),
        (json!({ "verdict": "dismissed" }), 400, "bad_note"),
        (others, 404, "unknown_flag"),
    ];
    let ids = ["nothing", "no-flag", &flag[..flag.len() - 1], "%23-%23", &"9".repeat(300)];
    let unknown = ids.map(|id| (format!("flags/{id}/resolve"), dismissed.clone(), 404, "unknown_flag"));
    let of_flag = of_flag.map(|(body, status, code)| (format!("flags/{flag}/resolve"), body, status, code));
    of_flag.into_iter().chain(unknown).collect()
}

/// Steps about a member that are refused.
fn bad_steps() -> Vec<Refused> {
    let mut cases = Vec::new();
    for step in ["block", "unblock", "run-checks"] {
        cases.push((format!("user/me/{step}"), Value::Null, 400, "bad_user_id"));
        cases.push((format!("user/99/{step}"), Value::Null, 404, "unknown_member"));
    }
    for step in ["block", "unblock"] {
        let path = format!("user/{}/{step}", ALICE.id);
        cases.push((path.clone(), json!({ "reason": "x" }), 400, "bad_reason"));
        cases.push((path, json!({ "why": "x" }), 400, "bad_body"));
    }
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_one_by_one() {
    let world = World::new().await;
    world.says(ALICE, "/start").await;
    let flag = held(&world, ALICE).await["id"].as_str().unwrap().to_owned();
    let before = flags(&world, "").await;
    for (path, body, status, code) in [bad_flags(), bad_verdicts(&flag), bad_steps()].concat() {
        let answer = post(&world, &path, &body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{path} {body}: {answer:?}");
    }
    for query in ["state=held", "limit=0", "cursor=%21", "user_id=me", "user_id=1&cursor=%21"] {
        let answer = call(&world, Method::GET, &format!("/fraud/flags?{query}"), None, &Value::Null).await;
        assert_eq!(answer.status, 400, "{query}: {answer:?}");
    }
    assert_eq!(flags(&world, "").await, before);
    // The flag's own id is accepted as well as the member's.
    let (_, short) = flag.rsplit_once('-').unwrap();
    let body = json!({ "verdict": "dismissed", "note": "because", "user_id": of(ALICE) });
    let resolved = post(&world, &format!("flags/{short}/resolve"), &body).await;
    assert_eq!((resolved.status, resolved.code()), (200, ""), "{resolved:?}");
}
