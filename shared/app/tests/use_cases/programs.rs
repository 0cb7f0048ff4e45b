//! The program as a setting: versions, caps, counting rules, and what another one would have paid.

use std::sync::Arc;

use guerdon_app::{
    once::Call,
    payments::{explain_member, explain_payment, record_payment},
    programs::{ProgramRefusal, newest_program, set_program, simulate},
};
use guerdon_domain::{
    commissions::{CommissionState, VoidReason},
    money::{Currency, Money},
    payments::{PaymentFacts, Refusal},
    programs::{Amount, Beneficiary, Cap, CapPeriod, Program, Rule, Trigger},
    wallets::WalletKind,
};

use crate::{reversing::refunded, support::*};

fn request(key: &str) -> Call {
    Call { principal: "admin".into(), key: key.to_owned(), input_hash: format!("hash of {key}") }
}

fn flat(program: &Program, minor: i64) -> Program {
    let mut next = Program { version: program.version + 1, ..program.clone() };
    next.rules[0].amount = Amount::Flat { amount: usd(minor) };
    next
}

impl Business {
    pub async fn set(&self, change: impl FnOnce(&mut Program)) {
        let mut next = newest_program(&self.app).await.unwrap().program;
        next.version += 1;
        change(&mut next);
        set_program(&self.app, &request(&format!("k{}", next.version)), "a test", next).await.unwrap();
        self.advance(60);
    }

    pub async fn every_payment(&self, change: impl FnOnce(&mut Rule)) {
        self.set(|program| {
            program.rules[0].trigger = Trigger::EveryPayment;
            change(&mut program.rules[0]);
        })
        .await;
    }
}

#[tokio::test]
async fn a_change_decides_later_payments_and_touches_nothing_booked() {
    let b = bitten().await;
    b.join(1).await;
    for referee in 2..=4 {
        b.refer(1, referee).await;
    }
    b.pay(2, "in_2").await;
    let old = b.invoice(3, "in_3");
    let preset = newest_program(&b.app).await.unwrap().program;
    let set = set_program(&b.app, &request("k1"), "a test", flat(&preset, 1500)).await.unwrap();
    assert_eq!(set.effective_from, NOW.plus_seconds(60));
    b.advance(61);
    b.pay(4, "in_4").await;
    // Told late, a payment is decided by the rules of its time.
    record_payment(&b.app, &old).await.unwrap();
    let mut granted: Vec<_> = b
        .commissions(1)
        .await
        .iter()
        .map(|c| (c.payment.id.to_string(), c.amount.minor(), c.snapshot.version))
        .collect();
    granted.sort();
    let expected = [("in_2", 1000, 1), ("in_3", 1000, 1), ("in_4", 1500, 2)];
    assert_eq!(granted, expected.map(|(id, minor, version)| (id.to_owned(), minor, version)));
}

#[tokio::test]
async fn a_payment_in_the_second_that_is_shown_as_the_beginning_belongs_to_the_new_version() {
    let b = bitten().await;
    b.join(1).await;
    for referee in 2..=3 {
        b.refer(1, referee).await;
    }
    let late = Call { key: "k1".to_owned(), ..request("k1") };
    let preset = newest_program(&b.app).await.unwrap().program;
    let set = set_program(&b.app, &late, "a test", flat(&preset, 1500)).await.unwrap();
    b.advance(120);
    let at = |at| PaymentFacts { paid_at: at, ..b.invoice(2, "in_2") };
    let shown = set.effective_from.whole_second();
    assert_eq!(set.effective_from, shown, "what is shown is what is stored");
    assert_eq!(record_payment(&b.app, &at(shown)).await.unwrap().record().program_version, 2);
    let before = PaymentFacts { key: stripe_key("in_3"), ..at(shown.plus_seconds(-1)) };
    assert_eq!(record_payment(&b.app, &before).await.unwrap().record().program_version, 1);
}

#[tokio::test]
async fn every_version_stays_reachable() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    let mut next = newest_program(&b.app).await.unwrap().program;
    let mut seconds = Vec::new();
    for n in 2..=204 {
        next.version = n;
        let set = set_program(&b.app, &request(&format!("k{n}")), "a test", next.clone()).await.unwrap();
        seconds.push((n, set.effective_from));
        b.advance(1);
    }
    b.advance(60);
    for (version, from) in seconds {
        let facts = PaymentFacts { paid_at: from, ..b.invoice(2, &format!("in_{version}")) };
        assert_eq!(record_payment(&b.app, &facts).await.unwrap().record().program_version, version);
    }
    let old = PaymentFacts { paid_at: NOW, ..b.invoice(2, "in_old") };
    assert_eq!(record_payment(&b.app, &old).await.unwrap().record().program_version, 1);
}

/// Rewards uplines who paid within ten days.
async fn active_uplines(b: &Business) {
    b.set(|program| {
        program.second_level = true;
        program.upline_active_days = Some(10);
        (program.rules[0].beneficiary, program.rules[0].trigger) =
            (Beneficiary::Upline, Trigger::EveryPayment);
    })
    .await;
}

