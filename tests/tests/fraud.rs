//! Tests of fraud rules over the whole stack: what operators see and decide, and the effects.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_domain::fraud::Fingerprint;
use guerdon_tests::{
    ADMIN_TOKEN, Answer, World,
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

#[tokio::test(flavor = "multi_thread")]
async fn what_a_flag_holds_is_released_once_it_is_dismissed() {
    let world = World::of("ott").await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    world.bank(BOB, "135.00", "combo", "r-1").await;
    let flag = held(&world, ALICE).await;
    assert_eq!(
        (&flag["user_id"], &flag["in_force"], &flag["state"]),
        (&of(ALICE), &json!("hold"), &json!("open"))
    );
    assert_eq!(flag["explanation"], "set by admin: asked by the bank");
    world.advance(2 * 86_400).await;
    world.run_job("hold-release").await;
    world.drain().await;
    let page = world.says(ALICE, "/credits").await;
    assert!(page.contains("Available: <b>₹0.00</b>"), "{page}");
    let refused = world.says(ALICE, "/withdraw 500 upi asha@okhdfc").await;
    assert!(refused.contains("being looked at"), "{refused}");
    assert_eq!(flags(&world, "").await, std::slice::from_ref(&flag));
    let path = format!("flags/{}/resolve", flag["id"].as_str().unwrap());
    let resolved = done(&world, &path, json!({ "verdict": "dismissed", "note": "it was her bank" })).await;
    assert_eq!((&resolved["in_force"], &resolved["resolved"]["by"]), (&json!("allow"), &json!("admin")));
    let page = world.says(ALICE, "/credits").await;
    assert!(page.contains("Available: <b>₹28.00</b>"), "{page}");
    assert_eq!(flags(&world, "").await, [] as [Value; 0]);
    assert_eq!(flags(&world, "state=resolved").await, [resolved]);
    let actions: Vec<_> = world.audit().await.into_iter().map(|(action, _)| action).collect();
    for action in ["fraud.flag", "fraud.resolve"] {
        assert_eq!(actions.iter().filter(|known| *known == action).count(), 1, "{actions:?}");
    }
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
    assert_eq!(world.admin(&format!("user/{}", ALICE.id)).await["barred"], json!(true));
    world.drain().await;
    for (status, listed) in [("blocked", true), ("active", false)] {
        let headers = [("x-admin-token", guerdon_tests::ADMIN_TOKEN)];
        let path = format!("/admin/dashboard/users?status={status}");
        let page = world.request(reqwest::Method::GET, &path, &headers, Vec::new()).await.body;
        let users = page["items"].as_array().unwrap();
        assert_eq!(users.iter().any(|user| user["user_id"] == of(ALICE)), listed, "{status}: {page}");
    }
    world.pays(BOB, 3900, 3900).await;
    let bar = json!({ "reason": "and by hand" });
    assert_eq!(world.operator_post(&format!("users/{}/bar", ALICE.id), "bar", &bar).await.status, 200);
    let unblocked = done(&world, &format!("{path}/unblock"), json!({ "reason": "a mistake" })).await;
    assert_eq!(unblocked["lifted"].as_array().unwrap().len(), 1, "{unblocked}");
    assert_eq!(world.admin(&format!("user/{}", ALICE.id)).await["barred"], json!(false));
    world.pays(CAROL, 3900, 3900).await;
    assert_eq!(world.admin("stats").await["total_credits_issued"], json!(10.0), "Carol's alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_run_now_show_user_ids_and_hashes_and_say_when_they_only_watch() {
    let world = World::new().await;
    let app = world.stack().app();
    let device = Fingerprint::device(&app.pseudonyms, "iphone-of-asha").unwrap();
    for person in [ALICE, BOB, CAROL] {
        world.says(person, "/start").await;
        app.store().sightings().put(&device, &world.member(person), app.now()).await.unwrap();
    }
    set(&world, "fraud.shadow", json!(true)).await;
    set(&world, "fraud.shared_device.action", json!("reject")).await;
    let path = format!("user/{}/run-checks", ALICE.id);
    let watched = done(&world, &path, Value::Null).await;
    assert_eq!((&watched["shadow"], &watched["findings"][0]["in_force"]), (&json!(true), &json!("allow")));
    let says = watched["findings"][0]["explanation"].as_str().unwrap();
    assert!(says.ends_with("(in shadow: nothing was done)"), "{says}");
    assert_eq!(world.admin(&format!("user/{}", ALICE.id)).await["barred"], json!(false));
    set(&world, "fraud.shadow", Value::Null).await;
    let checked = done(&world, &path, Value::Null).await;
    let [finding] = &checked["findings"].as_array().unwrap()[..] else { panic!("{checked}") };
    assert_eq!((&finding["signal"], &finding["in_force"]), (&json!("shared_device"), &json!("reject")));
    let evidence = &finding["evidence"];
    assert_eq!((&evidence["fingerprint"], &evidence["seen"]), (&json!(device.as_str()), &json!(3)));
    let mut others: Vec<_> = evidence["members"].as_array().unwrap().iter().map(Value::as_str).collect();
    others.sort_unstable();
    let (bob, carol) = (BOB.id.to_string(), CAROL.id.to_string());
    let mut expected = [Some(bob.as_str()), Some(carol.as_str())];
    expected.sort_unstable();
    assert_eq!(others, expected);
    assert_eq!(world.admin(&format!("user/{}", ALICE.id)).await["barred"], json!(true));
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
    for query in ["", "user_id="] {
        let query = if query.is_empty() { String::new() } else { format!("{query}{}&", ALICE.id) };
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/fraud/flags?{query}limit=3{cursor}");
            let page = call(&world, Method::GET, &path, None, &Value::Null).await.body;
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 3);
            found.extend(items.iter().map(|flag| flag["id"].clone()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        if query.is_empty() {
            assert_eq!(found, raised);
        } else {
            let mut raised = raised.clone();
            raised.sort_by_key(ToString::to_string);
            assert_eq!(found, raised, "a member's, by id");
        }
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_one_by_one() {
    let world = World::new().await;
    world.says(ALICE, "/start").await;
    let flag = held(&world, ALICE).await["id"].as_str().unwrap().to_owned();
    let before = flags(&world, "").await;
    let check = async |path: &str, body: Value, status: u16, code: &str| {
        let answer = post(&world, path, &body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{path} {body}: {answer:?}");
    };
    let (alice, why) = (of(ALICE), json!("because"));
    let create = "flags/create";
    check(create, Value::Null, 400, "bad_body").await;
    check(create, json!({ "reason": why }), 400, "bad_body").await;
    check(create, json!({ "user_id": alice }), 400, "bad_reason").await;
    check(create, json!({ "user_id": "me", "reason": why }), 400, "bad_user_id").await;
    check(create, json!({ "user_id": alice, "reason": "x" }), 400, "bad_reason").await;
    for action in ["allow", "ban", ""] {
        let body = json!({ "user_id": alice, "reason": why, "action": action });
        check(create, body, 400, "bad_action").await;
    }
    check(create, json!({ "user_id": "99", "reason": why }), 404, "unknown_member").await;
    let resolve = format!("flags/{flag}/resolve");
    let dismissed = json!({ "verdict": "dismissed", "note": "because" });
    check(&resolve, Value::Null, 400, "bad_body").await;
    check(&resolve, json!({ "note": why }), 400, "bad_verdict").await;
    check(&resolve, json!({ "verdict": "maybe", "note": why }), 400, "bad_verdict").await;
    check(&resolve, json!({ "verdict": "dismissed" }), 400, "bad_note").await;
    let others = json!({ "verdict": "dismissed", "note": "because", "user_id": of(BOB) });
    check(&resolve, others, 404, "unknown_flag").await;
    for id in ["nothing", "no-flag", &flag[..flag.len() - 1], "%23-%23", &"9".repeat(300)] {
        check(&format!("flags/{id}/resolve"), dismissed.clone(), 404, "unknown_flag").await;
    }
    for step in ["block", "unblock", "run-checks"] {
        check(&format!("user/me/{step}"), Value::Null, 400, "bad_user_id").await;
        check(&format!("user/99/{step}"), Value::Null, 404, "unknown_member").await;
    }
    for step in ["block", "unblock"] {
        check(&format!("user/{}/{step}", ALICE.id), json!({ "reason": "x" }), 400, "bad_reason").await;
        check(&format!("user/{}/{step}", ALICE.id), json!({ "why": "x" }), 400, "bad_body").await;
    }
    for query in ["state=held", "limit=0", "cursor=%21", "user_id=me", "user_id=1&cursor=%21"] {
        let answer = call(&world, Method::GET, &format!("/fraud/flags?{query}"), None, &Value::Null).await;
        assert_eq!(answer.status, 400, "{query}: {answer:?}");
    }
    assert_eq!(flags(&world, "").await, before);
    // The flag's own id is accepted as well as the member's.
    let (_, short) = flag.rsplit_once('-').unwrap();
    let body = json!({ "verdict": "dismissed", "note": "because", "user_id": alice });
    check(&format!("flags/{short}/resolve"), body, 200, "").await;
}
