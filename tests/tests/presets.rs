//! Tests of the five presets: the numbers that members and operators see.
#![allow(clippy::unwrap_used, reason = "a test stops where it must")]

use guerdon_domain::{money::Currency, wallets::WalletKind};
use guerdon_tests::{
    World,
    telegram::{ALICE, BOB, CAROL, Person, button},
};
use serde_json::{Value, json};

/// A person's available amount, formatted for people.
async fn available(world: &World, person: Person, kind: WalletKind, currency: Currency) -> String {
    let wallet =
        world.stack().app().store().wallets().find(&world.member(person), kind, currency).await.unwrap();
    assert_eq!((wallet.buckets.held, wallet.buckets.owed), (0, 0));
    wallet.available().to_string()
}

/// Alice brings Bob, and Bob brings Carol.
async fn chain(preset: &str) -> World {
    let world = World::of(preset).await;
    let code = world.code_of(ALICE).await;
    world.joins(BOB, &code).await;
    let code = world.code_of(BOB).await;
    world.joins(CAROL, &code).await;
    world
}

fn rewards(payment: &Value) -> Vec<Value> {
    payment["trace"].as_array().unwrap().iter().map(|line| line["amount"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ott_shares_28_and_9_of_135_after_a_day() {
    let world = chain("ott").await;
    let payment = world.bank(CAROL, "135.00", "combo", "upi/1").await;
    assert_eq!(rewards(&payment), [json!(28.0), json!(9.0)]);
    world.drain().await;
    let earnings = async |person| available(&world, person, WalletKind::Earnings, Currency::INR).await;
    world.advance(23 * 3600).await;
    world.run_job("hold-release").await;
    assert_eq!((earnings(BOB).await, earnings(ALICE).await), ("₹0.00".to_owned(), "₹0.00".to_owned()));
    world.advance(3 * 3600).await;
    world.run_job("hold-release").await;
    assert_eq!((earnings(BOB).await, earnings(ALICE).await), ("₹28.00".to_owned(), "₹9.00".to_owned()));
    // Bob's own order is level 1 for Alice, and has no level 2.
    let own = world.bank(BOB, "135.00", "combo", "upi/2").await;
    assert_eq!(own["trace"][1]["code"], "no_upline");
    // The projector writes a marker for the hour of the sweep.
    world.drain().await;
    world.advance(26 * 3600).await;
    world.run_job("hold-release").await;
    assert_eq!(earnings(ALICE).await, "₹37.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn bitten_takes_ten_dollars_off_the_referrers_bill() {
    let world = chain("bitten").await;
    world.pays(BOB, 3900, 3900).await;
    assert_eq!(available(&world, ALICE, WalletKind::BillCredit, Currency::USD).await, "$10.00");
    assert!(world.texts(ALICE.id).await.iter().any(|text| text.contains("$10.00")));
}

#[tokio::test(flavor = "multi_thread")]
async fn autosales_shares_3_00_of_a_deposit_of_100_00() {
    let world = chain("autosales").await;
    let deposit = json!({
        "user_id": BOB.id, "amount": "100.00", "currency": "PLN", "reference": "blik/1",
        "purpose": "deposit", "reason": "seen at the bank",
    });
    let payment = world.operator_post("payments", "k1", &deposit).await;
    assert!(payment.status < 300, "{payment:?}");
    world.says(ALICE, "/credits").await;
    assert_eq!(available(&world, ALICE, WalletKind::Balance, Currency::PLN).await, "3.00 PLN");
    // Every deposit counts, not only the first; a purchase is not a deposit.
    let again = json!({ "reference": "blik/2", "purpose": "deposit", "amount": "50.50" });
    let mut second = deposit.clone();
    second.as_object_mut().unwrap().extend(again.as_object().unwrap().clone());
    world.operator_post("payments", "k2", &second).await;
    second["reference"] = json!("blik/3");
    second["purpose"] = json!("purchase");
    let purchase = world.operator_post("payments", "k3", &second).await;
    assert_eq!(purchase.body["trace"][0]["code"], "other_purpose");
    world.says(ALICE, "/credits").await;
    assert_eq!(available(&world, ALICE, WalletKind::Balance, Currency::PLN).await, "4.52 PLN");
}

#[tokio::test(flavor = "multi_thread")]
async fn trollz_grants_30_days_for_a_paying_friend_once() {
    let world = chain("trollz").await;
    for (n, key) in ["k1", "k2"].into_iter().enumerate() {
        let purchase = json!({
            "user_id": BOB.id, "amount": "9.99", "currency": "USD", "reference": format!("card/{n}"),
            "purpose": "purchase", "reason": "paid on the site",
        });
        world.operator_post("payments", key, &purchase).await;
    }
    world.drain().await;
    let told = world.texts(ALICE.id).await;
    assert!(told.iter().any(|text| text.contains("Claim it by ")), "{told:?}");
    let shown = world.asks(ALICE, "/credits").await;
    let (page, claim) = (shown["text"].as_str().unwrap(), button(&shown, "🎁 Claim 30 days").unwrap());
    let expected = ["On hold: <b>0 days</b>", "To claim: <b>30 days</b>, by "];
    assert!(expected.iter().all(|part| page.contains(part)), "{page}");
    assert_eq!(available(&world, ALICE, WalletKind::Credits, Currency::DAY).await, "0 days", "to be claimed");
    for _ in 0..2 {
        let claimed = world.taps(ALICE, &claim).await;
        let text = claimed["text"].as_str().unwrap();
        assert!(text.contains("Earned and unused: <b>30 days</b>") && !text.contains("To claim"), "{text}");
        assert!(text.contains("On hold: <b>0 days</b>"), "{text}");
        world.drain().await;
    }
    assert_eq!(available(&world, ALICE, WalletKind::Credits, Currency::DAY).await, "30 days");
}

#[tokio::test(flavor = "multi_thread")]
async fn streamline_records_payments_and_grants_no_rewards() {
    let world = chain("streamline").await;
    let payment = world.bank(BOB, "19.99", "starter", "card/1").await;
    assert_eq!(payment["trace"], json!([]));
    assert_eq!(available(&world, ALICE, WalletKind::BillCredit, Currency::USD).await, "$0.00");
}
