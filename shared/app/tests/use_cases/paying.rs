//! Payments and what they earn.

use std::sync::Arc;

use guerdon_app::payments::{Recorded, record_payment};
use guerdon_domain::{
    commissions::CommissionState,
    money::{Currency, Money},
    payments::{PaymentFacts, Refusal},
    referrals::ReferralState,
};

use crate::support::*;

fn reason(recorded: &Recorded) -> &'static str {
    recorded.record().refusal().map_or("granted", Refusal::code)
}

#[tokio::test]
async fn the_first_paid_39_dollar_invoice_earns_ten_dollars() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    let recorded = b.pay(2, "in_1").await;
    assert!(matches!(&recorded, Recorded::Applied(record) if record.program_version == 1));
    let [commission] = &b.commissions(1).await[..] else { panic!() };
    assert_eq!((commission.amount, commission.base), (usd(1000), usd(3900)));
    assert_eq!((commission.state.clone(), commission.due_at), (CommissionState::Held, NOW));
    assert_eq!(reason(&b.pay(2, "in_2").await), "already_converted");
    // The stream turns the referral a moment later.
    b.project_all().await;
    let member = b.calm().members().find(&b.id(2)).await.unwrap().unwrap();
    let state = b.calm().referrals().of(&member).await.unwrap().unwrap().state;
    assert_eq!(state, ReferralState::Converted { payment: stripe_key("in_1"), at: NOW });
    assert_eq!(reason(&b.pay(2, "in_3").await), "already_converted");
}

#[tokio::test]
async fn every_refusal_is_recorded_with_its_reason_and_earns_nothing() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    let paid = |id: &str| b.invoice(2, id);
    let check = async |facts: PaymentFacts, code: &str| {
        let recorded = record_payment(&b.app, &facts).await.unwrap();
        assert_eq!(reason(&recorded), code);
        let again = record_payment(&b.app, &facts).await.unwrap();
        assert_eq!(again, Recorded::AlreadyApplied(recorded.record().clone()));
    };
    check(b.invoice(1, "in_1"), "not_referred").await;
    check(b.invoice(99, "in_2"), "not_referred").await;
    check(PaymentFacts { paid: usd(0), ..paid("in_3") }, "zero_amount").await;
    check(PaymentFacts { paid: usd(-3900), ..paid("in_4") }, "zero_amount").await;
    check(PaymentFacts { tax: usd(3900), ..paid("in_5") }, "zero_amount").await;
    check(PaymentFacts { tier: usd(3899), ..paid("in_6") }, "below_minimum").await;
    let euros = |minor| Money::new(minor, Currency::EUR);
    let foreign = PaymentFacts { paid: euros(3900), tax: euros(0), tier: euros(3900), ..paid("in_7") };
    check(foreign, "currency_mismatch").await;
    check(PaymentFacts { paid_at: NOW.plus_days(365), ..paid("in_8") }, "referral_expired").await;
    assert!(b.commissions(1).await.is_empty());
    assert_eq!(reason(&b.pay(2, "in_9").await), "granted");
}

#[tokio::test]
async fn amounts_that_cannot_be_subtracted_are_corrupt_and_recorded_nowhere() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    let before = b.dump().await;
    let facts = |paid, tax| PaymentFacts { paid, tax, ..b.invoice(2, "in_1") };
    let euro = Money::new(1, Currency::EUR);
    for facts in [facts(usd(3900), euro), facts(usd(i64::MIN), usd(1)), facts(usd(1), usd(i64::MIN))] {
        assert!(!record_payment(&b.app, &facts).await.unwrap_err().retryable());
    }
    assert_eq!(b.dump().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn two_payments_racing_convert_a_referral_once() {
    for _ in 0..5 {
        let b = Arc::new(bitten().await);
        b.join(1).await;
        b.refer(1, 2).await;
        b.race(6);
        let recorded = at_once(6, |i| {
            let b = b.clone();
            async move { b.pay(2, &format!("in_{}", i % 3)).await }
        })
        .await;
        let first = recorded.iter().filter(|r| matches!(r, Recorded::Applied(_)));
        let mut reasons: Vec<_> = first.map(reason).collect();
        reasons.sort_unstable();
        assert_eq!(reasons, ["already_converted", "already_converted", "granted"]);
        assert_eq!(b.commissions(1).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn two_hundred_payments_delivered_thrice_at_once_earn_two_hundred_commissions() {
    let b = Arc::new(bitten().await);
    b.join(1).await;
    for referee in 0..200 {
        b.refer(1, 1000 + referee).await;
    }
    let pay_all = |deliveries: usize| {
        at_once(200 * deliveries, |i| {
            let (b, referee) = (b.clone(), 1000 + (i % 200) as i64);
            async move { matches!(b.pay(referee, &format!("in_{referee}")).await, Recorded::Applied(_)) }
        })
    };
    let applied = pay_all(3).await.into_iter().filter(|applied| *applied).count();
    assert_eq!(applied, 200);
    let commissions = b.commissions(1).await;
    let sum: i64 = commissions.iter().map(|c| c.amount.minor()).sum();
    assert_eq!((commissions.len(), sum), (200, 200_000));
    let before = b.dump().await;
    assert!(pay_all(1).await.into_iter().all(|applied| !applied));
    assert_eq!(b.dump().await, before);
    assert_eq!((b.settle(1).await, b.buckets(1).await), (200, (200_000, 0, 0)));
}

#[tokio::test]
async fn a_payment_within_the_window_converts_even_when_its_webhook_comes_after_the_expiry_job() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.advance(365 * DAY - 60);
    let in_time = b.invoice(2, "in_1");
    b.advance(3600);
    assert_eq!(guerdon_app::referrals::expire(&b.app).await.unwrap().referrals, 1);
    assert_eq!(reason(&record_payment(&b.app, &in_time).await.unwrap()), "granted");
    b.pump().await;
    let counters = b
        .calm()
        .statistics()
        .counters(&guerdon_store::statistics::Projection::Member(b.id(1)))
        .await
        .unwrap();
    let count = |name: &str| counters.named(name);
    assert_eq!(["pending", "expired", "converted"].map(count), [0, 0, 1]);
}

#[tokio::test]
async fn a_payment_that_was_known_before_the_referral_converts_nothing() {
    let b = bitten().await;
    let earlier = b.invoice(2, "in_1");
    b.advance(DAY);
    b.join(1).await;
    b.refer(1, 2).await;
    assert_eq!(reason(&record_payment(&b.app, &earlier).await.unwrap()), "before_referral");
}
