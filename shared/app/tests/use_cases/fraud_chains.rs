//! Accounts that a chain shares: who pays first does not matter, and one account is one flag. And what a rejection holds.

use guerdon_app::{
    commissions::sweep_releases,
    fraud::{inspect_joined, inspect_payer, run_checks, unblock_member},
};
use guerdon_domain::{
    fraud::{Evidence, Finding, FraudAction, FraudFlag, FraudVerdict, Signal},
    ids::FraudFlagId,
    payments::PaymentMethod,
};

use crate::{
    fraud::{CARD, OTT, UPI, ask, earning},
    support::*,
};

const REJECTED: [(&str, &str); 1] = [("self_referral", "reject")];

impl Business {
    /// 1 brought 2, who brought 3.
    async fn two_levels(&self) {
        self.join(1).await;
        self.refer(1, 2).await;
        self.refer(2, 3).await;
    }

    async fn pays_by_upi(&self, user: i64, transaction: &str, from: &str) {
        self.orders(user, transaction, PaymentMethod::Upi, from).await;
    }

    /// Asserts that the member can earn and withdraw.
    async fn is_free(&self, user: i64) {
        let member = self.calm().members().find(&self.id(user)).await.unwrap().unwrap();
        assert!(!member.is_barred() && !member.is_on_hold(), "{user}: {member:?}");
    }
}

#[tokio::test]
async fn the_upline_is_found_whoever_pays_first() {
    for order in [[1, 3], [3, 1]] {
        let b = bitten().await;
        b.two_levels().await;
        for (n, user) in order.into_iter().enumerate() {
            assert_eq!((b.found(1).await, b.found(3).await), (vec![], vec![]));
            b.orders(user, &format!("t-{n}"), PaymentMethod::Bank, CARD).await;
        }
        assert_eq!((b.found(1).await, b.found(3).await), (REJECTED.to_vec(), REJECTED.to_vec()), "{order:?}");
        assert_eq!(b.found(2).await, [], "who is between them did nothing");
    }
}

#[tokio::test]
async fn a_referee_behind_a_hundred_others_is_found_by_a_later_payment_of_those_above() {
    for late in [1, 2] {
        let b = bitten().await;
        b.two_levels().await;
        for stranger in 5000..5150 {
            b.calm().sightings().put(&b.payment(CARD), &b.id(stranger), NOW).await.unwrap();
        }
        b.calm().sightings().put(&b.payment(CARD), &b.id(3), NOW).await.unwrap();
        b.orders(late, "t-1", PaymentMethod::Bank, CARD).await;
        assert_eq!((b.found(late).await, b.found(3).await), (REJECTED.to_vec(), REJECTED.to_vec()), "{late}");
    }
}

#[tokio::test]
async fn one_upi_id_of_two_is_one_flag_and_its_dismissal_the_end() {
    for order in [[1, 2], [2, 1]] {
        let b = Business::open(OTT).await;
        b.join(1).await;
        b.refer(1, 2).await;
        for (n, user) in order.into_iter().enumerate() {
            b.pays_by_upi(user, &format!("t-{n}"), UPI).await;
        }
        inspect_joined(&b.app, &b.id(2)).await.unwrap();
        run_checks(&b.app, &"olga".into(), tid(1)).await.unwrap();
        for user in 1..=2 {
            assert_eq!(b.found(user).await, REJECTED, "{user} {order:?}");
            let [flag] = &b.flags(user).await[..] else { panic!() };
            b.resolve(flag, FraudVerdict::Dismissed).await.unwrap();
            b.is_free(user).await;
        }
        b.pays_by_upi(2, "t-9", UPI).await;
        b.pays_by_upi(1, "t-10", UPI).await;
        inspect_joined(&b.app, &b.id(2)).await.unwrap();
        run_checks(&b.app, &"olga".into(), tid(2)).await.unwrap();
        assert_eq!((b.flags(1).await.len(), b.flags(2).await.len()), (1, 1), "it was looked at");
    }
}

#[tokio::test]
async fn a_stranger_on_the_same_upi_id_is_still_flagged() {
    let b = Business::open(OTT).await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.join(9).await;
    for (n, user) in [9, 1, 2].into_iter().enumerate() {
        b.pays_by_upi(user, &format!("t-{n}"), UPI).await;
    }
    assert_eq!(b.found(2).await, [("self_referral", "reject"), ("shared_destination", "hold")]);
}

#[tokio::test]
async fn a_weaker_rule_for_pairs_does_not_hide_a_shared_destination() {
    let b = Business::open(OTT).await;
    b.put_setting("fraud.self_referral.action", "\"flag\"").await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.pays_by_upi(1, "t-1", UPI).await;
    b.pays_by_upi(2, "t-2", UPI).await;
    assert_eq!(b.found(2).await, [("self_referral", "flag"), ("shared_destination", "hold")]);
}

