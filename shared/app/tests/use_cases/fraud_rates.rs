//! Rates: the refunds and the conversions of those whom a member brought, counted from what is on record.

use guerdon_app::{
    fraud::{inspect_joined, inspect_refunded, inspect_reversed},
    payments::{record_payment, reverse_payment},
};
use guerdon_domain::{
    fraud::FraudFlag,
    money::Money,
    payments::{RefundStage, Reversal, ReversalKind},
};

use crate::{fraud::OTT, support::*};

const STREAMLINE: &str = include_str!("../../../domain/presets/streamline.toml");

/// The `bitten` business with this rule beside its own.
async fn bitten_and(rule: &str) -> Business {
    let rule = format!("{rule}\nhold_seconds = 0\ntarget = \"bill_credit\"\n");
    let sums = "minimum_payment = { minor = 3900, currency = \"USD\" }\n\
                amount = { kind = \"flat\", amount = { minor = 500, currency = \"USD\" } }\n";
    Business::open(&BITTEN.replacen("[[plans]]", &format!("[[program.rules]]\n{rule}{sums}\n[[plans]]"), 1))
        .await
}

impl Business {
    /// A part of a payment of `user` is refunded, and the rules run as its events make them.
    pub async fn refund(&self, user: i64, invoice: &str, amount: Money) {
        let id = format!("re_{invoice}_{}", amount.minor());
        let kind = ReversalKind::Refund { id, amount, stage: RefundStage::Succeeded };
        let reversal = Reversal { at: self.app.now(), kind };
        reverse_payment(&self.app, &stripe_key(invoice), &reversal).await.unwrap();
        inspect_refunded(&self.app, &self.id(user)).await.unwrap();
    }

    async fn only_flag(&self, user: i64) -> FraudFlag {
        let mut flags = self.flags(user).await;
        assert_eq!(flags.len(), 1, "{flags:?}");
        flags.remove(0)
    }

    /// Member 1 with `referees`, 1001 and up, who joined and have not paid.
    async fn recruit(&self, referees: i64) {
        self.join(1).await;
        for referee in 1001..1001 + referees {
            self.refer(1, referee).await;
        }
    }
}

#[tokio::test]
async fn two_rules_for_one_payment_are_one_payment() {
    let b = bitten_and("id = \"second\"\ntrigger = \"every_payment\"").await;
    b.recruit_paying(5).await;
    assert_eq!(b.commissions(1).await.len(), 10, "two for each");
    for referee in 1001..=1002 {
        b.refund(referee, &format!("in_{referee}"), usd(3900)).await;
    }
    assert_eq!(b.found(1).await, [], "2 of 5 are too few to say anything");
    b.put_setting("fraud.refund_rate.from_payments", "5").await;
    inspect_reversed(&b.app, &b.id(1)).await.unwrap();
    let says = "2 of 5 payments were undone; the rule holds above 30% from 5 payments";
    assert_eq!(b.only_flag(1).await.explain(), says);
}

#[tokio::test]
async fn a_payer_who_brought_nobody_is_not_held_for_their_own_refunds() {
    let b = bitten_and("id = \"payer\"\ntrigger = \"every_payment\"\nbeneficiary = \"referee\"").await;
    b.recruit(1).await;
    for n in 0..10 {
        record_payment(&b.app, &b.invoice(1001, &format!("in_{n}"))).await.unwrap();
    }
    b.pump().await;
    for n in 0..10 {
        b.refund(1001, &format!("in_{n}"), usd(3900)).await;
        inspect_reversed(&b.app, &b.id(1001)).await.unwrap();
    }
    assert_eq!(b.found(1001).await, [], "the payer brought nobody");
    let says = "4 of 10 payments were undone; the rule holds above 30% from 10 payments";
    assert_eq!(b.only_flag(1).await.explain(), says, "with the nine that earned the referrer nothing");
}

#[tokio::test]
async fn the_upline_is_not_held_for_what_they_did_not_bring() {
    let b = Business::open(OTT).await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.refer(2, 3).await;
    for n in 0..10 {
        b.buy(3, &format!("t-{n}"), "card").await;
    }
    b.pump().await;
    for payment in b.calm().payments().of(&b.id(3), None, 100).await.unwrap() {
        let kind = ReversalKind::RefundedTotal { amount: payment.paid };
        reverse_payment(&b.app, &payment.payment, &Reversal { at: b.app.now(), kind }).await.unwrap();
        inspect_refunded(&b.app, &b.id(3)).await.unwrap();
    }
    inspect_reversed(&b.app, &b.id(1)).await.unwrap();
    assert_eq!((b.found(1).await, b.found(2).await), (vec![], vec![("refund_rate", "hold")]));
}

