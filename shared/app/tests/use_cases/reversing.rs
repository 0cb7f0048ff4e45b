//! Reversals of a payment take its commissions back in any order, and no more than was granted.

use std::sync::Arc;

use guerdon_app::{
    payments::{Reversed, record_payment, reverse_payment},
    verification::{verify_payment, verify_wallet},
};
use guerdon_domain::{
    commissions::{Commission, CommissionState, VoidReason},
    money::{Currency, Money},
    payments::{DisputeStage, Purpose, RefundStage, Reversal, ReversalKind},
    wallets::WalletKind,
};

use crate::support::*;

fn refund(id: &str, minor: i64, stage: RefundStage) -> ReversalKind {
    ReversalKind::Refund { id: id.to_owned(), amount: usd(minor), stage }
}

pub fn refunded(minor: i64) -> ReversalKind {
    refund("re_1", minor, RefundStage::Succeeded)
}

pub fn dispute(minor: i64, stage: DisputeStage) -> ReversalKind {
    ReversalKind::Dispute { id: "dp_1".to_owned(), amount: usd(minor), stage }
}

impl Business {
    pub async fn reverse(&self, invoice: &str, seconds: i64, kind: ReversalKind) -> Reversed {
        let reversal = Reversal { at: NOW.plus_seconds(seconds), kind };
        reverse_payment(&self.app, &stripe_key(invoice), &reversal).await.unwrap()
    }

    async fn only_commission(&self) -> Commission {
        let [commission] = &self.commissions(1).await[..] else { panic!() };
        commission.clone()
    }

    /// Recomputed from what is stored, the member's wallet and the payment are sound.
    pub async fn sound(&self, user: i64, invoice: &str) {
        assert_eq!(verify_wallet(&self.app, &self.wallet(user).await).await.unwrap(), None);
        let payment = self.calm().payments().find(&stripe_key(invoice)).await.unwrap().unwrap();
        assert_eq!(verify_payment(&self.app, &payment).await.unwrap(), None);
    }
}

async fn paid() -> Business {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.pay(2, "in_1").await;
    b
}

#[tokio::test]
async fn a_refund_before_the_release_lowers_or_voids_the_commission() {
    let b = paid().await;
    let applied = b.reverse("in_1", 1, refunded(1950)).await;
    assert_eq!(applied, Reversed::Applied { undone: usd(1950), changed: 1 });
    assert_eq!(b.reverse("in_1", 1, refunded(1950)).await, Reversed::AlreadyApplied);
    assert_eq!((b.settle(1).await, b.buckets(1).await), (1, (500, 0, 0)));
    b.sound(1, "in_1").await;

    let b = paid().await;
    b.reverse("in_1", 1, refunded(3900)).await;
    let reason = VoidReason::Reversed;
    assert_eq!(b.only_commission().await.state, CommissionState::Void { at: NOW, reason });
    assert_eq!((b.settle(1).await, b.buckets(1).await), (0, (0, 0, 0)));
    // The refund fails: the commission is the referrer's again.
    b.reverse("in_1", 2, refund("re_1", 3900, RefundStage::Failed)).await;
    assert_eq!((b.settle(1).await, b.buckets(1).await), (1, (1000, 0, 0)));
    b.sound(1, "in_1").await;
}

#[tokio::test]
async fn a_refund_after_the_release_takes_it_back_and_what_is_gone_is_owed() {
    let b = paid().await;
    b.settle(1).await;
    b.reverse("in_1", 1, refund("re_1", 1000, RefundStage::Succeeded)).await;
    b.reverse("in_1", 1, refund("re_2", 950, RefundStage::Succeeded)).await;
    assert_eq!(b.buckets(1).await, (500, 0, 0));
    // The rest is spent on a bill.
    b.link(1, "cus_1").await;
    b.post(1).await.unwrap();
    b.reverse("in_1", 2, refund("re_3", 1950, RefundStage::Succeeded)).await;
    assert_eq!(b.buckets(1).await, (0, 500, 500));
    // The next reward pays the debt first.
    b.refer(1, 3).await;
    b.pay(3, "in_2").await;
    b.settle(1).await;
    assert_eq!(b.buckets(1).await, (500, 500, 0));
    b.sound(1, "in_1").await;
}

#[tokio::test]
async fn a_dispute_freezes_what_is_held_and_a_won_one_lets_it_go() {
    let b = paid().await;
    b.reverse("in_1", 1, dispute(3900, DisputeStage::Opened)).await;
    assert!(b.only_commission().await.frozen);
    assert_eq!(b.settle(1).await, 0);
    b.reverse("in_1", 2, dispute(3900, DisputeStage::Withdrawn)).await;
    assert_eq!(b.only_commission().await.state.as_str(), "void");
    b.reverse("in_1", 3, dispute(3900, DisputeStage::Won)).await;
    assert_eq!((b.settle(1).await, b.buckets(1).await), (1, (1000, 0, 0)));
    // Told late, what came before changes nothing.
    assert_eq!(b.reverse("in_1", 1, dispute(3900, DisputeStage::Opened)).await, Reversed::AlreadyApplied);
    b.sound(1, "in_1").await;
}

#[tokio::test]
async fn a_lost_dispute_beside_a_refund_takes_no_more_than_was_granted() {
    let b = paid().await;
    b.settle(1).await;
    b.reverse("in_1", 1, refunded(2000)).await;
    b.reverse("in_1", 2, dispute(3900, DisputeStage::Withdrawn)).await;
    b.reverse("in_1", 3, dispute(3900, DisputeStage::Lost)).await;
    assert_eq!(b.buckets(1).await, (0, 0, 0));
    b.sound(1, "in_1").await;
}

