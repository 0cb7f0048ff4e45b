//! Rewards that wait to be claimed.

use guerdon_app::{
    commissions::claim_rewards,
    referrals::expire,
    wallets::{ToClaim, credits_view},
};

use crate::support::*;

const DAYS: i64 = 30;

/// Member 1 has that many friends who paid, and claims for each.
async fn waiting(rewards: i64) -> Business {
    let b = bitten().await;
    b.every_payment(|rule| rule.claim_within_days = Some(DAYS)).await;
    b.recruit_paying(rewards).await;
    b.project_all().await;
    b
}

impl Business {
    async fn to_claim(&self) -> Option<ToClaim> {
        let member = self.app.store().members().find(&self.id(1)).await.unwrap().unwrap();
        credits_view(&self.app, &member, None, 8).await.unwrap().to_claim
    }
}

#[tokio::test]
async fn one_tap_claims_what_waits_50_at_the_most() {
    let b = waiting(60).await;
    b.settle(1).await;
    assert_eq!(b.buckets(1).await, (0, 0, 0), "nothing comes by itself");
    let waits = b.to_claim().await.unwrap();
    assert_eq!(waits.amounts, [usd(50_000)], "as much as one tap claims");
    assert_eq!(waits.until, b.commissions(1).await.iter().map(|c| c.due_at.plus_days(DAYS)).min().unwrap());
    for (claimed, available) in [(50, 50_000), (10, 60_000), (0, 60_000)] {
        assert_eq!(claim_rewards(&b.app, &b.id(1)).await.unwrap().rewards.len(), claimed);
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
        async move { claim_rewards(&app, &member).await.unwrap().rewards.len() }
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
    assert!(claim_rewards(&b.app, &b.id(1)).await.unwrap().rewards.is_empty());
    assert_eq!(b.buckets(1).await, (0, 0, 0));
}

#[tokio::test]
async fn a_dispute_stops_the_time() {
    let b = waiting(2).await;
    let disputed = b.commissions(1).await.remove(0);
    let dispute = |open: bool| {
        let (b, at) = (&b, b.app.now());
        let id = disputed.id.clone();
        async move {
            let before = b.commissions(1).await.into_iter().find(|c| c.id == id).unwrap();
            let (after, _) = before.after_reversal(usd(0), open, at).unwrap();
            let write = b.app.store().commissions().replace(&before, &after, ()).unwrap();
            b.app.store().commit(&[write]).await.unwrap();
            b.project_all().await;
        }
    };
    dispute(true).await;
    assert_eq!(b.to_claim().await.unwrap().amounts, [usd(1000)]);
    b.advance(DAYS * 86_400);
    expire(&b.app).await.unwrap();
    assert_eq!(b.to_claim().await, None, "of the other one the time is over");
    dispute(false).await;
    assert_eq!(b.to_claim().await.unwrap().until, b.app.now().plus_days(DAYS));
    let claimed = claim_rewards(&b.app, &b.id(1)).await.unwrap();
    assert_eq!((claimed.rewards.len(), &claimed.rewards[0].id), (1, &disputed.id));
    assert_eq!(b.buckets(1).await, (1000, 0, 0));
}
