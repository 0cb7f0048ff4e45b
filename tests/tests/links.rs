//! Tests of shared links on the web: which click counts, and which member is credited.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_tests::{Answer, World, telegram::Person};
use serde_json::json;

const ALICE: Person = Person { id: 960_001, name: "Alice" };
const BEN: Person = Person { id: 960_002, name: "Ben" };
const CARL: Person = Person { id: 960_003, name: "Carl" };
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) Version/17.1 Mobile Safari/604.1";

async fn click(world: &World, code: &str, cookie: Option<&str>, agent: &str) -> Answer {
    let mut headers = vec![("user-agent", agent)];
    headers.extend(cookie.map(|cookie| ("cookie", cookie)));
    world.request(reqwest::Method::GET, &format!("/r/{code}"), &headers, Vec::new()).await
}

fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").unwrap();
    assert!(set.contains("HttpOnly") && set.contains("Secure") && set.contains("SameSite=Lax"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

/// The text after `start=` in the link to which the answer redirects.
fn payload(answer: &Answer) -> String {
    assert_eq!(answer.status, 302, "{answer:?}");
    let location = answer.header("location").unwrap();
    assert!(location.starts_with("https://t.me/guerdon_test_bot"), "{location}");
    location.split_once("start=").map(|(_, payload)| payload.to_owned()).unwrap_or_default()
}

async fn clicks(world: &World) -> (i64, i64) {
    world.drain().await;
    let headers = [("x-admin-token", guerdon_tests::ADMIN_TOKEN)];
    let stats = world.request(reqwest::Method::GET, "/admin/dashboard/stats", &headers, Vec::new()).await;
    let overall = &stats.body["overall"];
    (overall["link_clicks"].as_i64().unwrap(), overall["link_visitors"].as_i64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_click_leads_into_the_bot_and_says_where_from() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    let clicked = click(&world, &code, None, PHONE).await;
    let payload = payload(&clicked);
    assert!(payload.starts_with(&format!("ref_{code}-")), "{payload}");
    world.says(BEN, &format!("/start {payload}")).await;
    let told = world.operator_get(&format!("users/{}/attribution", BEN.id)).await;
    assert_eq!(told["referred_by"], ALICE.id.to_string());
    assert_eq!(
        (&told["click"]["decision"], &told["click"]["credited_code"]),
        (&json!("first_touch"), &json!(code))
    );
    assert_eq!(told["explanation"], "This was the visitor's first click on a link.");
    world.says(CARL, &format!("/start ref_{code}")).await;
    let told = world.operator_get(&format!("users/{}/attribution", CARL.id)).await;
    assert_eq!((&told["click"], &told["referred_by"]), (&json!(null), &json!(ALICE.id.to_string())));
    assert_eq!(clicks(&world).await, (1, 1));
    let unknown = world.operator_refuses("users/5/attribution").await;
    assert_eq!(unknown, (404, "unknown_member".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_link_is_credited_within_the_window() {
    let world = World::new().await;
    let (first, second) = (world.code_of(ALICE).await, world.code_of(BEN).await);
    let remembered = cookie(&click(&world, &first, None, PHONE).await);
    world.advance(29 * 86_400).await;
    let later = click(&world, &second, Some(&remembered), PHONE).await;
    assert!(payload(&later).starts_with(&format!("ref_{first}-")), "{later:?}");
    assert_eq!(cookie(&later), remembered, "the first touch stays the first");
    world.says(CARL, &format!("/start {}", payload(&later))).await;
    let told = world.operator_get(&format!("users/{}/attribution", CARL.id)).await;
    assert_eq!(told["referred_by"], ALICE.id.to_string());
    assert_eq!(
        (&told["click"]["decision"], &told["click"]["code"]),
        (&json!("kept_first_touch"), &json!(second))
    );
    assert_eq!(clicks(&world).await, (2, 1), "two clicks of one visitor");
    world.advance(86_400).await;
    let over = click(&world, &second, Some(&remembered), PHONE).await;
    assert!(payload(&over).starts_with(&format!("ref_{second}-")), "the window is over");
    assert!(cookie(&over).contains(&second));
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_and_unknown_codes_are_not_counted() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    for agent in [
        "TelegramBot (like TwitterBot)",
        "WhatsApp/2.2",
        "curl/8.5.0",
        "Mozilla/5.0 (compatible; Googlebot/2.1)",
    ] {
        let answer = click(&world, &code, None, agent).await;
        assert_eq!((payload(&answer), answer.header("set-cookie")), (format!("ref_{code}"), None), "{agent}");
    }
    let headers = [("user-agent", PHONE), ("sec-purpose", "prefetch")];
    let ahead = world.request(reqwest::Method::GET, &format!("/r/{code}"), &headers, Vec::new()).await;
    assert_eq!(payload(&ahead), format!("ref_{code}"));
    let unknown = click(&world, "ZZZZZZZZ", None, PHONE).await;
    assert_eq!((payload(&unknown), unknown.header("set-cookie")), (String::new(), None));
    for bad in ["x", "0OI10OI1", "%3Cx%3E", "ABCD2345/x"] {
        assert_eq!(click(&world, bad, None, PHONE).await.status, 404, "{bad}");
    }
    // A forged cookie does not count as a first click.
    for made_up in ["guerdon_touch=x", "guerdon_touch=ZZZZZZZZ.c1.1795253000000", "guerdon_touch=;;;"] {
        let answer = click(&world, &code, Some(made_up), PHONE).await;
        assert!(payload(&answer).starts_with(&format!("ref_{code}-")), "{made_up}: {answer:?}");
    }
    assert_eq!(clicks(&world).await.0, 3, "those of people");
}

const TELEGRAM: &str = "Mozilla/5.0 (Linux; Android 14; CUBOT X30 Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, \
    like Gecko) Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36 Telegram-Android/11.2.1 (CUBOT X30; Android 14; SDK 34)";

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_inside_telegram_is_a_person() {
    let world = World::new().await;
    let (first, second) = (world.code_of(ALICE).await, world.code_of(BEN).await);
    let clicked = click(&world, &first, None, TELEGRAM).await;
    assert!(payload(&clicked).starts_with(&format!("ref_{first}-")), "{clicked:?}");
    let later = click(&world, &second, Some(&cookie(&clicked)), TELEGRAM).await;
    assert!(payload(&later).starts_with(&format!("ref_{first}-")), "{later:?}");
    assert_eq!(clicks(&world).await, (2, 1));
}

/// Asserts that the visit leads to the bot with this code, and is no click.
fn leads_on(answer: &Answer, code: &str) {
    assert_eq!((payload(answer), answer.header("set-cookie")), (format!("ref_{code}"), None), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_touch_is_kept_though_the_visit_does_not_count() {
    let world = World::new().await;
    let (first, second) = (world.code_of(ALICE).await, world.code_of(BEN).await);
    let remembered = cookie(&click(&world, &first, None, PHONE).await);
    for agent in
        ["HTTPie/3.2.2", "PostmanRuntime/7.36.0", "GuzzleHttp/7", "undici", "Viber", "WhatsApp/2.2", ""]
    {
        leads_on(&click(&world, &second, Some(&remembered), agent).await, &first);
        leads_on(&click(&world, &second, None, agent).await, &second);
    }
    let headers = [("user-agent", PHONE), ("cookie", &*remembered), ("purpose", "prefetch")];
    let ahead = world.request(reqwest::Method::GET, &format!("/r/{second}"), &headers, Vec::new()).await;
    leads_on(&ahead, &first);
    // Nor is it lost by a link whose code does not exist.
    leads_on(&click(&world, "ZZZZZZZZ", Some(&remembered), PHONE).await, &first);
    assert_eq!(clicks(&world).await, (1, 1));
    world.advance(30 * 86_400).await;
    leads_on(&click(&world, &second, Some(&remembered), "undici").await, &second);
}

async fn fraud(world: &World, step: &str) {
    let headers = [("x-admin-token", guerdon_tests::ADMIN_TOKEN), ("content-type", "application/json")];
    let path = format!("/fraud/user/{}/{step}", ALICE.id);
    let done = world.request(reqwest::Method::POST, &path, &headers, Vec::new()).await;
    assert_eq!(done.status, 200, "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_referrer_does_not_keep_a_first_touch() {
    let world = World::new().await;
    let (first, second) = (world.code_of(ALICE).await, world.code_of(BEN).await);
    let remembered = cookie(&click(&world, &first, None, PHONE).await);
    fraud(&world, "block").await;
    for agent in [PHONE, "undici"] {
        let later = click(&world, &second, Some(&remembered), agent).await;
        assert!(payload(&later).starts_with(&format!("ref_{second}")), "{agent}: {later:?}");
    }
    let later = click(&world, &second, Some(&remembered), PHONE).await;
    world.says(CARL, &format!("/start {}", payload(&later))).await;
    let told = world.operator_get(&format!("users/{}/attribution", CARL.id)).await;
    assert_eq!(
        (&told["referred_by"], &told["click"]["decision"]),
        (&json!(BEN.id.to_string()), &json!("first_owner_blocked"))
    );
    fraud(&world, "unblock").await;
    let again = click(&world, &second, Some(&remembered), PHONE).await;
    assert!(payload(&again).starts_with(&format!("ref_{first}-")), "{again:?}");
}
