//! A first payment that is undone as a whole does not convert: the next one does, and nothing is paid twice.

use std::{
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use guerdon_app::{
    payments::{Recorded, record_payment},
    settings::set_setting,
};
use guerdon_domain::{
    payments::{DisputeStage, PaymentFacts},
    referrals::Referral,
    statistics::Counter,
};
use guerdon_engine::connector::{Fault, Faults};
use guerdon_store::statistics::Projection;

use crate::{
    reversing::{dispute, refunded},
    support::*,
};

/// $10 for the referee's first payment, and $5 of it for the upline.
const TWO_LEVELS: &str = r#"
[[program.rules]]
id = "upline"
trigger = "first_payment"
beneficiary = "upline"
hold_seconds = 0
target = "bill_credit"
minimum_payment = { minor = 0, currency = "USD" }
amount = { kind = "flat", amount = { minor = 500, currency = "USD" } }
"#;

/// Member 1 brought 2, who has paid $39.
async fn paid() -> Business {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.pay(2, "in_1").await;
    b.project_all().await;
    b
}

async fn referral(b: &Business, referee: i64) -> Referral {
    let member = b.calm().members().find(&b.id(referee)).await.unwrap().unwrap();
    b.calm().referrals().of(&member).await.unwrap().unwrap()
}

/// The member's referrals: pending, converted, and the score of all time.
async fn counted(b: &Business, user: i64) -> (i64, i64, i64) {
    b.project_all().await;
    let counters = b.calm().statistics().counters(&Projection::Member(b.id(user))).await.unwrap();
    let score = b.calm().statistics().score(&b.id(user), "all").await.unwrap();
    (counters.get(Counter::Pending), counters.get(Counter::Converted), score.unwrap_or_default())
}

fn reason(recorded: &Recorded) -> Option<&'static str> {
    recorded.record().refusal().map(|reason| reason.code())
}

#[tokio::test]
async fn the_next_payment_converts_when_the_first_was_refunded() {
    let b = paid().await;
    b.settle(1).await;
    b.reverse("in_1", 1, refunded(3900)).await;
    assert_eq!((b.buckets(1).await, counted(&b, 1).await), ((0, 0, 0), (1, 0, 0)));
    assert_eq!(reason(&b.pay(2, "in_2").await), None);
    assert_eq!((b.settle(1).await, b.buckets(1).await), (1, (1000, 0, 0)));
    assert_eq!((counted(&b, 1).await, referral(&b, 2).await.undone), ((0, 1, 1), 1));
    assert_eq!(reason(&b.pay(2, "in_3").await), Some("already_converted"));
    b.sound(1, "in_1").await;
    b.sound(1, "in_2").await;
}

#[tokio::test]
async fn the_next_payment_converts_before_the_stream_has_told_of_the_refund() {
    let b = paid().await;
    b.reverse("in_1", 1, refunded(3900)).await;
    assert_eq!(reason(&b.pay(2, "in_2").await), None);
    assert_eq!((counted(&b, 1).await, referral(&b, 2).await.undone), ((0, 1, 1), 1));
    b.sound(1, "in_2").await;
}

#[tokio::test]
async fn a_part_that_stays_converts() {
    let b = paid().await;
    b.reverse("in_1", 1, refunded(3890)).await;
    assert_eq!(reason(&b.pay(2, "in_2").await), Some("already_converted"));
    assert_eq!(counted(&b, 1).await, (0, 1, 1));
}

#[tokio::test]
async fn a_dispute_that_is_won_too_late_pays_nothing_twice() {
    let b = paid().await;
    b.reverse("in_1", 1, dispute(3900, DisputeStage::Withdrawn)).await;
    b.pay(2, "in_2").await;
    b.reverse("in_1", 2, dispute(3900, DisputeStage::Won)).await;
    b.settle(1).await;
    assert_eq!((b.buckets(1).await, counted(&b, 1).await), ((1000, 0, 0), (0, 1, 1)));
    b.sound(1, "in_1").await;
    // The second one is refunded too: the next one may convert again.
    b.reverse("in_2", 3, refunded(3900)).await;
    assert_eq!(reason(&b.pay(2, "in_3").await), None);
    b.settle(1).await;
    b.project_all().await;
    assert_eq!((b.buckets(1).await, referral(&b, 2).await.undone), ((1000, 0, 0), 2));
    for invoice in ["in_1", "in_2", "in_3"] {
        b.sound(1, invoice).await;
    }
}

#[tokio::test]
async fn a_dispute_that_is_won_in_time_converts_again() {
    let b = paid().await;
    b.reverse("in_1", 1, dispute(3900, DisputeStage::Withdrawn)).await;
    assert_eq!(counted(&b, 1).await, (1, 0, 0));
    b.reverse("in_1", 2, dispute(3900, DisputeStage::Won)).await;
    assert_eq!((counted(&b, 1).await, referral(&b, 2).await.undone), ((0, 1, 1), 0));
    assert_eq!(reason(&b.pay(2, "in_2").await), Some("already_converted"));
    b.settle(1).await;
    assert_eq!(b.buckets(1).await, (1000, 0, 0));
    b.sound(1, "in_1").await;
}

#[tokio::test]
async fn an_undone_payment_that_is_projected_late_converts_nothing() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.pay(2, "in_1").await;
    // Nothing was projected yet.
    b.reverse("in_1", 1, refunded(3900)).await;
    assert_eq!(counted(&b, 1).await, (1, 0, 0));
    assert_eq!(reason(&b.pay(2, "in_2").await), None);
    assert_eq!(counted(&b, 1).await, (0, 1, 1));
}

