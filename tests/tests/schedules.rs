//! Tests of the hourly jobs, and of events that arrive before what they depend on.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_domain::{settings::Preset, wallets::WalletKind};
use guerdon_tests::{
    World,
    stripe::{checkout, event, invoice_paid},
    telegram::{ALICE, BOB, message},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const DAY: i64 = 86_400;

#[tokio::test(flavor = "multi_thread")]
async fn codes_and_referrals_expire_on_their_day() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    world.advance(364 * DAY).await;
    assert_eq!(world.run_job("code-expiry").await, json!({ "codes": 0, "referrals": 0, "rewards": 0 }));
    world.advance(DAY).await;
    assert_eq!(world.run_job("code-expiry").await, json!({ "codes": 1, "referrals": 1, "rewards": 0 }));
    assert_eq!(world.run_job("code-expiry").await, json!({ "codes": 0, "referrals": 0, "rewards": 0 }));
    world.drain().await;
    let alice = world.admin(&format!("user/{}", ALICE.id)).await;
    assert_eq!((&alice["pending"], &alice["expired"]), (&json!(0), &json!(1)));
    assert_eq!(world.admin("pending").await["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commission_on_hold_is_released_by_the_sweep_when_its_time_has_come() {
    let toml = include_str!("../../shared/domain/presets/bitten.toml");
    let held = toml.replace("hold_seconds = 0", "hold_seconds = 86400");
    let world = World::with(|config| config.preset = Arc::new(Preset::parse(&held).unwrap())).await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    world.pays(BOB, 3900, 3900).await;
    let texts = world.texts(ALICE.id).await.join("\n");
    assert!(texts.contains("You can use it from 2026-11-22"), "{texts}");
    assert_eq!(world.run_job("hold-release").await["released"], 0);
    world.advance(DAY + 2 * 3600).await;
    // The hour has changed, so the schedule may have run by itself; together they release it once.
    world.run_job("hold-release").await;
    world.drain().await;
    let app = world.stack().app();
    let wallet = app
        .store()
        .wallets()
        .find(&world.member(ALICE), WalletKind::BillCredit, app.preset.currency)
        .await
        .unwrap();
    assert_eq!((wallet.buckets.available, wallet.seq), (1000, 1));
    assert!(world.texts(ALICE.id).await.join("\n").contains("ready to use"));
    assert_eq!(world.run_job("hold-release").await, json!({ "members": 0, "released": 0, "left": 0 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_of_an_unknown_customer_waits_for_its_member() {
    let world = World::new().await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    for _ in 0..3 {
        world.stripe(&invoice_paid("in_early", "cus_early", 3900, 3900)).await;
    }
    world.drain().await;
    let store = world.stack().app().store();
    assert_eq!(store.parked().list(None, 10).await.unwrap().len(), 1, "parked once");
    world.stripe(&checkout(BOB, "cus_early")).await;
    world.drain().await;
    assert_eq!(store.parked().list(None, 10).await.unwrap().len(), 0, "replayed and forgotten");
    assert_eq!(world.admin("stats").await["total_credits_issued"], json!(10.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_known_by_the_customers_metadata_too() {
    for field in ["telegram_id", "user_id"] {
        let world = World::new().await;
        let code = world.code_of(ALICE).await;
        world.joins(BOB, &code).await;
        let customer =
            json!({ "id": "cus_m", "object": "customer", "metadata": { field: BOB.id.to_string() } });
        world.stripe(&event("evt_c", "customer.created", &customer)).await;
        world.stripe(&invoice_paid("in_m", "cus_m", 3900, 3900)).await;
        world.drain().await;
        assert_eq!(world.admin("stats").await["total_credits_issued"], json!(10.0), "{field}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reversal_is_kept_for_the_version_that_can_act_on_it() {
    let world = World::new().await;
    let refund = json!({
        "id": "re_1", "object": "refund", "amount": 3900, "currency": "usd", "status": "succeeded",
        "charge": "ch_1", "payment_intent": "pi_1", "created": 1_795_253_400, "reason": null,
    });
    for _ in 0..2 {
        world.stripe(&event("evt_re", "refund.created", &refund)).await;
    }
    world.drain().await;
    let parked = world.stack().app().store().parked().list(None, 10).await.unwrap();
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].event_kind, "refund.created");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_that_is_created_gets_what_was_not_posted_yet() {
    let world = World::new().await;
    world.says(ALICE, "/start").await;
    world.stripe(&checkout(ALICE, "cus_a")).await;
    world.drain().await;
    // Stripe is not available when the credit is granted, so nothing reaches the balance.
    world.post("/sim/api/stripe/fail", &json!({ "next": 1000, "status": 500 })).await;
    let body = json!({ "user_id": ALICE.id.to_string(), "amount": 10, "reason": "welcome" });
    assert_eq!(world.admin_post("apply", "k", &body).await.status, 200);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    world.post("/sim/api/stripe/fail", &json!({ "next": 0 })).await;
    let mut draft = invoice_paid("in_draft", "cus_a", 0, 3900);
    draft["type"] = json!("invoice.created");
    draft["data"]["object"]["status"] = json!("draft");
    draft["data"]["object"]["ending_balance"] = json!(null);
    world.stripe(&draft).await;
    world.drain().await;
    let app = world.stack().app();
    let wallet = app
        .store()
        .wallets()
        .find(&world.member(ALICE), WalletKind::BillCredit, app.preset.currency)
        .await
        .unwrap();
    assert_eq!((wallet.buckets.available, wallet.buckets.held), (0, 1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_that_is_created_gets_what_stripe_refused_before() {
    let world = World::new().await;
    world.says(ALICE, "/start").await;
    world.stripe(&checkout(ALICE, "cus_a")).await;
    world.drain().await;
    // A refused posting is not tried again by itself; the invoice causes the next posting.
    world.post("/sim/api/stripe/fail", &json!({ "next": 1, "status": 402 })).await;
    let body = json!({ "user_id": ALICE.id.to_string(), "amount": 10, "reason": "welcome" });
    assert_eq!(world.admin_post("apply", "k", &body).await.status, 200);
    world.drain().await;
    let app = world.stack().app();
    let alice = world.member(ALICE);
    let buckets = async || {
        let wallet =
            app.store().wallets().find(&alice, WalletKind::BillCredit, app.preset.currency).await.unwrap();
        (wallet.buckets.available, wallet.buckets.held)
    };
    assert_eq!(buckets().await, (1000, 0));
    let mut draft = invoice_paid("in_draft", "cus_a", 0, 3900);
    draft["type"] = json!("invoice.created");
    draft["data"]["object"]["status"] = json!("draft");
    draft["data"]["object"]["ending_balance"] = json!(null);
    world.stripe(&draft).await;
    world.drain().await;
    assert_eq!(buckets().await, (0, 1000));
}

/// True when the update is answered within these seconds, and not passed over as one that was answered before.
async fn answers_to(world: &World, update: &Value, seconds: u64) -> bool {
    for _ in 0..seconds * 10 {
        if world.update(update).await.body != json!("") {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_expires_when_the_stacks_clock_says_so_and_not_before() {
    let world = World::new().await;
    let update = message(world.update_id(), ALICE, "/help");
    assert!(answers_to(&world, &update, 1).await);
    world.advance(DAY).await;
    assert!(!answers_to(&world, &update, 2).await, "it is remembered for two days");
    world.advance(DAY + 3600).await;
    assert!(answers_to(&world, &update, 10).await, "now it is another update");
}
