//! Tests of the documented API of the referral-code system, as its client calls it with a member's token.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_tests::{Answer, World};
use serde_json::{Value, json};

const ALICE: i64 = 940_001;
const BOB: i64 = 940_002;
const CAROL: i64 = 940_003;
const DAVE: i64 = 940_004;

struct Site {
    world: World,
    shop: String,
}

impl Site {
    async fn new() -> Self {
        let world = World::of("trollz").await;
        let shop = world.shop().await;
        Self { world, shop }
    }

    async fn token(&self, id: i64) -> String {
        self.world.member_token(&self.shop, id).await
    }

    async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.world.bearing(token, &format!("/api/referral/{path}"), Some(&body)).await
    }

    async fn get(&self, token: &str, path: &str) -> Value {
        let answer = self.world.bearing(token, &format!("/api/referral/{path}"), None).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    /// Makes a code for Alice, by which Bob signs up; returns both tokens.
    async fn signup(&self) -> (String, String) {
        let (alice, bob) = (self.token(ALICE).await, self.token(BOB).await);
        let code = self.post(&alice, "generate-code", json!({})).await;
        let tracked = self.post(&bob, "track", json!({ "referralCode": code.body["code"] })).await;
        assert_eq!(tracked.status, 200, "{tracked:?}");
        assert_eq!(tracked.body["referrerUserId"], code.body["userId"]);
        assert_eq!(tracked.body["message"], "Referral tracked successfully");
        (alice, bob)
    }

    async fn converted(&self, id: i64) {
        let answer = self.post(&self.shop, "convert", json!({ "referredUserId": id })).await;
        assert_eq!(
            (answer.status, &answer.body["message"]),
            (200, &json!("Referral converted successfully"))
        );
        self.world.drain().await;
    }
}

