//! Every stored attribute: a snapshot of the item of every record type, with its size.
//!
//! A write costs one unit for each KiB begun, and two in a transaction. So the items on the money paths must
//! stay below 1,024 bytes, and the snapshots show when one of them grows.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[path = "golden/access.rs"]
mod access;
#[path = "golden/intents.rs"]
mod intents;
#[path = "golden/jobs.rs"]
mod jobs;
#[path = "golden/money.rs"]
mod money;
#[path = "golden/sales.rs"]
mod sales;
mod support;

use guerdon_store::table::Effect;
use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use guerdon_domain::{
    bill_credit::{BilledCustomers, BillingReport, InvoiceCredit, InvoiceCreditState, SubscriptionState},
    fraud::FraudVerdict,
    ids::{AdjustmentId, InvoiceId},
    members::MemberCode,
    operators::AuditRecord,
    payments::{Refusal, Verdict},
    wallets::Adjustment,
};
use guerdon_store::{
    commissions::ReleaseDue,
    fraud::Force,
    messages::Claim,
    payments::WaitsFor,
    requests::StoredResponse,
    settings::{Override, StoredSettings},
    statistics::{Contribution, Projection},
};
use serde::Serialize;
use serde_json::{Value, json};
use support::*;

/// A write unit in bytes. An item on a money path must stay below it.
const WRITE_UNIT: usize = 1024;

#[derive(Serialize)]
struct Golden {
    attributes: usize,
    bytes: usize,
    item: BTreeMap<String, Value>,
}

/// Compares the one stored item of type `kind` with `snapshots/golden_items__{name}.snap`.
async fn check(table: &Table, kind: &str, name: &str) -> usize {
    let item = table.only(kind).await;
    let bytes = item_size(&item);
    let shown = item.iter().map(|(name, value)| (name.clone(), typed(value))).collect();
    insta::assert_compact_json_snapshot!(name, Golden { attributes: item.len(), bytes, item: shown });
    bytes
}

/// Like `check`, for an item that every payment or posting writes: it must fit a write unit.
async fn check_within_a_unit(table: &Table, kind: &str, name: &str) {
    let bytes = check(table, kind, name).await;
    assert!(bytes < WRITE_UNIT, "{name} takes {bytes} bytes");
}

/// Converts the value to DynamoDB's own JSON.
fn typed(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(digits) => json!({ "N": digits }),
        AttributeValue::Bool(yes) => json!({ "BOOL": yes }),
        AttributeValue::Null(_) => json!({ "NULL": true }),
        AttributeValue::Ss(set) => json!({ "SS": set }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(typed).collect::<Vec<_>>() }),
        AttributeValue::M(map) => {
            let sorted: BTreeMap<_, _> = map.iter().map(|(name, value)| (name, typed(value))).collect();
            json!({ "M": sorted })
        }
        other => panic!("no record stores {other:?}"),
    }
}

/// The size by DynamoDB's rule: names and values, in UTF-8.
fn item_size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => number_size(digits),
        AttributeValue::Ss(set) => set.iter().map(String::len).sum(),
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + value_size(value)).sum::<usize>(),
        AttributeValue::M(map) => {
            3 + map.iter().map(|(name, value)| 1 + name.len() + value_size(value)).sum::<usize>()
        }
        _ => 1,
    }
}

/// The size of a number: one byte for two significant digits and one more; a minus takes another.
fn number_size(digits: &str) -> usize {
    let significant = digits.trim_start_matches('-').trim_matches('0').len();
    1 + significant.div_ceil(2) + usize::from(digits.starts_with('-'))
}

#[tokio::test]
async fn a_member() {
    let table = table().await;
    let member = member(1, Some(2));
    table.store.commit(&[table.store.members().insert(&member, ()).unwrap()]).await.unwrap();
    check_within_a_unit(&table, "member", "member_joined").await;

    let shared = MemberCode { code: code(1, "KRTW7Q9M", 365).code, expires_at: NOW.plus_days(365) };
    let mut writes = vec![table.store.members().replace_code(&member.id, None, &shared, ()).unwrap()];
    table.store.commit(&writes).await.unwrap();
    writes =
        table.store.customers().link(&link(1), member.telegram_id, Some(&customer()), ()).unwrap().into();
    table.store.commit(&writes).await.unwrap();
    check_within_a_unit(&table, "member", "member_with_code_and_customer").await;
    check(&table, "customer", "customer").await;
    let expected =
        guerdon_domain::members::Member { code: Some(shared), customer: Some(customer()), ..member };
    assert_eq!(table.store.members().find(&id(1)).await.unwrap(), Some(expected));
}

