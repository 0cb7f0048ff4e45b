//! Joining, with a code or without, and the code that is shared.

use std::{collections::BTreeSet, sync::Arc};

use guerdon_app::{
    members::{StartRefusal, Started},
    referrals::share_code,
};
use guerdon_domain::{
    ids::MemberId,
    referrals::{ALPHABET, Code, ReferralState},
};
use guerdon_engine::connector::Fault;

use crate::support::*;

#[tokio::test]
async fn a_member_joins_without_a_code_and_comes_back() {
    let b = bitten().await;
    let joined = Started::Joined { referrer: None };
    assert_eq!(b.try_start(1, None, 10).await.unwrap(), joined);
    assert_eq!(b.try_start(1, None, 10).await.unwrap(), Started::Duplicate);
    assert_eq!(b.try_start(1, None, 11).await.unwrap(), Started::Returned);
    assert!(b.calm().members().find(&b.id(1)).await.unwrap().unwrap().joined.unwrap().referrer.is_none());
}

#[tokio::test]
async fn a_code_makes_a_pending_referral_for_a_year() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    let member = b.calm().members().find(&b.id(2)).await.unwrap().unwrap();
    let referral = b.calm().referrals().of(&member).await.unwrap().unwrap();
    assert_eq!((&referral.referrer, &referral.state), (&b.id(1), &ReferralState::Pending));
    assert_eq!((referral.joined_at, referral.expires_at), (NOW, NOW.plus_days(365)));
}

#[tokio::test]
async fn a_redelivered_update_changes_nothing() {
    let b = bitten().await;
    b.join(1).await;
    let code = b.code(1).await;
    b.try_start(2, Some(&code), 500).await.unwrap();
    let before = b.dump().await;
    for _ in 0..3 {
        assert_eq!(b.try_start(2, Some(&code), 500).await.unwrap(), Started::Duplicate);
    }
    assert_eq!(b.dump().await, before);
}

#[tokio::test]
async fn every_refusal_of_a_code_has_its_reason_and_changes_nothing() {
    let b = bitten().await;
    for user in [1, 2, 3] {
        b.join(user).await;
    }
    b.refer(1, 4).await;
    let (own, other) = (b.code(1).await, b.code(2).await);
    let unknown = Code::parse("ZZZZ2222").unwrap();
    let before = b.dump().await;
    let check = async |user: i64, code: &Code, refusal: &str| match b.start(user, Some(code)).await {
        Started::Refused(refused) => assert_eq!(refused.code(), refusal),
        started => panic!("{refusal}: {started:?}"),
    };
    check(9, &unknown, "unknown_code").await;
    check(1, &unknown, "unknown_code").await;
    check(1, &own, "own_code").await;
    check(4, &other, "already_referred").await;
    check(4, &own, "already_referred").await;
    check(3, &other, "already_member").await;
    // The referrer cannot become the referee of their own referee.
    check(1, &b.code(4).await, "already_member").await;
    b.advance(365 * DAY);
    check(9, &other, "expired_code").await;
    let mut after = b.dump().await;
    after.retain(|key, _| before.contains_key(key) && key != &format!("M#{} MEMBER", b.id(4)));
    assert!(after.iter().all(|(key, item)| before[key] == *item), "{after:#?}");
}

#[tokio::test]
async fn a_customer_whom_stripe_knew_first_cannot_become_a_referee() {
    let b = bitten().await;
    b.join(1).await;
    let code = b.code(1).await;
    b.link(2, "cus_2").await;
    assert_eq!(b.start(2, Some(&code)).await, Started::Refused(StartRefusal::AlreadyMember));
    let member = b.calm().members().find(&b.id(2)).await.unwrap().unwrap();
    assert_eq!((member.first_name.as_str(), member.customer.is_some()), ("User2", true));
    assert_eq!(member.joined.unwrap().referrer, None);
    assert_eq!(b.start(2, Some(&code)).await, Started::Refused(StartRefusal::AlreadyMember));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_double_start_with_two_codes_at_once_makes_exactly_one_referrer() {
    for _ in 0..10 {
        let b = Arc::new(bitten().await);
        let users = [1, 2];
        for user in users {
            b.join(user).await;
        }
        let codes = [b.code(1).await, b.code(2).await];
        b.race(4);
        let started = at_once(4, |i| {
            let (b, code) = (b.clone(), codes[i % 2].clone());
            async move { b.try_start(3, Some(&code), 100 + i as i64).await.unwrap() }
        })
        .await;
        let joined = started.iter().filter(|s| matches!(s, Started::Joined { .. })).count();
        assert_eq!(joined, 1, "{started:?}");
        let edges = b.dump().await.keys().filter(|key| key.contains("REFERRAL#")).count();
        assert_eq!(edges, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_whose_answer_was_lost_is_committed_once() {
    let b = bitten().await;
    b.join(1).await;
    let code = b.code(1).await;
    // The answer is lost as often as the SDK tries; then the update comes again.
    b.break_with(Script::new("TransactWriteItems", [Fault::LostAfter; 3]));
    assert!(b.try_start(2, Some(&code), 77).await.unwrap_err().retryable());
    assert_eq!(b.try_start(2, Some(&code), 77).await.unwrap(), Started::Duplicate);
    assert_eq!(b.dump().await.keys().filter(|key| key.contains("REFERRAL#")).count(), 1);
}

#[tokio::test]
async fn the_same_code_is_shared_until_its_year_is_over() {
    let b = bitten().await;
    b.join(1).await;
    let first = b.code(1).await;
    assert!(first.as_str().bytes().all(|symbol| ALPHABET.contains(&symbol)));
    b.advance(365 * DAY - 1);
    assert_eq!(b.code(1).await, first);
    b.advance(1);
    let second = b.code(1).await;
    assert_ne!(second, first);
    assert_eq!(b.start(2, Some(&first)).await, Started::Refused(StartRefusal::ExpiredCode));
    assert_eq!(b.start(2, Some(&second)).await, Started::Joined { referrer: Some(b.id(1)) });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 20)]
async fn twenty_at_once_are_given_the_same_code() {
    let b = Arc::new(bitten().await);
    b.join(1).await;
    for year in 1..=2 {
        b.race(20);
        let codes = at_once(20, |_| {
            let b = b.clone();
            async move { b.code(1).await.to_string() }
        })
        .await;
        assert_eq!(codes.into_iter().collect::<BTreeSet<_>>().len(), 1);
        assert_eq!(b.dump().await.keys().filter(|key| key.starts_with("CODE#")).count(), year);
        b.advance(365 * DAY);
    }
}

#[tokio::test]
async fn a_code_for_a_stranger_is_an_error_and_not_a_member() {
    let b = bitten().await;
    let stranger = MemberId::parse("nobody").unwrap();
    assert!(!share_code(&b.app, &stranger).await.unwrap_err().retryable());
    assert!(b.dump().await.is_empty());
}