#[tokio::test]
async fn an_upline_who_paid_before_the_program_asked_for_it_is_active() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.refer(2, 3).await;
    b.pay(1, "in_1").await;
    b.project_all().await;
    active_uplines(&b).await;
    let reason = async |id: &str| {
        let recorded = b.pay(3, id).await;
        b.project_all().await;
        recorded.record().refusal().map(Refusal::code)
    };
    assert_eq!(reason("in_2").await, None, "the upline paid a minute ago");
    let program = newest_program(&b.app).await.unwrap().program;
    b.advance(11 * DAY);
    assert_eq!(reason("in_3").await, Some("upline_inactive"));
    b.advance(1);
    b.pay(1, "in_4").await;
    b.project_all().await;
    assert_eq!(reason("in_5").await, None);
    let tried = simulate(&b.app, &program, NOW, 12).await.unwrap();
    assert_eq!(tried.rules, tried.granted, "the dry run looks at the time of each payment");
    assert_eq!(tried.refusals["upline_inactive"], 1);
}

#[tokio::test]
async fn a_payment_that_was_undone_as_a_whole_makes_no_upline_active() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.refer(2, 3).await;
    active_uplines(&b).await;
    b.pay(1, "in_1").await;
    b.project_all().await;
    b.reverse("in_1", 1, refunded(3900)).await;
    assert_eq!(b.pay(3, "in_2").await.record().refusal(), Some(Refusal::UplineInactive));
}

#[tokio::test]
async fn a_program_is_set_once_by_who_has_seen_the_present_one() {
    let b = bitten().await;
    let preset = newest_program(&b.app).await.unwrap().program;
    let next = flat(&preset, 1500);
    let set = set_program(&b.app, &request("k1"), "a test", next.clone()).await.unwrap();
    assert_eq!(set_program(&b.app, &request("k1"), "a test", next.clone()).await.unwrap(), set);
    let other = Call { input_hash: "other".to_owned(), ..request("k1") };
    assert!(matches!(
        set_program(&b.app, &other, "a test", next.clone()).await,
        Err(ProgramRefusal::KeyReused)
    ));
    assert!(matches!(
        set_program(&b.app, &request("k2"), "a test", next).await,
        Err(ProgramRefusal::Outdated(2))
    ));
    let wrong = Program { version: 3, ..flat(&set.program, -5) };
    let refused = set_program(&b.app, &request("k3"), "a test", wrong).await.unwrap_err().to_string();
    assert!(refused.contains("rules.recruit.amount"), "{refused}");
    let trail = b.calm().audit().trail("2026-11", None, 10).await.unwrap();
    assert_eq!(trail.len(), 1);
    assert!(trail[0].before.contains("1000") && trail[0].after.contains("1500"));
}