#[tokio::test]
async fn the_customers_of_a_member() {
    let table = table().await;
    let subscribed = BillingReport::Subscribed {
        subscription: "sub_1SRzqCKXBGcbgpbZs4xgnmrX".to_owned(),
        state: SubscriptionState::Live,
        at: NOW,
    };
    let reports = [BillingReport::Linked { at: NOW }, BillingReport::Billed { at: NOW }, subscribed];
    let known = BilledCustomers::of(id(1)).merged(&customer(), &reports).unwrap();
    table.store.commit(&[table.store.bill_credit().replace_customers(&known, ()).unwrap()]).await.unwrap();
    check_within_a_unit(&table, "customers", "customers").await;
    assert_eq!(table.store.bill_credit().customers(&id(1)).await.unwrap(), Some(known.clone()));
    // A second one, lost with $7 on its balance.
    let lost = customer_named("cus_T0ldFirstThenDeleted");
    let next = known.merged(&lost, &[BillingReport::Deleted]).unwrap();
    table.store.commit(&[table.store.bill_credit().replace_customers(&next, ()).unwrap()]).await.unwrap();
    let next = next.recalled(&lost, 700).unwrap();
    table.store.commit(&[table.store.bill_credit().replace_customers(&next, ()).unwrap()]).await.unwrap();
    check_within_a_unit(&table, "customers", "customers_one_lost").await;
    let stale = table.store.bill_credit().replace_customers(&next, ()).unwrap();
    assert!(table.store.commit(&[stale]).await.is_err());
}

#[tokio::test]
async fn a_member_whom_stripe_knew_before_the_bot() {
    let table = table().await;
    let telegram_id = member(1, None).telegram_id;
    table
        .store
        .commit(&table.store.customers().link(&link(1), telegram_id, Some(&customer()), ()).unwrap())
        .await
        .unwrap();
    check_within_a_unit(&table, "member", "member_known_to_stripe").await;
}

#[tokio::test]
async fn a_code() {
    let table = table().await;
    let record = code(1, "KRTW7Q9M", 365);
    table.store.commit(&[table.store.codes().insert(&record, ()).unwrap()]).await.unwrap();
    check(&table, "code", "code").await;
    assert_eq!(table.store.codes().expire(&record.code).await.unwrap(), Effect::Applied);
    check(&table, "code", "code_expired").await;
}

#[tokio::test]
async fn a_referral() {
    let table = table().await;
    let edge = referral(1, 2);
    table.store.commit(&[table.store.referrals().insert(&edge, ()).unwrap()]).await.unwrap();
    check_within_a_unit(&table, "referral", "referral_pending").await;
    assert_eq!(convert(&table.store, &edge, 7).await, Effect::Applied);
    check_within_a_unit(&table, "referral", "referral_converted").await;
}

#[tokio::test]
async fn an_expired_referral() {
    let table = table().await;
    let edge = referral(1, 2);
    table.store.commit(&[table.store.referrals().insert(&edge, ()).unwrap()]).await.unwrap();
    assert_eq!(table.store.referrals().expire(&edge).await.unwrap(), Effect::Applied);
    check_within_a_unit(&table, "referral", "referral_expired").await;
}

#[tokio::test]
async fn a_payment_that_earned() {
    let table = table().await;
    table.store.commit(&[table.store.payments().insert(&payment(7, 2, 1), ()).unwrap()]).await.unwrap();
    check_within_a_unit(&table, "payment", "payment_granted").await;
}