#[tokio::test]
async fn a_payment_counts_as_refunded_from_its_half() {
    for (refunded, held) in [(100, false), (1949, false), (1950, true), (3900, true)] {
        let b = bitten().await;
        b.recruit_paying(10).await;
        for referee in 1001..=1004 {
            b.refund(referee, &format!("in_{referee}"), usd(refunded)).await;
        }
        assert_eq!(b.found(1).await.len(), usize::from(held), "{refunded} of 3900");
    }
}

#[tokio::test]
async fn payments_that_earned_nothing_count_too() {
    let b = bitten().await;
    b.recruit_paying(10).await;
    for referee in 1001..=1010 {
        b.pay(referee, &format!("in_{referee}_again")).await;
    }
    b.pump().await;
    for referee in 1001..=1004 {
        b.refund(referee, &format!("in_{referee}"), usd(3900)).await;
    }
    assert_eq!(b.found(1).await, [], "4 of 20");
    for referee in 1001..=1003 {
        // Nothing but the reversal itself brings the rules to these.
        let kind = ReversalKind::RefundedTotal { amount: usd(3900) };
        let key = stripe_key(&format!("in_{referee}_again"));
        reverse_payment(&b.app, &key, &Reversal { at: b.app.now(), kind }).await.unwrap();
    }
    let says = "7 of 20 payments were undone; the rule holds above 30% from 10 payments";
    assert_eq!(b.only_flag(1).await.explain(), says);
}

#[tokio::test]
async fn low_conversion_is_the_same_however_far_the_counters_are() {
    for pumped in [0, 1, 2, 3] {
        let b = bitten().await;
        b.recruit(10).await;
        if pumped > 0 {
            b.read_changes(5 * pumped);
            b.pump().await;
        }
        b.advance(8 * DAY);
        b.refer(1, 2001).await;
        if pumped > 1 {
            b.pump().await;
        }
        inspect_joined(&b.app, &b.id(2001)).await.unwrap();
        let says = "0 of 10 referrals converted; the rule flags below 5% from 10 referrals";
        assert_eq!(b.only_flag(1).await.explain(), says, "{pumped}");
    }
}

#[tokio::test]
async fn a_conversion_that_the_stream_has_not_shown_yet_counts() {
    let b = bitten().await;
    b.recruit(10).await;
    b.pump().await;
    b.advance(8 * DAY);
    b.pay(1001, "in_1001").await;
    b.refer(1, 2001).await;
    inspect_joined(&b.app, &b.id(2001)).await.unwrap();
    assert_eq!(b.found(1).await, [], "1 of 10, before the projector knows");
    b.pump().await;
    inspect_joined(&b.app, &b.id(2001)).await.unwrap();
    assert_eq!(b.found(1).await, [], "and after");
}

#[tokio::test]
async fn young_conversions_do_not_stand_for_old_referrals() {
    let b = bitten().await;
    b.recruit(10).await;
    b.advance(8 * DAY);
    for referee in 2001..=2005 {
        b.refer(1, referee).await;
        b.pay(referee, &format!("in_{referee}")).await;
    }
    b.pump().await;
    inspect_joined(&b.app, &b.id(2005)).await.unwrap();
    let says = "0 of 10 referrals converted; the rule flags below 5% from 10 referrals";
    assert_eq!(b.only_flag(1).await.explain(), says);
    // And nine old ones are too few, however many young ones there are.
    let b = bitten().await;
    b.recruit(9).await;
    b.advance(8 * DAY);
    b.refer(1, 2001).await;
    b.refer(1, 2002).await;
    b.pump().await;
    inspect_joined(&b.app, &b.id(2002)).await.unwrap();
    assert_eq!(b.found(1).await, []);
}

#[tokio::test]
async fn where_nothing_converts_nobody_converts_too_little() {
    let b = Business::open(STREAMLINE).await;
    b.recruit(12).await;
    b.advance(8 * DAY);
    b.refer(1, 2001).await;
    b.pump().await;
    inspect_joined(&b.app, &b.id(2001)).await.unwrap();
    assert_eq!(b.found(1).await, []);
}