#[tokio::test]
async fn a_frozen_commission_that_thaws_is_found_by_the_sweep() {
    let b = paid().await;
    b.reverse("in_1", 1, dispute(3900, DisputeStage::Opened)).await;
    b.project_all().await;
    b.advance(2 * 3600);
    assert_eq!(guerdon_app::commissions::sweep_releases(&b.app).await.unwrap().released, 0);
    b.reverse("in_1", 2, dispute(3900, DisputeStage::Won)).await;
    b.project_all().await;
    b.advance(2 * 3600);
    assert_eq!(guerdon_app::commissions::sweep_releases(&b.app).await.unwrap().released, 1);
}

#[tokio::test]
async fn a_reversal_before_its_payment_waits() {
    let b = bitten().await;
    assert_eq!(b.reverse("in_1", 1, refunded(100)).await, Reversed::UnknownPayment);
}

#[tokio::test]
async fn an_invoice_given_up_and_paid_later_was_paid() {
    let b = paid().await;
    b.settle(1).await;
    let given_up = ReversalKind::Invoice { undone: true };
    assert_eq!(b.reverse("in_1", 0, given_up.clone()).await, Reversed::AlreadyApplied);
    b.reverse("in_1", 5, given_up).await;
    assert_eq!(b.buckets(1).await, (0, 0, 0));
    b.reverse("in_1", 6, ReversalKind::Invoice { undone: false }).await;
    assert_eq!(b.buckets(1).await, (1000, 0, 0));
    b.sound(1, "in_1").await;
}

#[tokio::test]
async fn what_cannot_belong_to_the_payment_is_refused_and_changes_nothing() {
    let b = paid().await;
    let before = b.dump().await;
    let euros = ReversalKind::RefundedTotal { amount: Money::new(100, Currency::EUR) };
    let reverse = async |kind| {
        let reversal = Reversal { at: NOW, kind };
        reverse_payment(&b.app, &stripe_key("in_1"), &reversal).await
    };
    assert_eq!(reverse(euros).await.unwrap(), Reversed::OtherCurrency);
    assert_eq!(reverse(refunded(-1)).await.unwrap_err().code(), "corrupt");
    assert_eq!(b.dump().await, before);
}

#[tokio::test]
async fn both_levels_are_taken_back_in_one_transaction_of_eight_units() {
    let b = Business::open(include_str!("../../../domain/presets/ott.toml")).await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.refer(2, 3).await;
    let inr = |minor| Money::new(minor, Currency::INR);
    let order =
        guerdon_domain::payments::PaymentFacts::purchase(stripe_key("o_1"), b.id(3), inr(13_500), NOW);
    b.meter.reset();
    let recorded = record_payment(&b.app, &order).await.unwrap();
    let rewards: Vec<_> = recorded.record().grants().map(|(_, _, reward)| reward.to_string()).collect();
    assert_eq!(rewards, ["₹28.00", "₹9.00"]);
    let cost = b.cost("record_payment");
    assert!(cost.write_tenths <= 80 && cost.transactions == 1, "two levels, converting: {cost:?}");
    b.meter.reset();
    let refund =
        ReversalKind::Refund { id: "re_1".to_owned(), amount: inr(13_500), stage: RefundStage::Succeeded };
    let reversal = Reversal { at: NOW.plus_seconds(1), kind: refund };
    let reversed = reverse_payment(&b.app, &stripe_key("o_1"), &reversal).await.unwrap();
    assert_eq!(reversed, Reversed::Applied { undone: inr(13_500), changed: 2 });
    let cost = b.cost("reverse_payment");
    assert!(cost.write_tenths <= 80 && cost.transactions == 1, "refund while held: {cost:?}");
    b.advance(DAY);
    assert_eq!((b.settle(1).await, b.settle(2).await), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_refunds_and_releases_end_the_same() {
    for round in 0..6 {
        let b = Arc::new(paid().await);
        b.race(4);
        let stages = [(1, 1300), (2, 1300), (3, 1300)];
        at_once(4, |i| {
            let b = b.clone();
            async move {
                match stages.get(i) {
                    Some((n, minor)) => {
                        b.reverse("in_1", 1, refund(&format!("re_{n}"), *minor, RefundStage::Succeeded))
                            .await;
                    }
                    None => {
                        b.settle(1).await;
                    }
                }
            }
        })
        .await;
        b.settle(1).await;
        let (available, held, owed) = b.buckets(1).await;
        assert_eq!(available + held - owed, 0, "round {round}");
        b.sound(1, "in_1").await;
    }
}

#[tokio::test]
async fn a_deposit_undone_takes_its_share_back_from_the_balance() {
    let b = Business::open(include_str!("../../../domain/presets/autosales.toml")).await;
    b.join(1).await;
    b.refer(1, 2).await;
    let pln = |minor| Money::new(minor, Currency::PLN);
    let purchase =
        guerdon_domain::payments::PaymentFacts::purchase(stripe_key("d_1"), b.id(2), pln(10_000), NOW);
    let deposit = guerdon_domain::payments::PaymentFacts { purpose: Purpose::Deposit, ..purchase };
    record_payment(&b.app, &deposit).await.unwrap();
    b.settle(1).await;
    let balance = async || {
        b.calm().wallets().find(&b.id(1), WalletKind::Balance, Currency::PLN).await.unwrap().buckets.available
    };
    assert_eq!(balance().await, 300);
    let kind = ReversalKind::RefundedTotal { amount: pln(5_000) };
    let reversal = Reversal { at: NOW.plus_seconds(1), kind };
    reverse_payment(&b.app, &stripe_key("d_1"), &reversal).await.unwrap();
    assert_eq!(balance().await, 150);
}