#[tokio::test]
async fn a_payment_that_earned_nothing() {
    let table = table().await;
    let mut record = payment(7, 2, 1);
    record.trace[0].verdict = Verdict::Refused { reason: Refusal::AlreadyConverted };
    table.store.commit(&[table.store.payments().insert(&record, ()).unwrap()]).await.unwrap();
    check_within_a_unit(&table, "payment", "payment_refused").await;
}

#[tokio::test]
async fn a_commission() {
    let table = table().await;
    let held = commission(7, 1, 2);
    table.store.commit(&[table.store.commissions().insert(&held, ()).unwrap()]).await.unwrap();
    check_within_a_unit(&table, "commission", "commission_held").await;
    let release =
        table.store.commissions().settle(&held, &released(&held, 12, NOW.plus_days(1)), ()).unwrap();
    table.store.commit(&[release]).await.unwrap();
    check_within_a_unit(&table, "commission", "commission_released").await;
}

#[tokio::test]
async fn a_release_marker() {
    let table = table().await;
    let marker = ReleaseDue::of(id(1), NOW.plus_days(1), NOW);
    table.store.commissions().mark_due(&marker).await.unwrap();
    check_within_a_unit(&table, "release_due", "release_due").await;
}

#[tokio::test]
async fn a_wallet_and_the_entry_of_a_release() {
    let table = table().await;
    let (wallet, _) = give(empty_wallet(1), 1_234_567, 1);
    let (mut wallet, entry) = wallet.release(usd(97_000), 97, "5f".repeat(32), NOW).unwrap();
    // Numbered as the first one, so that it can be written to an empty table.
    wallet.seq = 1;
    table.store.commit(&table.store.wallets().post(&wallet, &entry, ()).unwrap()).await.unwrap();
    check_within_a_unit(&table, "wallet", "wallet").await;
    check_within_a_unit(&table, "entry", "entry_released").await;
}

#[tokio::test]
async fn the_entry_of_a_claim_and_its_posting() {
    let table = table().await;
    let (wallet, _) = give(empty_wallet(1), 1_234_567, 1);
    let claim = posting(1, 2);
    let (mut wallet, entry) = wallet.claim_posting(claim.amount, claim.id.clone(), NOW).unwrap();
    wallet.seq = 1;
    let mut writes = table.store.wallets().post(&wallet, &entry, ()).unwrap();
    writes.push(table.store.bill_credit().insert_posting(&claim, ()).unwrap());
    table.store.commit(&writes).await.unwrap();
    check_within_a_unit(&table, "entry", "entry_posted").await;
    check_within_a_unit(&table, "posting", "posting_claimed").await;
    assert_eq!(
        table.store.bill_credit().posted(&claim, "cbtxn_1SRzqDKXBGcbgpbZ8hJ2kLmN", NOW).await.unwrap(),
        Effect::Applied
    );
    check_within_a_unit(&table, "posting", "posting_posted").await;
}

#[tokio::test]
async fn a_refused_posting() {
    let table = table().await;
    let claim = posting(1, 2);
    table.store.commit(&[table.store.bill_credit().insert_posting(&claim, ()).unwrap()]).await.unwrap();
    let refuse = table.store.bill_credit().refuse(&claim, "resource_missing", NOW, ()).unwrap();
    table.store.commit(&[refuse]).await.unwrap();
    check_within_a_unit(&table, "posting", "posting_refused").await;
}

#[tokio::test]
async fn what_an_invoice_did() {
    let table = table().await;
    let credit = InvoiceCredit {
        customer: None,
        invoice: InvoiceId::parse(INVOICE).unwrap(),
        member: id(1),
        taken: usd(1000),
        state: InvoiceCreditState::Applied,
    };
    table
        .store
        .commit(&[table.store.bill_credit().insert_invoice_credit(&credit, ()).unwrap()])
        .await
        .unwrap();
    check_within_a_unit(&table, "invoice_credit", "invoice_credit").await;
}

#[tokio::test]
async fn an_adjustment() {
    let table = table().await;
    let adjustment = Adjustment {
        id: AdjustmentId::parse("5".repeat(32)).unwrap(),
        member: id(1),
        amount: usd(-500),
        reason: "refunded by hand, ticket 4711".to_owned(),
        principal: "admin-token".into(),
        at: NOW,
    };
    table.store.commit(&[table.store.wallets().insert_adjustment(&adjustment, ()).unwrap()]).await.unwrap();
    check_within_a_unit(&table, "adjustment", "adjustment").await;
}

