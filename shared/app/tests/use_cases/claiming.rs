//! Rewards that wait to be claimed.

use guerdon_app::{
    commissions::{ShownClaim, claim_reward, claim_shown, offer_claim},
    intents::IntentRefusal,
    referrals::expire,
    wallets::{ToClaim, credits_view},
};
use guerdon_domain::{
    commissions::Commission,
    ids::IntentId,
    intents::{Closed, VALID_SECONDS},
    programs::{Cap, CapPeriod},
};
use guerdon_store::commissions::CommissionCursor;

use crate::support::*;

const DAYS: i64 = 30;
const TROLLZ: &str = include_str!("../../../domain/presets/trollz.toml");

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

    /// The button under the statement that `cause` shows.
    async fn button(&self, cause: &str) -> IntentId {
        let amounts = self.to_claim().await.map(|waits| waits.amounts).unwrap_or_default();
        offer_claim(&self.app, &self.id(1), &amounts, cause).await.unwrap()
    }

    async fn tap(&self, button: &IntentId) -> ShownClaim {
        claim_shown(&self.app, &self.id(1), button).await.unwrap()
    }

    /// Taps a new button; returns the rewards that it claimed.
    async fn claim(&self, cause: &str) -> Vec<Commission> {
        let ShownClaim::Claimed { rewards, .. } = self.tap(&self.button(cause).await).await else { panic!() };
        rewards
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
        assert_eq!(b.claim(&format!("tap-{claimed}")).await.len(), claimed);
        assert_eq!(b.buckets(1).await.0, available);
    }
    assert_eq!(b.to_claim().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 10)]
async fn taps_at_once_claim_each_reward_once() {
    let b = waiting(12).await;
    let button = b.button("message-1").await;
    b.race(10);
    let claims = at_once(10, |_| {
        let (app, member, button) = (b.app.clone(), b.id(1), button.clone());
        async move { claim_shown(&app, &member, &button).await.unwrap() }
    })
    .await;
    let claimed = claims.iter().map(|claim| match claim {
        ShownClaim::Claimed { rewards, .. } => rewards.len(),
        other => panic!("{other:?}"),
    });
    assert_eq!(claimed.sum::<usize>(), 12);
    assert_eq!(b.buckets(1).await, (12_000, 0, 0));
}

#[tokio::test]
async fn a_tap_claims_what_was_shown_or_nothing() {
    let b = waiting(2).await;
    let outdated = b.button("message-1").await;
    let shown = b.button("message-2").await;
    assert_eq!(b.tap(&outdated).await, ShownClaim::Refused(IntentRefusal::Outdated));
    let stranger = claim_shown(&b.app, &b.id(7), &shown).await.unwrap();
    assert_eq!(stranger, ShownClaim::Refused(IntentRefusal::NotYours));
    b.refer(1, 50).await;
    b.pay(50, "late").await;
    b.project_all().await;
    assert_eq!(b.tap(&shown).await, ShownClaim::Changed, "a third reward has come");
    assert_eq!(b.buckets(1).await, (0, 0, 0));
    let three = b.button("message-3").await;
    b.advance(VALID_SECONDS);
    assert_eq!(b.tap(&three).await, ShownClaim::Refused(Closed::Expired.into()));
    assert_eq!(b.claim("message-4").await.len(), 3);
    assert_eq!(b.buckets(1).await.0, 3000);
}

/// What the claims of member 1's three rewards are answered with, one after the other.
async fn answers(b: &Business) -> Vec<(i64, &'static str)> {
    let mut answers = Vec::new();
    for reward in b.commissions(1).await {
        let position = CommissionCursor::of(&reward);
        let claimed = claim_reward(&b.app, &b.id(1), &position).await.unwrap();
        answers.push((claimed.entitlement().minor(), claimed.state.as_str()));
    }
    answers
}

#[tokio::test]
async fn a_claim_is_answered_with_what_the_cap_leaves() {
    // 30 days for each friend, 45 at the most: 30, 15 and none.
    let cap = "claim_within_days = 365\ncap_member = { amount = { minor = 45, currency = \"DAY\" }, per = \"month\" }";
    let b = Business::open(&TROLLZ.replace("claim_within_days = 365", cap)).await;
    b.recruit_paying(3).await;
    assert_eq!(answers(&b).await, [(30, "released"), (15, "released"), (0, "void")]);
    let wallet = b.calm().wallets().of(&b.id(1)).await.unwrap();
    assert_eq!(wallet[0].available().minor(), 45);
    // Money, and a hold that is not over: what is left at present.
    let b = bitten_with_hold(DAY).await;
    b.every_payment(|rule| {
        rule.claim_within_days = Some(DAYS);
        rule.cap_member = Some(Cap { amount: usd(600), per: CapPeriod::Day });
    })
    .await;
    b.recruit_paying(1).await;
    assert_eq!(answers(&b).await, [(600, "held")]);
    b.advance(DAY);
    assert_eq!((b.settle(1).await, b.buckets(1).await.0), (1, 600));
}

#[tokio::test]
async fn what_has_expired_is_neither_shown_nor_claimed() {
    let b = waiting(2).await;
    b.advance(DAYS * 86_400);
    assert_eq!(b.to_claim().await, None);
    assert!(b.claim("message-1").await.is_empty());
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
    let claimed = b.claim("message-1").await;
    assert_eq!((claimed.len(), &claimed[0].id), (1, &disputed.id));
    assert_eq!(b.buckets(1).await, (1000, 0, 0));
}