/// Claims a reward six times at once; returns the answer that has it.
async fn claimed_once(site: &Site, token: &str, reward: &Value) -> Answer {
    let claim = json!({ "rewardId": reward["id"] });
    let claims = (0..6).map(|_| site.post(token, "claim-reward", claim.clone()));
    let answers = futures::future::join_all(claims).await;
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(done.len(), 1, "{done:?}, {refused:?}");
    assert!(refused.iter().all(|answer| (answer.status, answer.code()) == (404, "unknown_reward")));
    done[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_shared_and_its_reward_is_claimed() {
    let site = Site::new().await;
    let (alice, _) = site.signup().await;
    site.world.drain().await;
    let stats = json!({
        "totalReferrals": 1, "convertedReferrals": 0, "pendingReferrals": 1, "totalRewardsEarned": 0,
    });
    assert_eq!(site.get(&alice, "stats").await, stats);
    site.converted(BOB).await;
    let stats = site.get(&alice, "stats").await;
    assert_eq!((&stats["convertedReferrals"], &stats["totalRewardsEarned"]), (&json!(1), &json!(1)));
    let reward = site.get(&alice, "rewards").await["items"][0].clone();
    assert_eq!((&reward["rewardType"], &reward["status"]), (&json!("free_premium"), &json!("pending")));
    site.world.run_job("hold-release").await;
    let wallet = async || site.world.bearing(&alice, &format!("/wallet/{ALICE}"), None).await.body;
    assert_eq!(wallet().await["available"], json!(0), "nobody releases what has to be claimed");
    let claimed = claimed_once(&site, &alice, &reward).await.body;
    assert_eq!(claimed["message"], "Reward claimed successfully");
    assert_eq!(claimed["reward"]["rewardValue"], json!({ "days": 30 }));
    assert!(claimed["reward"]["claimedAt"].as_str().unwrap().starts_with("2026-11-21T"));
    let wallet = wallet().await;
    assert_eq!((&wallet["available"], &wallet["currency"]), (&json!(30), &json!("DAY")));
    site.world.ledger_is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unclaimed_reward_expires() {
    let site = Site::new().await;
    let (alice, _) = site.signup().await;
    site.converted(BOB).await;
    let reward = site.get(&alice, "rewards").await["items"][0].clone();
    assert!(reward["expiresAt"].as_str().unwrap().starts_with("2027-11-21T"), "{reward}");
    site.world.advance(365 * 86_400).await;
    let alice = site.token(ALICE).await;
    let claim = json!({ "rewardId": reward["id"] });
    let late = site.post(&alice, "claim-reward", claim.clone()).await;
    assert_eq!((late.status, late.code()), (400, "reward_expired"));
    assert_eq!(site.world.run_job("code-expiry").await["rewards"], 1);
    assert_eq!(site.post(&alice, "claim-reward", claim).await.code(), "reward_expired");
    assert_eq!(site.get(&alice, "rewards").await["items"][0]["status"], "void");
    site.world.drain().await;
    site.world.ledger_is_sound().await;
}

/// Signs up by a code; returns the status and the problem's code.
async fn track(site: &Site, token: &str, code: &Value) -> (u16, String) {
    let answer = site.post(token, "track", json!({ "referralCode": code })).await;
    (answer.status, answer.code().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_and_sign_ups_are_refused_as_documented() {
    let site = Site::new().await;
    let (alice, bob) = site.signup().await;
    let again = site.post(&alice, "generate-code", json!({ "expiresInDays": 30 })).await;
    assert_eq!((again.status, again.code()), (409, "code_active"));
    let carol = site.token(CAROL).await;
    let code = site.post(&carol, "generate-code", json!({ "expiresInDays": 1 })).await.body;
    assert_eq!(code["expiresAt"], "2026-11-22T09:30:00.000Z");
    let code = &code["code"];
    assert_eq!(code.as_str().unwrap().len(), 8);
    let dave = site.token(DAVE).await;
    for (token, code, status, problem) in [
        (&dave, &json!("ZZZZZZZZ"), 400, "unknown_code"),
        (&dave, &json!("short"), 400, "unknown_code"),
        (&bob, code, 409, "already_referred"),
        (&carol, code, 409, "own_code"),
        (&alice, code, 409, "already_member"),
    ] {
        assert_eq!(track(&site, token, code).await, (status, problem.to_owned()), "{code}");
    }
    site.world.advance(86_400).await;
    let dave = site.token(DAVE).await;
    assert_eq!(track(&site, &dave, code).await, (400, "expired_code".to_owned()));
    let renewed = site.post(&site.token(CAROL).await, "generate-code", json!({})).await;
    assert_eq!(renewed.status, 200, "the old one is over");
    assert_eq!(track(&site, &dave, &renewed.body["code"]).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_with_the_same_key_is_answered_again() {
    let site = Site::new().await;
    let carol = site.token(CAROL).await;
    let code = site.post(&carol, "generate-code", json!({})).await;
    let erin = site.token(940_005).await;
    let body = json!({ "referralCode": code.body["code"] });
    let keyed = async || site.world.keyed(&erin, "/api/referral/track", Some(&body), Some("t-1")).await;
    let (one, two) = (keyed().await, keyed().await);
    assert_eq!((one.status, two.status, &one.body), (200, 200, &two.body));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_bodies_and_unknown_users_are_refused() {
    let site = Site::new().await;
    site.signup().await;
    let carol = site.token(CAROL).await;
    site.post(&carol, "generate-code", json!({})).await;
    for (path, body, code) in [
        ("generate-code", json!({ "expiresInDays": 0 }), "bad_days"),
        ("generate-code", json!({ "expiresInDays": "x" }), "bad_body"),
        ("track", json!({}), "bad_body"),
        ("claim-reward", json!({ "rewardId": 7 }), "bad_body"),
        ("claim-reward", json!({ "rewardId": "550e8400-e29b-41d4-a716-446655440000" }), "unknown_reward"),
    ] {
        assert_eq!(site.post(&carol, path, body.clone()).await.code(), code, "{path} {body}");
    }
    let unknown = site.post(&site.shop, "convert", json!({ "referredUserId": 5 })).await;
    assert_eq!((unknown.status, unknown.code()), (404, "unknown_user"));
    let not_referred = site.post(&site.shop, "convert", json!({ "referredUserId": ALICE })).await;
    assert_eq!(not_referred.code(), "not_referred");
}

/// The board of a site where Alice's referral of Bob has converted.
fn board(uuid: &str) -> Value {
    json!([{ "userId": uuid, "name": "•••", "totalReferrals": 1, "convertedReferrals": 1, "rank": 1 }])
}

/// The figures of that site.
fn figures() -> Value {
    json!({
        "totalReferrals": 1, "convertedReferrals": 1, "conversionRate": 100.0,
        "totalRewardsAwarded": 1, "activeCodes": 1, "expiredCodes": 0,
    })
}

/// The last three days of that site.
fn trends() -> Value {
    json!([
        { "date": "2026-11-19", "signups": 0, "conversions": 0 },
        { "date": "2026-11-20", "signups": 0, "conversions": 0 },
        { "date": "2026-11-21", "signups": 1, "conversions": 1 },
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn boards_and_figures_have_the_documented_shape() {
    let site = Site::new().await;
    let (alice, _) = site.signup().await;
    site.converted(BOB).await;
    let shown = site.get(&alice, "leaderboard?period=week&limit=5").await;
    let uuid = shown[0]["userId"].as_str().unwrap();
    assert_eq!(uuid.len(), 36);
    assert_eq!(shown, board(uuid));
    for period in ["all", "month", "week"] {
        assert_eq!(site.get(&alice, &format!("analytics?period={period}")).await, figures(), "{period}");
    }
    assert_eq!(site.get(&alice, "trends?days=3").await, trends());
    assert_eq!(site.get(&alice, "trends").await.as_array().unwrap().len(), 30);
    site.world.advance(366 * 86_400).await;
    site.world.run_job("code-expiry").await;
    site.world.drain().await;
    let alice = site.token(ALICE).await;
    let later = site.get(&alice, "analytics?period=month").await;
    assert_eq!((&later["totalReferrals"], &later["expiredCodes"]), (&json!(0), &json!(1)));
    assert_eq!(later["conversionRate"], json!(0.0));
    for bad in ["leaderboard?period=year", "leaderboard?limit=0", "leaderboard?limit=101", "trends?days=366"]
    {
        let answer = site.world.bearing(&alice, &format!("/api/referral/{bad}"), None).await;
        assert_eq!(answer.status, 400, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_members_token_is_for_their_own_things() {
    let site = Site::new().await;
    let (alice, bob) = site.signup().await;
    for path in [format!("/wallet/{ALICE}"), format!("/users/{ALICE}/referral-stats")] {
        assert_eq!(site.world.bearing(&alice, &path, None).await.status, 200, "{path}");
        let others = site.world.bearing(&bob, &path, None).await;
        assert_eq!((others.status, others.code()), (403, "not_yours"), "{path}");
    }
    let ask = json!({ "user_id": ALICE, "amount": 1, "upi_id": "bob@bank" });
    assert_eq!(site.world.bearing(&bob, "/withdrawals/create", Some(&ask)).await.code(), "not_yours");
    for path in ["/users/940001", "/users/940001/referral-tree", "/api/admin/audit", "/orders/ord_1"] {
        assert_eq!(site.world.bearing(&bob, path, None).await.code(), "forbidden", "{path}");
    }
    site.world.advance(3600).await;
    assert_eq!(site.world.bearing(&bob, "/api/referral/stats", None).await.status, 401, "an hour");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_members_token_is_void_once_the_key_that_it_was_asked_for_with_is_revoked() {
    let site = Site::new().await;
    let other = site.world.service_key(&["tokens:write"]).await;
    let (by_shop, by_other) = (site.token(ALICE).await, site.world.member_token(&other, ALICE).await);
    site.post(&by_shop, "generate-code", json!({})).await;
    for token in [&by_shop, &by_other] {
        site.get(token, "stats").await;
    }
    let id = other.split('_').nth(1).unwrap();
    let path = format!("/api/admin/service-keys/{id}");
    let headers = [("x-admin-token", guerdon_tests::ADMIN_TOKEN)];
    let revoked = site.world.request(reqwest::Method::DELETE, &path, &headers, Vec::new()).await;
    assert_eq!(revoked.status, 204, "{revoked:?}");
    for path in ["stats", "rewards", "leaderboard"] {
        let shut = site.world.bearing(&by_other, &format!("/api/referral/{path}"), None).await;
        assert_eq!((shut.status, shut.code()), (401, "unauthorized"), "{path}: {shut:?}");
    }
    let write = site.post(&by_other, "generate-code", json!({})).await;
    assert_eq!(write.status, 401, "{write:?}");
    site.get(&by_shop, "stats").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_referrer_is_not_on_the_public_board() {
    let site = Site::new().await;
    let (alice, _) = site.signup().await;
    site.converted(BOB).await;
    let rows = async || site.get(&alice, "leaderboard").await.as_array().unwrap().len();
    assert_eq!(rows().await, 1);
    let headers = [("x-admin-token", guerdon_tests::ADMIN_TOKEN), ("content-type", "application/json")];
    for (step, left) in [("block", 0), ("unblock", 1)] {
        let path = format!("/fraud/user/{ALICE}/{step}");
        let done = site.world.request(reqwest::Method::POST, &path, &headers, Vec::new()).await;
        assert_eq!((done.status, rows().await), (200, left), "{done:?}");
    }
}