#[tokio::test]
async fn an_audited_request() {
    let table = table().await;
    let response = StoredResponse {
        principal: "admin-token".into(),
        key: "7d1c3f0a-55c1-4d43-9a1c-0c6a8f7f4a10".to_owned(),
        input_hash: "ab".repeat(32),
        body: r#"{"ok":true}"#.to_owned(),
        at: NOW,
    };
    let audit = AuditRecord {
        id: "c0ffee00c0ffee00".to_owned(),
        at: NOW,
        principal: "admin-token".into(),
        action: "credit.apply".to_owned(),
        member: Some(id(1)),
        reason: "goodwill".to_owned(),
        before: r#"{"available_minor":0}"#.to_owned(),
        after: r#"{"available_minor":500}"#.to_owned(),
    };
    let store = &table.store;
    let writes = [store.requests().insert(&response, ()).unwrap(), store.audit().insert(&audit, ()).unwrap()];
    store.commit(&writes).await.unwrap();
    check(&table, "response", "stored_response").await;
    check(&table, "audit", "audit").await;
}

#[tokio::test]
async fn a_flag_and_what_it_does_to_its_subject() {
    let table = table().await;
    let store = &table.store;
    store.commit(&[store.members().insert(&member(1, None), ()).unwrap()]).await.unwrap();
    let flag = flag(1, "device", NOW);
    let force = store.flags().enforce(&id(1), &Force::of(&flag), ()).unwrap().unwrap();
    store.commit(&[store.flags().insert(&flag, ()).unwrap(), force]).await.unwrap();
    check(&table, "flag", "flag_open").await;
    check_within_a_unit(&table, "member", "member_on_hold").await;
    let seen = |note: &str| (FraudVerdict::Confirmed, "op_5f0e".to_owned(), note.to_owned());
    let (verdict, by, note) = seen("the same phone");
    let resolved = flag.clone().resolve(verdict, by.into(), note, NOW.plus_days(1)).unwrap();
    store.commit(&[store.flags().replace(&flag, &resolved, ()).unwrap()]).await.unwrap();
    check(&table, "flag", "flag_resolved").await;
    assert_eq!(store.flags().find(&id(1), &flag.id).await.unwrap(), Some(resolved));
}

#[tokio::test]
async fn a_sighting() {
    let table = table().await;
    table.store.sightings().put(&print("device"), &id(1), NOW).await.unwrap();
    check_within_a_unit(&table, "sighting", "sighting").await;
}

#[tokio::test]
async fn what_operators_have_set() {
    let table = table().await;
    let minimum = guerdon_domain::settings::SettingValue::Amount(usd(2500));
    let change = |set| Override { set, at: NOW, by: "op_5f0e".into() };
    let overrides = [("withdrawals.minimum", Some(minimum)), ("referrals.enabled", None)];
    let overrides = overrides.map(|(key, set)| (key.to_owned(), change(set))).into();
    let none = StoredSettings::default();
    let first = StoredSettings { version: 1, overrides };
    table.store.commit(&[table.store.settings().replace(&none, &first, ()).unwrap()]).await.unwrap();
    check(&table, "settings", "settings").await;
    assert_eq!(table.store.settings().find().await.unwrap(), first);
    let second = StoredSettings { version: 2, ..none.clone() };
    for stale in [&none, &second] {
        let refused = table.store.settings().replace(stale, &second, ()).unwrap();
        table.store.commit(&[refused]).await.unwrap_err();
    }
    table.store.commit(&[table.store.settings().replace(&first, &second, ()).unwrap()]).await.unwrap();
}

#[tokio::test]
async fn settings_that_were_in_force_until_a_change() {
    let table = table().await;
    let settings = table.store.settings();
    let price = guerdon_domain::settings::SettingValue::Amount(usd(3900));
    let known = Override { set: Some(price), at: NOW, by: "op_5f0e".into() };
    let before = StoredSettings { version: 3, overrides: [("plans.fang.price".to_owned(), known)].into() };
    let until = NOW.plus_seconds(60);
    table.store.commit(&[settings.supersede(&before, until, ()).unwrap()]).await.unwrap();
    check(&table, "superseded_settings", "superseded_settings").await;
    assert_eq!(settings.superseded(until.plus_seconds(-1)).await.unwrap(), Some(before));
    assert_eq!(settings.superseded(until).await.unwrap(), None, "the change is in force in its second");
}

