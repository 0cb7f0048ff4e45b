//! Records of the money engine: commissions in all their states, reversals of a payment, limits, withdrawals.

use std::collections::BTreeMap;

use guerdon_domain::{
    commissions::{Commission, CommissionState, VoidReason},
    exchange::ExchangeRate,
    ids::{ExternalPaymentId, PaymentKey, ProductId, Rail},
    money::{Currency, Money, Rounding},
    operators::Stamp,
    payments::{DisputeStage, PaymentLine, Place, RefundStage, Reversal, ReversalKind, Reversals},
    programs::{Amount, Beneficiary, Cap, CapPeriod, Limit, Trigger},
    referrals::Progress,
    wallets::{Wallet, WalletKind},
    withdrawals::Withdrawal,
};
use guerdon_store::payments::{ParkedEvent, PaymentReference, WaitsFor};

use crate::{check, check_within_a_unit, support::*};

/// A payment intent at Stripe.
fn intent() -> PaymentKey {
    let id = ExternalPaymentId::parse("pi_3SRzqCKXBGcbgpbZ1mT4uVwX").unwrap();
    PaymentKey { rail: Rail::Stripe, id }
}

fn cap(minor: i64, per: CapPeriod) -> Option<Cap> {
    Some(Cap { amount: usd(minor), per })
}

async fn insert(table: &Table, commission: &Commission) {
    table.store.commit(&[table.store.commissions().insert(commission, ()).unwrap()]).await.unwrap();
}

async fn settle(table: &Table, before: &Commission, after: &Commission) {
    table.store.commit(&[table.store.commissions().settle(before, after, ()).unwrap()]).await.unwrap();
}

async fn reverse(table: &Table, before: &Commission, undone: i64, disputed: bool) -> Commission {
    let (after, _) = before.after_reversal(usd(undone), disputed, NOW.plus_days(2)).unwrap();
    table.store.commit(&[table.store.commissions().replace(before, &after, ()).unwrap()]).await.unwrap();
    after
}

#[tokio::test]
async fn a_commission_that_converts() {
    let table = table().await;
    let place = Place::Conversion { joined_at: NOW, attempt: 0 };
    insert(&table, &Commission { place, ..commission(7, 1, 2) }).await;
    check_within_a_unit(&table, "commission", "commission_conversion").await;
}

#[tokio::test]
async fn a_commission_that_is_granted_once() {
    let table = table().await;
    let mut once = Commission { place: Place::Once { joined_at: NOW, attempt: 0 }, ..commission(7, 2, 2) };
    once.snapshot.level = 0;
    once.snapshot.rule.beneficiary = Beneficiary::Referee;
    insert(&table, &under("welcome", once)).await;
    check_within_a_unit(&table, "commission", "commission_once").await;
}

#[tokio::test]
async fn a_released_commission_that_is_partly_clawed_back() {
    let table = table().await;
    let held = commission(7, 1, 2);
    let released = released(&held, 12, NOW.plus_days(1));
    insert(&table, &held).await;
    settle(&table, &held, &released).await;
    reverse(&table, &released, 1599, false).await;
    check_within_a_unit(&table, "commission", "commission_clawed_back").await;
}

#[tokio::test]
async fn a_commission_that_waits_for_a_dispute_and_then_comes_to_nothing() {
    let table = table().await;
    let held = commission(7, 1, 2);
    insert(&table, &held).await;
    let frozen = reverse(&table, &held, 0, true).await;
    check_within_a_unit(&table, "commission", "commission_frozen").await;
    reverse(&table, &frozen, 4797, false).await;
    check_within_a_unit(&table, "commission", "commission_void_reversed").await;
}

#[tokio::test]
async fn a_commission_of_which_caps_leave_a_part_or_nothing() {
    let table = table().await;
    let held = commission(7, 1, 2);
    insert(&table, &held).await;
    let at = NOW.plus_days(1);
    let part = Commission { allowed: Some(400), ..released(&held, 12, at) };
    settle(&table, &held, &part).await;
    check_within_a_unit(&table, "commission", "commission_capped").await;
}

