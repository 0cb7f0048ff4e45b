//! The operators' changes.

use std::sync::Arc;

use guerdon_app::{
    commissions::commissions_of,
    once::{Answer, Call, ChangeRefusal, MemberCall},
    payments::force_confirm,
    referrals::{Pending, pending_referrals},
    wallets::{apply_credit, revoke_credit},
};
use guerdon_domain::money::{Currency, Money};

use crate::support::*;

fn request(key: &str, user: i64) -> MemberCall {
    MemberCall {
        call: Call {
            principal: "alice".into(),
            key: key.to_owned(),
            input_hash: format!("hash of {key} for {user}"),
        },
        user_id: tid(user),
        reason: "goodwill".to_owned(),
    }
}

async fn audit(b: &Business) -> Vec<String> {
    let trail = b.calm().audit().trail(&b.app.now().month(), None, 100).await.unwrap();
    trail.into_iter().map(|line| format!("{} {} {}", line.principal, line.action, line.reason)).collect()
}

fn change(answer: &Answer) -> &guerdon_app::once::Change {
    match answer {
        Answer::Applied(change) | Answer::AlreadyApplied(change) => change,
    }
}

#[tokio::test]
async fn credit_is_given_once_per_key_and_audited() {
    let b = bitten().await;
    b.join(1).await;
    let first = apply_credit(&b.app, &request("k1", 1), usd(500)).await.unwrap();
    assert!(matches!(&first, Answer::Applied(c) if c.credit_balance == usd(500)));
    let before = b.dump().await;
    b.advance(DAY);
    let again = apply_credit(&b.app, &request("k1", 1), usd(500)).await.unwrap();
    assert_eq!(again, Answer::AlreadyApplied(change(&first).clone()));
    assert_eq!((b.dump().await, audit(&b).await), (before, vec!["alice credit.apply goodwill".to_owned()]));
    let mut other = request("k1", 1);
    other.call.input_hash = "another".to_owned();
    assert!(matches!(apply_credit(&b.app, &other, usd(900)).await, Err(ChangeRefusal::KeyReused)));
    assert_eq!(b.buckets(1).await, (500, 0, 0));
}

#[tokio::test]
async fn credit_is_taken_up_to_what_is_available() {
    let b = bitten().await;
    b.recruit_paying(1).await;
    let taken = revoke_credit(&b.app, &request("k1", 1), usd(400)).await.unwrap();
    assert_eq!(change(&taken).credit_balance, usd(600));
    let refused = revoke_credit(&b.app, &request("k2", 1), usd(601)).await;
    assert!(matches!(refused, Err(ChangeRefusal::Insufficient(_))), "{refused:?}");
    assert_eq!((b.buckets(1).await, audit(&b).await.len()), ((600, 0, 0), 1));
    b.link(1, "cus_1").await;
    b.post(1).await.unwrap();
    let refused = revoke_credit(&b.app, &request("k3", 1), usd(1)).await;
    assert!(matches!(refused, Err(ChangeRefusal::Insufficient(_))), "{refused:?}");
}