#[tokio::test]
async fn with_the_setting_off_the_first_payment_counts_for_ever() {
    let b = paid().await;
    set_setting(&b.app, &"olga".into(), "referrals.undone_reopens", "false", None).await.unwrap();
    b.advance(60);
    b.reverse("in_1", 1, refunded(3900)).await;
    assert_eq!(reason(&b.pay(2, "in_2").await), Some("already_converted"));
    assert_eq!(counted(&b, 1).await, (0, 1, 1));
}

#[tokio::test]
async fn the_upline_gets_its_reward_for_the_next_payment_too() {
    let preset = BITTEN.replacen("version = 1", "version = 1\nsecond_level = true", 1);
    let (rules, rest) = preset.split_at(preset.find("[ranks]").unwrap_or(preset.len()));
    let b = Business::open(&format!("{rules}{TWO_LEVELS}\n{rest}")).await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.refer(2, 3).await;
    b.pay(3, "in_1").await;
    b.reverse("in_1", 1, dispute(3900, DisputeStage::Withdrawn)).await;
    b.pay(3, "in_2").await;
    b.reverse("in_1", 2, dispute(3900, DisputeStage::Won)).await;
    b.settle(1).await;
    b.settle(2).await;
    assert_eq!((b.buckets(1).await, b.buckets(2).await), ((500, 0, 0), (1000, 0, 0)));
    b.sound(2, "in_1").await;
    b.sound(1, "in_2").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_restored_payment_and_the_next_one_at_once_pay_once() {
    for round in 0..20 {
        let b = Arc::new(paid().await);
        b.reverse("in_1", 1, dispute(3900, DisputeStage::Withdrawn)).await;
        b.race(2);
        at_once(2, |n| {
            let b = b.clone();
            async move {
                if n == 0 {
                    b.reverse("in_1", 2, dispute(3900, DisputeStage::Won)).await;
                } else {
                    b.pay(2, "in_2").await;
                }
            }
        })
        .await;
        b.settle(1).await;
        assert_eq!((b.buckets(1).await, counted(&b, 1).await), ((1000, 0, 0), (0, 1, 1)), "{round}");
        b.sound(1, "in_1").await;
    }
}

/// $10 for the first purchase of $50 or more, beside a share of every purchase, which may convert before.
const BESIDE: &str = r#"
name = "beside"
brand = "Beside"
currency = "USD"
code_valid_days = 365
referral_window_days = 30
plans = []

[program]
version = 1

[[program.rules]]
id = "first"
trigger = "first_payment"
hold_seconds = 0
target = "bill_credit"
minimum_payment = { minor = 5000, currency = "USD" }
amount = { kind = "flat", amount = { minor = 1000, currency = "USD" } }

[[program.rules]]
id = "every"
trigger = "every_payment"
hold_seconds = 0
target = "bill_credit"
minimum_payment = { minor = 0, currency = "USD" }
amount = { kind = "flat", amount = { minor = 100, currency = "USD" } }
"#;

/// Keeps the first transaction back until it is let go.
#[derive(Default)]
struct Kept {
    /// Whether it has come, and whether it may go.
    state: Mutex<(bool, bool)>,
    moved: Condvar,
}

impl Kept {
    fn came(&self) {
        let state = self.state.lock().unwrap();
        let wait = || self.moved.wait_timeout_while(state, Duration::from_secs(5), |state| !state.0).unwrap();
        assert!(!tokio::task::block_in_place(wait).1.timed_out(), "it never came");
    }

    fn let_go(&self) {
        self.state.lock().unwrap().1 = true;
        self.moved.notify_all();
    }
}

impl Faults for Kept {
    fn next(&self, operation: &str) -> Fault {
        let mut state = self.state.lock().unwrap();
        if operation == "TransactWriteItems" && !state.0 {
            state.0 = true;
            self.moved.notify_all();
            let wait =
                || self.moved.wait_timeout_while(state, Duration::from_secs(5), |state| !state.1).unwrap();
            assert!(!tokio::task::block_in_place(wait).1.timed_out(), "it was never let go");
        }
        Fault::None
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_first_payment_beside_a_conversion_that_is_undone_meanwhile_is_rewarded_once() {
    let b = Arc::new(Business::open(BESIDE).await);
    b.join(1).await;
    b.refer(1, 2).await;
    b.pay(2, "in_1").await;
    let large =
        |b: &Business, id: &str| PaymentFacts::purchase(stripe_key(id), b.id(2), usd(8900), b.app.now());
    let kept = Arc::new(Kept::default());
    b.break_with(kept.clone());
    // The first large payment is decided while the small one counts, and written after it does not.
    let late = tokio::spawn({
        let (b, facts) = (b.clone(), large(&b, "in_2"));
        async move { record_payment(&b.app, &facts).await.unwrap() }
    });
    kept.came();
    b.reverse("in_1", 1, refunded(3900)).await;
    record_payment(&b.app, &large(&b, "in_3")).await.unwrap();
    kept.let_go();
    late.await.unwrap();
    b.settle(1).await;
    assert_eq!(b.buckets(1).await, (1200, 0, 0), "$10 once, and $1 for each payment that stands");
    for invoice in ["in_1", "in_2", "in_3"] {
        b.sound(1, invoice).await;
    }
}