#[tokio::test]
async fn a_ring_on_one_upi_id_is_one_flag_of_each() {
    let b = Business::open(OTT).await;
    b.join(1).await;
    for user in 2..=3 {
        b.refer(1, user).await;
    }
    for user in 1..=3 {
        b.pays_by_upi(user, &format!("t-{user}"), UPI).await;
    }
    for user in [1, 3] {
        let rings = b.flags(user).await.into_iter().filter(|flag| flag.signal == Signal::ReferralRing);
        assert_eq!(rings.count(), 1, "{user}");
    }
}

#[tokio::test]
async fn dismissing_one_flag_dismisses_those_of_the_same_evidence() {
    let b = earning().await;
    ask(&b, "ravi@okaxis", "k1").await.unwrap();
    assert_eq!(b.found(1).await, [("shared_destination", "hold")], "paid out to where the referee pays from");
    b.pays_by_upi(2, "t-99", "ravi@okaxis").await;
    assert_eq!(b.found(1).await, [("self_referral", "reject"), ("shared_destination", "hold")]);
    let flags = b.flags(1).await;
    let pair = flags.iter().find(|flag| flag.signal == Signal::SelfReferral).unwrap();
    b.resolve(pair, FraudVerdict::Dismissed).await.unwrap();
    b.is_free(1).await;
    let open = b.flags(1).await.into_iter().filter(|flag| flag.in_force() != FraudAction::Allow);
    assert_eq!(open.count(), 0);
    let trail = b.calm().audit().trail("2026-11", None, 20).await.unwrap();
    assert_eq!(trail.iter().filter(|line| line.action == "fraud.resolve").count(), 2, "each has its line");
}

#[tokio::test]
async fn confirming_one_flag_leaves_the_others_open() {
    let b = earning().await;
    ask(&b, "ravi@okaxis", "k1").await.unwrap();
    b.pays_by_upi(2, "t-99", "ravi@okaxis").await;
    let flags = b.flags(1).await;
    b.resolve(&flags[0], FraudVerdict::Confirmed).await.unwrap();
    let states: Vec<_> = b.flags(1).await.iter().map(|flag| flag.state.as_str()).collect();
    assert_eq!(states, ["resolved", "open"]);
}

#[tokio::test]
async fn a_pair_that_an_earlier_version_flagged_is_known() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    let (payer, referrer) = (b.id(2), b.id(1));
    let evidence = Evidence::SelfPaid { fingerprint: b.payment(CARD), payer: payer.clone(), referrer };
    let (signal, action) = (Signal::SelfReferral, FraudAction::Reject);
    let finding = Finding { signal, action, enforced: action, evidence };
    let flag = FraudFlag::raise(payer, finding, "", NOW);
    let id = FraudFlagId::derive(&b.id(2), signal, b.payment(CARD).as_str());
    let flag = FraudFlag { id, ..flag }.lift("olga".into(), "father and son".to_owned(), NOW);
    b.calm().commit(&[b.calm().flags().insert(&flag, ()).unwrap()]).await.unwrap();
    for user in [1, 2] {
        b.orders(user, &format!("t-{user}"), PaymentMethod::Bank, CARD).await;
    }
    assert_eq!(b.flags(2).await, [flag], "what was dismissed stays dismissed");
}

#[tokio::test]
async fn a_rejection_keeps_what_a_hold_would_have_kept() {
    for action in [FraudAction::Hold, FraudAction::Reject] {
        let b = bitten_with_hold(DAY).await;
        b.recruit_paying(2).await;
        b.pump().await;
        let flag = b.by_hand(1, action).await;
        b.advance(2 * DAY);
        assert_eq!((b.settle(1).await, b.buckets(1).await), (0, (0, 0, 0)), "{action:?}");
        assert_eq!(sweep_releases(&b.app).await.unwrap().released, 0, "{action:?}");
        b.resolve(&flag, FraudVerdict::Confirmed).await.unwrap();
        assert_eq!((b.settle(1).await, b.buckets(1).await), (0, (0, 0, 0)), "confirmed {action:?}");
        unblock_member(&b.app, &"olga".into(), tid(1), "all is well").await.unwrap();
        assert_eq!(b.buckets(1).await, (2000, 0, 0), "{action:?}");
    }
}

#[tokio::test]
async fn what_a_rule_rejects_stays_held_until_it_is_dismissed() {
    let b = bitten_with_hold(DAY).await;
    b.recruit_paying(1).await;
    b.orders(1, "t-1", PaymentMethod::Bank, CARD).await;
    inspect_payer(&b.app, &b.id(1001), &[b.payment(CARD)]).await.unwrap();
    b.orders(1001, "t-2", PaymentMethod::Bank, CARD).await;
    assert_eq!(b.found(1).await, REJECTED);
    b.advance(2 * DAY);
    assert_eq!((b.settle(1).await, b.buckets(1).await), (0, (0, 0, 0)));
    let [flag] = &b.flags(1).await[..] else { panic!() };
    b.resolve(flag, FraudVerdict::Dismissed).await.unwrap();
    assert_eq!(b.buckets(1).await, (1000, 0, 0));
}