#[tokio::test]
async fn a_commission_of_which_caps_leave_nothing() {
    let table = table().await;
    let held = commission(7, 1, 2);
    insert(&table, &held).await;
    let state = CommissionState::Void { at: NOW.plus_days(1), reason: VoidReason::Capped };
    settle(&table, &held, &Commission { allowed: Some(0), state, ..held.clone() }).await;
    check_within_a_unit(&table, "commission", "commission_void_capped").await;
}

#[tokio::test]
async fn a_commission_that_waits_to_be_claimed() {
    let table = table().await;
    let mut held = commission(7, 1, 2);
    held.snapshot.rule.claim_within_days = Some(14);
    insert(&table, &held).await;
    check_within_a_unit(&table, "commission", "commission_to_claim").await;
    let claimed = Commission { claimed_at: Some(NOW.plus_days(2)), ..held.clone() };
    table.store.commit(&[table.store.commissions().replace(&held, &claimed, ()).unwrap()]).await.unwrap();
    check_within_a_unit(&table, "commission", "commission_claimed").await;
}

/// Makes a rule with every field set, under a budget and at a rate, with three products.
fn elaborate(mut held: Commission) -> Commission {
    held.snapshot.version = 27;
    held.snapshot.level = 2;
    held.snapshot.budget = cap(500_000_000, CapPeriod::Month);
    held.snapshot.exchange = Some(ExchangeRate {
        from: Currency::EUR,
        to: Currency::USD,
        rate: serde_json::from_str(r#""1.084217""#).unwrap(),
        as_of: NOW,
    });
    let rule = &mut held.snapshot.rule;
    rule.beneficiary = Beneficiary::Upline;
    rule.amount = Amount::PercentOfProfit {
        percent: serde_json::from_str(r#""12.25""#).unwrap(),
        rounding: Rounding::HalfEven,
        quantum_minor: 100,
    };
    rule.products = ["fang", "commander", "prod_TOnRzwk3w8KAot"].map(ProductId::from).into();
    rule.cap_commission = Some(usd(250_000));
    rule.cap_member = cap(1_000_000, CapPeriod::Month);
    under("level-2", held)
}

/// Makes a payment on chain, whose key is a transaction's hash.
fn on_chain(mut held: Commission) -> Commission {
    let txid = format!("{}:12", "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b");
    held.payment = PaymentKey { rail: Rail::Btc, id: ExternalPaymentId::parse(txid).unwrap() };
    held.snapshot.rule.trigger = Trigger::EveryPayment;
    held
}

#[tokio::test]
async fn the_largest_commission_of_an_invoice() {
    let table = table().await;
    let place = Place::Once { joined_at: NOW, attempt: 0 };
    insert(&table, &elaborate(Commission { place, ..commission(7, 1, 2) })).await;
    check_within_a_unit(&table, "commission", "commission_largest").await;
}

#[tokio::test]
async fn a_commission_that_was_paid_on_chain() {
    let table = table().await;
    insert(&table, &under("recruit", on_chain(commission(7, 1, 2)))).await;
    check_within_a_unit(&table, "commission", "commission_on_chain").await;
}

/// The key is in the item three times, which makes the item larger than one write unit.
#[tokio::test]
async fn the_largest_commission_on_chain() {
    let table = table().await;
    insert(&table, &elaborate(on_chain(commission(7, 1, 2)))).await;
    check(&table, "commission", "commission_largest_on_chain").await;
}

#[tokio::test]
async fn a_payment_that_two_levels_earn_from() {
    let table = table().await;
    let mut record = payment(7, 2, 1);
    let first = Commission { place: Place::Conversion { joined_at: NOW, attempt: 0 }, ..commission(7, 1, 2) };
    let mut second = commission(7, 3, 2);
    second.snapshot.level = 2;
    record.trace = vec![granted(&under("level-1", first)), granted(&under("level-2", second))];
    record.cost = Some(usd(1200));
    let line = |product: &str, minor| PaymentLine::unit(product.into(), usd(minor));
    record.lines = vec![line("prod_TOnRzwk3w8KAot", 3900), line("prod_TOnSbq1x7JzKcd", -1200)];
    table.store.commit(&[table.store.payments().insert(&record, ()).unwrap()]).await.unwrap();
    check_within_a_unit(&table, "payment", "payment_two_levels").await;
}

/// One reversal of each kind, and a refund that failed.
fn reversals_of_each_kind() -> [ReversalKind; 6] {
    let refund =
        |id: &str, minor, stage| ReversalKind::Refund { id: id.to_owned(), amount: usd(minor), stage };
    [
        refund("re_3SRzqCKXBGcbgpbZ1AbCdEfG", 1000, RefundStage::Succeeded),
        refund("re_3SRzqCKXBGcbgpbZ1HiJkLmN", 500, RefundStage::Failed),
        ReversalKind::Dispute {
            id: "du_1SRzqCKXBGcbgpbZOpQrStUv".to_owned(),
            amount: usd(4797),
            stage: DisputeStage::Opened,
        },
        ReversalKind::CreditNote {
            id: "cn_1SRzqCKXBGcbgpbZWxYzAbCd".to_owned(),
            amount: usd(1000),
            refunds: vec!["re_3SRzqCKXBGcbgpbZ1AbCdEfG".to_owned()],
            voided: false,
        },
        ReversalKind::RefundedTotal { amount: usd(1000) },
        ReversalKind::Invoice { undone: false },
    ]
}

#[tokio::test]
async fn a_payment_with_several_reversals() {
    let table = table().await;
    let record = payment(7, 2, 1);
    table.store.commit(&[table.store.payments().insert(&record, ()).unwrap()]).await.unwrap();
    let mut reversals = Reversals::default();
    for (days, kind) in (1..).zip(reversals_of_each_kind()) {
        let said = Reversal { at: NOW.plus_days(days), kind };
        reversals = reversals.merged(&said, record.paid).unwrap().unwrap();
    }
    table.store.commit(&[table.store.payments().reverse(&record, &reversals, ()).unwrap()]).await.unwrap();
    check_within_a_unit(&table, "payment", "payment_reversed").await;
    let stored = table.store.payments().find(&record.payment).await.unwrap().unwrap();
    assert_eq!((stored.reversals.seq, &stored.reversals), (6, &reversals));
}

#[tokio::test]
async fn a_referral_of_two_levels_with_its_counts() {
    let table = table().await;
    let edge = guerdon_domain::referrals::Referral { upline: Some(id(3)), ..referral(1, 2) };
    table.store.commit(&[table.store.referrals().insert(&edge, ()).unwrap()]).await.unwrap();
    let months = ["2026-09", "2026-10", "2026-11"].map(|month| (month.to_owned(), 1)).into();
    let progress = BTreeMap::from([
        ("loyal".into(), Progress { months, ..Progress::default() }),
        ("third-box".into(), Progress { payments: 2, ..Progress::default() }),
    ]);
    table
        .store
        .commit(&[table.store.referrals().count_progress(&edge, &progress, ()).unwrap()])
        .await
        .unwrap();
    check_within_a_unit(&table, "referral", "referral_counting").await;
}

#[tokio::test]
async fn a_version_of_the_program() {
    let table = table().await;
    let mut set = version(2);
    set.program.budget = cap(500_000_000, CapPeriod::Month);
    set.program.upline_active_days = Some(90);
    set.program.rates = vec![ExchangeRate {
        from: Currency::EUR,
        to: Currency::INR,
        rate: serde_json::from_str(r#""98.4125""#).unwrap(),
        as_of: NOW,
    }];
    table.store.commit(&[table.store.programs().insert(&set, ()).unwrap()]).await.unwrap();
    check(&table, "program", "program_version").await;
    assert_eq!(table.store.programs().versions(None, 1).await.unwrap(), [set]);
}

#[tokio::test]
async fn what_a_limit_has_let_through() {
    let limits = [
        (Limit::Member(id(1), "recruit".into()), "limit_of_a_member"),
        (Limit::Budget, "limit_of_the_program"),
    ];
    for (limit, name) in limits {
        let table = table().await;
        let unused = table.store.programs().limit_use(&limit, "2026-11").await.unwrap();
        table
            .store
            .commit(&[table.store.programs().use_limit(&unused, usd(97_000), ()).unwrap()])
            .await
            .unwrap();
        check_within_a_unit(&table, "limit", name).await;
    }
}

/// Writes the one stored withdrawal after a step.
async fn step(table: &Table, before: &Withdrawal, after: Withdrawal, name: &str) -> Withdrawal {
    table.store.commit(&[table.store.withdrawals().replace(before, &after, ()).unwrap()]).await.unwrap();
    check_within_a_unit(table, "withdrawal", name).await;
    after
}

fn stamp(by: &str, minutes: i64) -> Stamp {
    Stamp { by: by.into(), at: NOW.plus_seconds(60 * minutes) }
}

#[tokio::test]
async fn a_withdrawal_on_its_way() {
    let table = table().await;
    let asked = withdrawal(1, 12);
    table.store.commit(&[table.store.withdrawals().insert(&asked, ()).unwrap()]).await.unwrap();
    check_within_a_unit(&table, "withdrawal", "withdrawal_requested").await;
    let agreed = asked.clone().approve(stamp("admin-token", 10)).unwrap();
    let agreed = step(&table, &asked, agreed, "withdrawal_approved").await;
    let batch = Some("2026-11-21-upi-01".into());
    let paying = agreed.clone().claim(stamp("finance-token", 20), batch).unwrap();
    let paying = step(&table, &agreed, paying, "withdrawal_paying").await;
    let lost = paying.clone().lose_sight(NOW.plus_seconds(1800)).unwrap();
    let lost = step(&table, &paying, lost, "withdrawal_unknown").await;
    let paid = lost.clone().pay(stamp("finance-token", 40), "UTR 432909118734".to_owned()).unwrap();
    step(&table, &lost, paid, "withdrawal_paid").await;
}

#[tokio::test]
async fn a_rejected_withdrawal() {
    let table = table().await;
    let asked = withdrawal(1, 12);
    table.store.commit(&[table.store.withdrawals().insert(&asked, ()).unwrap()]).await.unwrap();
    let why = "the name does not match the account, ticket 4711".to_owned();
    let rejected = asked.clone().reject(stamp("admin-token", 10), why).unwrap();
    step(&table, &asked, rejected, "withdrawal_rejected").await;
}

#[tokio::test]
async fn other_names_of_a_payment() {
    let table = table().await;
    let tie = PaymentReference { reference: intent(), payment: invoice(7) };
    table.store.customers().tie_reference(&tie).await.unwrap();
    check_within_a_unit(&table, "reference", "payment_reference").await;
    table.store.payments().list(&listed(&payment(7, 2, 1))).await.unwrap();
    check_within_a_unit(&table, "payment_link", "payment_link").await;
}

#[tokio::test]
async fn events_that_wait_for_a_payment() {
    let waits = [
        (WaitsFor::Payment { payment: invoice(7) }, "parked_for_payment"),
        (WaitsFor::Reference { reference: intent() }, "parked_for_reference"),
    ];
    for (waits_for, name) in waits {
        let table = table().await;
        let event = ParkedEvent {
            waits_for,
            event_kind: "charge.refunded".to_owned(),
            ..parked("evt_1SRzqEKXBGcbgpbZdQ0vW8yX", NOW, 5)
        };
        table.store.commit(&table.store.parked().park_until(&event, ()).unwrap()).await.unwrap();
        check(&table, "parked", name).await;
    }
}

#[tokio::test]
async fn a_wallet_with_an_open_withdrawal() {
    let table = table().await;
    let inr = |minor| Money::new(minor, Currency::INR);
    let empty = Wallet::empty(id(1), WalletKind::Earnings, Currency::INR);
    let (wallet, _) = empty.release(inr(98_765_432), 97, "5f".repeat(32), NOW).unwrap();
    let asked = withdrawal(1, 2);
    let (mut wallet, entry) = wallet.request_withdrawal(asked.amount, asked.id, NOW).unwrap();
    // Numbered as the first one, so that it can be written to an empty table.
    wallet.seq = 1;
    table.store.commit(&table.store.wallets().post(&wallet, &entry, ()).unwrap()).await.unwrap();
    check_within_a_unit(&table, "wallet", "wallet_withdrawing").await;
    check_within_a_unit(&table, "entry", "entry_withdrawal").await;
}

#[tokio::test]
async fn the_entry_of_a_clawback() {
    let table = table().await;
    let (wallet, _) = give(empty_wallet(1), 400, 1);
    let (mut wallet, entry) = wallet.claw_back(usd(1000), commission(7, 1, 2).id, NOW).unwrap();
    wallet.seq = 1;
    table.store.commit(&table.store.wallets().post(&wallet, &entry, ()).unwrap()).await.unwrap();
    check_within_a_unit(&table, "entry", "entry_clawed_back").await;
}