#[tokio::test]
async fn bad_amounts_and_strangers_are_refused() {
    let b = bitten().await;
    b.join(1).await;
    let before = b.dump().await;
    let euro = Money::new(500, Currency::EUR);
    for amount in [usd(0), usd(-1), usd(10_000_001), usd(i64::MIN), usd(i64::MAX), euro] {
        let refused = apply_credit(&b.app, &request("k1", 1), amount).await;
        assert!(matches!(refused, Err(ChangeRefusal::BadAmount(_))), "{amount:?} {refused:?}");
    }
    let stranger = apply_credit(&b.app, &request("k1", 9), usd(1)).await;
    assert!(matches!(stranger, Err(ChangeRefusal::UnknownMember)));
    assert!(matches!(force_confirm(&b.app, &request("k1", 9)).await, Err(ChangeRefusal::UnknownMember)));
    assert_eq!(b.dump().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn racing_grants_under_different_keys_all_count() {
    let b = Arc::new(bitten().await);
    b.join(1).await;
    b.race(8);
    at_once(8, |i| {
        let b = b.clone();
        async move { apply_credit(&b.app, &request(&format!("k{i}"), 1), usd(100)).await.unwrap() }
    })
    .await;
    assert_eq!((b.buckets(1).await, audit(&b).await.len()), ((800, 0, 0), 8));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn racing_twins_of_a_grant_count_once_and_are_answered_alike() {
    let b = Arc::new(bitten().await);
    b.join(1).await;
    b.race(8);
    let answers = at_once(8, |_| {
        let b = b.clone();
        async move { apply_credit(&b.app, &request("k", 1), usd(100)).await.unwrap() }
    })
    .await;
    assert!(answers.iter().all(|answer| change(answer) == change(&answers[0])));
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Answer::Applied(_))).count(), 1);
    assert_eq!((b.buckets(1).await, audit(&b).await.len()), ((100, 0, 0), 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn racing_twins_that_take_everything_are_answered_alike() {
    let b = Arc::new(bitten().await);
    b.recruit_paying(1).await;
    b.settle(1).await;
    b.race(8);
    let answers = at_once(8, |_| {
        let b = b.clone();
        async move { revoke_credit(&b.app, &request("k", 1), usd(1000)).await.map_err(|e| e.to_string()) }
    })
    .await;
    let taken = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!((taken, b.buckets(1).await), (8, (0, 0, 0)), "{answers:?}");
}

#[tokio::test(start_paused = true)]
async fn taking_everything_with_a_lost_answer_is_answered_as_applied() {
    let b = bitten().await;
    b.recruit_paying(1).await;
    b.settle(1).await;
    b.break_with(Script::new(
        "TransactWriteItems",
        [guerdon_engine::connector::Fault::LostAfter, guerdon_engine::connector::Fault::Conflict],
    ));
    let answer = revoke_credit(&b.app, &request("k", 1), usd(1000)).await.unwrap();
    assert_eq!(change(&answer).credit_balance, usd(0));
    assert_eq!((b.buckets(1).await, audit(&b).await.len()), ((0, 0, 0), 1));
}

#[tokio::test]
async fn force_confirm_converts_once_for_the_cheapest_tier() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    let first = force_confirm(&b.app, &request("k1", 2)).await.unwrap();
    assert_eq!((change(&first).amount, change(&first).credit_balance), (usd(1000), usd(1000)));
    let again = force_confirm(&b.app, &request("k1", 2)).await.unwrap();
    assert_eq!(again, Answer::AlreadyApplied(change(&first).clone()));
    // Another key, and then the real payment: nothing is earned again.
    let _ = force_confirm(&b.app, &request("k2", 2)).await;
    b.pay(2, "in_2").await;
    assert_eq!((b.settle(1).await, b.buckets(1).await), (0, (1000, 0, 0)));
    assert_eq!(b.commissions(1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn force_confirms_at_once_earn_once() {
    let b = Arc::new(bitten().await);
    b.join(1).await;
    b.refer(1, 2).await;
    b.race(4);
    let outcomes = at_once(4, |i| {
        let b = b.clone();
        async move { force_confirm(&b.app, &request(&format!("k{}", i % 2), 2)).await.map(|_| i % 2) }
    })
    .await;
    // One key wins and both its twins hear so; the other key is told that there is nothing pending.
    let winners: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    assert!(winners.len() == 2 && winners[0] == winners[1], "{outcomes:?}");
    let refused =
        |outcome: &&Result<_, ChangeRefusal>| matches!(outcome, Err(ChangeRefusal::NotPending("converted")));
    assert_eq!(outcomes.iter().filter(refused).count(), 2, "{outcomes:?}");
    assert_eq!((b.commissions(1).await.len(), b.buckets(1).await), (1, (1000, 0, 0)));
}

#[tokio::test]
async fn force_confirm_needs_a_pending_referral() {
    let b = bitten().await;
    b.join(1).await;
    for referee in [2, 3] {
        b.refer(1, referee).await;
    }
    b.pay(2, "in_2").await;
    let check = async |user: i64, expect: &str| {
        let error = force_confirm(&b.app, &request("k", user)).await.unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    check(1, "was not referred").await;
    check(2, "converted").await;
    b.advance(365 * DAY);
    check(3, "expired").await;
    guerdon_app::referrals::expire(&b.app).await.unwrap();
    check(3, "expired").await;
    assert!(audit(&b).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_the_longest_page_are_readable() {
    let b = bitten().await;
    b.join(1).await;
    for referee in 1001..1121 {
        b.refer(1, referee).await;
    }
    let (mut from, mut seen) = (Some(Pending::default()), 0);
    while let Some(page) = from {
        let (rows, next) = pending_referrals(&b.app, page, 200).await.unwrap();
        (from, seen) = (next, seen + rows.len());
    }
    for referee in 1001..1121 {
        b.pay(referee, &format!("in_{referee}")).await;
    }
    let rows = commissions_of(&b.app, &b.id(1), None, 200).await.unwrap();
    assert_eq!((seen, rows.len()), (120, 120));
    assert!(rows.iter().all(|row| row.user_id == Some(tid(1)) && row.referred_user_id.is_some()));
}
