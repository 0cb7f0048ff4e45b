//! Rewards that wait to be claimed.

use guerdon_app::{ToClaim, claim_rewards, credits_view};
use guerdon_domain::Commission;

use crate::support::*;

const DAYS: i64 = 30;

/// Member 1 has that many friends who paid, and claims for each.
async fn waiting(rewards: i64) -> Business {
    let b = bitten().await;
    b.every_payment(|rule| rule.claim_within_days = Some(DAYS)).await;
    b.recruit_paying(rewards).await;
    b
}

impl Business {
    async fn to_claim(&self) -> Option<ToClaim> {
        let member = self.app.store.member(&self.id(1)).await.unwrap().unwrap();
        credits_view(&self.app, &member, None, 8).await.unwrap().to_claim
    }
}

#[tokio::test]
async fn one_tap_claims_what_waits_25_at_the_most() {
    let b = waiting(30).await;
    b.settle(1).await;
    assert_eq!(b.buckets(1).await, (0, 0, 0), "nothing comes by itself");
    let waits = b.to_claim().await.unwrap();
    assert_eq!(waits.amount, usd(30_000));
    assert_eq!(waits.until, b.commissions(1).await.iter().map(|c| c.due_at.plus_days(DAYS)).min().unwrap());
    for (claimed, available) in [(25, 25_000), (5, 30_000), (0, 30_000)] {
        assert_eq!(claim_rewards(&b.app, &b.id(1)).await.unwrap().len(), claimed);
        assert_eq!(b.buckets(1).await.0, available);
    }
    assert_eq!(b.to_claim().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 10)]
async fn taps_at_once_claim_each_reward_once() {
    let b = waiting(12).await;
    b.race(10);
    let claimed = at_once(10, |_| {
        let (app, member) = (b.app.clone(), b.id(1));
        async move { claim_rewards(&app, &member).await.unwrap().len() }
    })
    .await;
    assert_eq!(claimed.iter().sum::<usize>(), 12);
    assert_eq!(b.buckets(1).await, (12_000, 0, 0));
}

#[tokio::test]
async fn what_has_expired_is_neither_shown_nor_claimed() {
    let b = waiting(2).await;
    b.advance(DAYS * 86_400);
    assert_eq!(b.to_claim().await, None);
    assert!(claim_rewards(&b.app, &b.id(1)).await.unwrap().is_empty());
    assert_eq!(b.buckets(1).await, (0, 0, 0));
}

#[tokio::test]
async fn what_is_disputed_waits() {
    let b = waiting(2).await;
    let before = b.commissions(1).await.remove(0);
    let disputed = Commission { frozen: true, ..before.clone() };
    b.app.store.commit(&[b.app.store.move_commission(&before, &disputed, ()).unwrap()]).await.unwrap();
    assert_eq!(b.to_claim().await.unwrap().amount, usd(1000));
    assert_eq!(claim_rewards(&b.app, &b.id(1)).await.unwrap().len(), 1);
    b.app.store.commit(&[b.app.store.move_commission(&disputed, &before, ()).unwrap()]).await.unwrap();
    assert_eq!(
        claim_rewards(&b.app, &b.id(1)).await.unwrap(),
        [Commission { claimed_at: Some(b.app.now()), ..before }]
    );
}