#[tokio::test]
async fn a_cap_per_member_binds_at_release_and_says_so() {
    let b = bitten().await;
    b.every_payment(|rule| rule.cap_member = Some(Cap { amount: usd(2500), per: CapPeriod::Month })).await;
    b.join(1).await;
    b.refer(1, 2).await;
    for n in 0..4 {
        b.pay(2, &format!("in_{n}")).await;
    }
    assert_eq!((b.settle(1).await, b.buckets(1).await), (3, (2500, 0, 0)));
    let mut left: Vec<_> = b.commissions(1).await.iter().map(|c| (c.state.as_str(), c.allowed)).collect();
    left.sort_unstable();
    assert_eq!(left, [("released", None), ("released", None), ("released", Some(500)), ("void", Some(0))]);
    let capped = |c: &&guerdon_domain::commissions::Commission| {
        matches!(c.state, CommissionState::Void { reason: VoidReason::Capped, .. })
    };
    assert_eq!(b.commissions(1).await.iter().filter(capped).count(), 1);
    // Another month, another cap.
    b.advance(31 * DAY);
    b.pay(2, "in_9").await;
    assert_eq!((b.settle(1).await, b.buckets(1).await), (1, (3500, 0, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_budget_is_never_exceeded_however_many_settle_at_once() {
    let b = Arc::new(bitten().await);
    b.set(|program| program.budget = Some(Cap { amount: usd(4500), per: CapPeriod::Ever })).await;
    for referrer in 1..=8 {
        b.join(referrer).await;
        b.refer(referrer, 100 + referrer).await;
        b.pay(100 + referrer, &format!("in_{referrer}")).await;
    }
    let released: u32 = at_once(8, |i| {
        let b = b.clone();
        async move { b.settle(1 + i as i64).await }
    })
    .await
    .into_iter()
    .sum();
    let mut sum = 0;
    for referrer in 1..=8 {
        sum += b.buckets(referrer).await.0;
    }
    assert_eq!((released, sum), (5, 4500));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rule_that_counts_fires_once_however_many_payments_come_at_once() {
    for _ in 0..3 {
        let b = Arc::new(bitten().await);
        b.set(|program| program.rules[0].trigger = Trigger::NthPayment(5)).await;
        b.join(1).await;
        b.refer(1, 2).await;
        b.race(4);
        at_once(8, |i| {
            let b = b.clone();
            async move { b.pay(2, &format!("in_{i}")).await }
        })
        .await;
        let commissions = b.commissions(1).await;
        assert_eq!(commissions.len(), 1, "the fifth of eight");
    }
}

/// Adds a rule that welcomes the referee with seven days.
async fn welcome_with_seven_days(b: &Business) {
    b.set(|program| {
        let welcome = Rule {
            id: "welcome".into(),
            beneficiary: Beneficiary::Referee,
            amount: Amount::PremiumDays { days: 7 },
            target: WalletKind::Credits,
            ..program.rules[0].clone()
        };
        program.rules.push(welcome);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_several_first_payments_at_once_one_converts() {
    for _ in 0..5 {
        let b = Arc::new(bitten().await);
        welcome_with_seven_days(&b).await;
        b.join(1).await;
        b.refer(1, 2).await;
        b.race(4);
        at_once(4, |i| {
            let b = b.clone();
            async move { b.pay(2, &format!("in_{i}")).await }
        })
        .await;
        assert_eq!((b.commissions(1).await.len(), b.commissions(2).await.len()), (1, 1));
        b.settle(2).await;
        let days = b.calm().wallets().find(&b.id(2), WalletKind::Credits, Currency::DAY).await.unwrap();
        assert_eq!(days.available().to_string(), "7 days");
    }
}

#[tokio::test]
async fn every_payment_and_member_is_explained() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.pay(2, "in_1").await;
    b.advance(60);
    b.pay(2, "in_2").await;
    b.project_all().await;
    let why = explain_payment(&b.app, &stripe_key("in_2")).await.unwrap().unwrap();
    assert_eq!(why.payment.refusal(), Some(Refusal::AlreadyConverted));
    assert!(explain_payment(&b.app, &stripe_key("in_9")).await.unwrap().is_none());
    let all = explain_member(&b.app, &b.id(2), None, 10).await.unwrap();
    let told: Vec<_> = all.iter().map(|e| (e.payment.payment.id.to_string(), e.commissions.len())).collect();
    assert_eq!(told, [("in_2".to_owned(), 0), ("in_1".to_owned(), 1)]);
    let older = explain_member(&b.app, &b.id(2), Some(&stripe_key("in_2")), 10).await.unwrap();
    assert_eq!(older.len(), 1);
}

#[tokio::test]
async fn another_program_is_tried_on_what_was_paid() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.refer(1, 3).await;
    for (user, id) in [(2, "in_1"), (2, "in_2"), (3, "in_3"), (1, "in_4")] {
        b.pay(user, id).await;
        b.advance(3600);
    }
    b.project_all().await;
    let program = newest_program(&b.app).await.unwrap().program;
    let same = simulate(&b.app, &program, NOW, 2).await.unwrap();
    assert_eq!((same.payments, same.rules[&"recruit".into()].minor), (4, 2000));
    assert_eq!(same.rules, same.granted);
    assert_eq!((same.refusals["already_converted"], same.refusals["not_referred"]), (1, 1));
    let mut other = flat(&program, 700);
    other.rules[0].trigger = Trigger::EveryPayment;
    other.rules[0].cap_member = Some(Cap { amount: usd(2000), per: CapPeriod::Month });
    let tried = simulate(&b.app, &other, NOW, 2).await.unwrap();
    let total = &tried.rules[&"recruit".into()];
    assert_eq!((total.commissions, total.minor, total.cut_minor), (3, 2000, 100));
    assert_eq!(simulate(&b.app, &other, NOW.plus_days(-30), 5).await.unwrap().payments, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_payments_at_once_each_delivered_four_times_earn_a_thousand_commissions() {
    let b = Arc::new(bitten().await);
    b.every_payment(|_| {}).await;
    b.join(1).await;
    for referee in 0..50 {
        b.refer(1, 1000 + referee).await;
    }
    let outcomes = at_once(4000, |i| {
        let b = b.clone();
        async move {
            let payment = (i % 1000) as i64;
            let facts = PaymentFacts { ..b.invoice(1000 + payment % 50, &format!("in_{payment}")) };
            record_payment(&b.app, &facts).await.map(|_| ()).map_err(|error| error.code())
        }
    })
    .await;
    assert!(outcomes.iter().all(Result::is_ok), "a conflict was exhausted");
    let commissions = b.calm().commissions().all(&b.id(1)).await.unwrap();
    let sum = commissions.iter().try_fold(Money::zero(Currency::USD), |sum, c| sum.checked_add(c.amount));
    assert_eq!((commissions.len(), sum), (1000, Ok(usd(1_000_000))));
    assert_eq!((b.settle(1).await, b.buckets(1).await), (1000, (1_000_000, 0, 0)));
}