#[tokio::test]
async fn parked_events() {
    let table = table().await;
    let event = parked("evt_1SRzqEKXBGcbgpbZdQ0vW8yX", NOW, 5);
    table.store.commit(&table.store.parked().park_until(&event, ()).unwrap()).await.unwrap();
    check(&table, "parked", "parked_for_customer").await;
    table.store.parked().remove(&event).await.unwrap();
    let kind = "telegram.refunded_payment".to_owned();
    let event = guerdon_store::payments::ParkedEvent { waits_for: WaitsFor::Handler { kind }, ..event };
    assert_eq!(table.store.parked().park(&event).await.unwrap(), Effect::Applied);
    check(&table, "parked", "parked_for_handler").await;
}

#[tokio::test]
async fn guards_that_the_ttl_takes_away() {
    let table = table().await;
    assert_eq!(table.store.messages().see_update(731_204_118, NOW).await.unwrap(), Effect::Applied);
    check(&table, "update", "seen_update").await;
    let event = "commission_booked:stripe:in_1SRzqCKXBGcbgpbZs4xgnmrX-recruit-1";
    let message = "7d1c3f0a-55c1-4d43-9a1c-0c6a8f7f4a10";
    assert_eq!(table.store.messages().claim(event, message, NOW, 120).await.unwrap(), Claim::Ours);
    table.store.messages().sent(event, NOW.plus_seconds(1)).await.unwrap();
    check(&table, "notification", "notification").await;
    table.store.requests().count_call("admin-token", 120, NOW).await.unwrap();
    check(&table, "rate", "rate").await;
    assert_eq!(table.store.requests().count_sign_in(0x2a, 100, NOW).await.unwrap(), Some(1));
    check(&table, "sign_ins", "sign_ins").await;
}

#[tokio::test]
async fn projected_items() {
    let table = table().await;
    let shard = "shardId-00000001634567890123-abcdef01";
    let project = |target: Projection, adds: &[(&str, i64)]| {
        let adds = adds.iter().map(|(name, add)| ((*name).to_owned(), *add)).collect();
        let contribution = Contribution { sequence: "4421584500000000017450439091".to_owned(), adds };
        let store = table.store.clone();
        async move { store.statistics().project(&target, shard, &[contribution], NOW).await.unwrap() }
    };
    project(Projection::Totals, &[("members", 1), ("paid_USD", 4797)]).await;
    project(Projection::Day(NOW.day()), &[("payments", 1)]).await;
    project(Projection::Member(id(1)), &[("converted", 1), ("pending", -1)]).await;
    project(Projection::Rank(id(1), format!("week-{}", NOW.iso_week())), &[("score", 1)]).await;
    project(Projection::Histogram("all".to_owned()), &[("0001", 1)]).await;
    for kind in ["totals", "day", "member_stats", "rank", "histogram"] {
        check(&table, kind, &format!("projected_{kind}")).await;
    }
}

/// Checks the sizes of numbers and nested values against figures computed by hand.
#[test]
fn sizes_follow_the_documented_rule() {
    let size = |name: &str, value| item_size(&Item::from([(name.to_owned(), value)]));
    let n = |digits: &str| AttributeValue::N(digits.to_owned());
    assert_eq!(size("pk", AttributeValue::S("Łódź".to_owned())), 2 + 7);
    assert_eq!(
        [n("0"), n("7"), n("100"), n("-12"), n("1795253400000")].map(|n| value_size(&n)),
        [1, 2, 2, 3, 5]
    );
    let nested = AttributeValue::M([("ab".to_owned(), n("12"))].into());
    assert_eq!(size("m", nested), 1 + 3 + 1 + 2 + 2);
    assert_eq!(size("flag", AttributeValue::Bool(true)), 4 + 1);
}
