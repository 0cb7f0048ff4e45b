//! Fraud: each signal is found from its threshold on, once however often its event arrives, and nothing that is held
//! is released before an operator has reviewed it.

use std::sync::Arc;

use guerdon_app::{
    commissions::{Settled, Swept, settle_wallet, sweep_releases},
    fraud::{
        ByHand, FraudRefusal, block_member, flag_by_hand, inspect_joined, inspect_reversed, resolve_flag,
        run_checks, unblock_member,
    },
    members::register_member,
    payments::{OrderRequest, create_order, pay_order, payout_of, reverse_payment},
    settings::set_setting,
    wallets::credits_view,
    withdrawals::{WithdrawalError, approve_withdrawal, request_withdrawal},
};
use guerdon_domain::{
    fraud::{Fingerprint, FraudAction, FraudFlag, FraudVerdict},
    ids::ExternalPaymentId,
    money::{Currency, Money},
    payments::{Order, PaymentMethod, PaymentRecord, RefundStage, Refusal, Reversal, ReversalKind},
    referrals::Code,
    withdrawals::PayoutMethod,
};

use crate::support::*;

pub const OTT: &str = include_str!("../../../domain/presets/ott.toml");
pub const IPHONE: &str = "iphone-of-asha";
pub const CARD: &str = "card_4242asha";
pub const UPI: &str = "asha@okhdfc";

impl Business {
    pub fn device(&self, id: &str) -> Fingerprint {
        Fingerprint::device(&self.app.pseudonyms, id).unwrap()
    }

    pub fn ip(&self, address: &str) -> Fingerprint {
        Fingerprint::ip(&self.app.pseudonyms, address).unwrap()
    }

    pub fn payment(&self, id: &str) -> Fingerprint {
        Fingerprint::payment(&self.app.pseudonyms, id).unwrap()
    }

    pub async fn register(&self, user: i64, code: Option<&Code>, prints: &[Fingerprint]) {
        register_member(&self.app, &profile(user), code, prints).await.unwrap().unwrap();
    }

    pub async fn put_setting(&self, key: &str, json: &str) {
        set_setting(&self.app, &"olga".into(), key, json, None).await.unwrap();
    }

    pub async fn flags(&self, user: i64) -> Vec<FraudFlag> {
        self.calm().flags().of(&self.id(user), None, 100).await.unwrap()
    }

    /// Signals and what was done, in the order of their names.
    pub async fn found(&self, user: i64) -> Vec<(&'static str, &'static str)> {
        let flags = self.flags(user).await.into_iter();
        let mut found: Vec<_> = flags.map(|flag| (flag.signal.as_str(), flag.enforced.as_str())).collect();
        found.sort_unstable();
        found
    }

    /// `user` makes an order that is paid from `from`.
    pub async fn orders(&self, user: i64, transaction: &str, method: PaymentMethod, from: &str) -> Order {
        let request = OrderRequest {
            member: self.id(user),
            product: self.app.preset.plans.last().map(|plan| plan.id.clone()),
            price: None,
            method,
            transaction: Some(ExternalPaymentId::parse(transaction).unwrap()),
            payer: Some(self.payment(from)),
            payout: payout_of(&self.app, method, from),
            key: None,
            service: "shop".into(),
        };
        create_order(&self.app, &request).await.unwrap()
    }

    pub async fn buy(&self, user: i64, transaction: &str, from: &str) -> PaymentRecord {
        let order = self.orders(user, transaction, PaymentMethod::Bank, from).await;
        pay_order(&self.app, &order.id, None, &"shop".into()).await.unwrap().payment
    }

    pub async fn by_hand(&self, user: i64, action: FraudAction) -> FraudFlag {
        let by_hand = ByHand {
            principal: &"olga".into(),
            user_id: tid(user),
            action,
            reason: "asked by the bank",
            key: None,
        };
        flag_by_hand(&self.app, &by_hand).await.unwrap()
    }

    pub async fn resolve(&self, flag: &FraudFlag, verdict: FraudVerdict) -> Result<FraudFlag, FraudRefusal> {
        resolve_flag(&self.app, &"ben".into(), (&flag.subject, &flag.id), verdict, "looked at it").await
    }

    pub async fn reverse_all(&self, invoice: &str) {
        let id = format!("re_{invoice}");
        let kind = ReversalKind::Refund { id, amount: usd(3900), stage: RefundStage::Succeeded };
        let reversal = Reversal { at: self.app.now(), kind };
        reverse_payment(&self.app, &stripe_key(invoice), &reversal).await.unwrap();
        inspect_reversed(&self.app, &self.id(1)).await.unwrap();
    }
}

#[tokio::test]
async fn a_device_is_flagged_from_the_third_member_on_and_once() {
    let b = bitten().await;
    for user in 1..=2 {
        b.register(user, None, &[b.device(IPHONE)]).await;
        assert_eq!(b.found(user).await, []);
    }
    for _ in 0..3 {
        b.register(3, None, &[b.device(IPHONE)]).await;
        inspect_joined(&b.app, &b.id(3)).await.unwrap();
        assert_eq!(b.found(3).await, [("shared_device", "flag")]);
    }
    let member = b.calm().members().find(&b.id(3)).await.unwrap().unwrap();
    assert!(!member.is_on_hold() && !member.is_barred(), "a flag for review, nothing else");
}

#[tokio::test]
async fn an_address_counts_within_its_window() {
    let b = bitten().await;
    b.put_setting("fraud.shared_ip.members", "3").await;
    let home = b.ip("203.0.113.7");
    b.register(1, None, std::slice::from_ref(&home)).await;
    b.advance(DAY + 1);
    for user in 2..=3 {
        b.register(user, None, std::slice::from_ref(&home)).await;
        assert_eq!(b.found(user).await, [], "the first one was there a day ago");
    }
    b.register(4, None, &[home]).await;
    assert_eq!(b.found(4).await, [("shared_ip", "flag")]);
}

#[tokio::test]
async fn a_chain_on_one_device_is_a_ring_for_those_above_too() {
    let b = bitten().await;
    let phone = || [b.device(IPHONE)];
    b.register(1, None, &phone()).await;
    let code = b.code(1).await;
    b.register(2, Some(&code), &phone()).await;
    assert_eq!((b.found(1).await, b.found(2).await), (vec![], vec![]), "a couple with one tablet");
    b.register(3, Some(&code), &phone()).await;
    assert_eq!(b.found(3).await, [("referral_ring", "hold"), ("shared_device", "flag")]);
    assert_eq!(b.found(1).await, [("referral_ring", "hold")], "what the ring earns is theirs");
    assert!(b.calm().members().find(&b.id(1)).await.unwrap().unwrap().is_on_hold());
    // Strangers on it are no ring.
    b.register(9, None, &phone()).await;
    assert_eq!(b.found(9).await, [("shared_device", "flag")]);
}

#[tokio::test]
async fn many_at_once_are_flagged_once_a_day() {
    let b = bitten().await;
    b.put_setting("fraud.rapid_signups.signups", "3").await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.advance(HOUR + 1);
    for referee in 3..=4 {
        b.refer(1, referee).await;
        inspect_joined(&b.app, &b.id(referee)).await.unwrap();
        assert_eq!(b.found(1).await, [], "{referee}");
    }
    for referee in 5..=7 {
        b.refer(1, referee).await;
        inspect_joined(&b.app, &b.id(referee)).await.unwrap();
        assert_eq!(b.found(1).await, [("rapid_signups", "flag")]);
    }
    b.advance(DAY);
    for referee in 8..=10 {
        b.refer(1, referee).await;
        inspect_joined(&b.app, &b.id(referee)).await.unwrap();
    }
    assert_eq!(b.flags(1).await.len(), 2, "the next day is another one");
}

#[tokio::test]
async fn ten_who_had_time_to_pay_and_did_not_are_flagged() {
    let b = bitten().await;
    b.join(1).await;
    for referee in 1001..=1010 {
        b.refer(1, referee).await;
    }
    b.pump().await;
    inspect_joined(&b.app, &b.id(1010)).await.unwrap();
    assert_eq!(b.found(1).await, [], "they are too young");
    b.advance(8 * DAY);
    b.refer(1, 1011).await;
    b.pump().await;
    for _ in 0..2 {
        inspect_joined(&b.app, &b.id(1011)).await.unwrap();
    }
    assert_eq!(b.found(1).await, [("low_conversion", "flag")]);
    let says = b.flags(1).await[0].explain();
    assert_eq!(says, "0 of 10 referrals converted; the rule flags below 5% from 10 referrals");
}

#[tokio::test]
async fn who_pays_for_those_they_brought_earns_nothing_by_it() {
    let b = bitten().await;
    b.join(1).await;
    b.buy(1, "t-1", CARD).await;
    b.refer(1, 2).await;
    b.refer(1, 3).await;
    assert_eq!(b.buy(3, "t-3", "card_of_his_own").await.grants().count(), 1);
    for _ in 0..2 {
        let order = b.orders(2, "t-2", PaymentMethod::Bank, CARD).await;
        assert_eq!(b.found(2).await, [("self_referral", "reject")]);
        assert_eq!(b.found(1).await, [("self_referral", "reject")]);
        let paid = pay_order(&b.app, &order.id, None, &"shop".into()).await.unwrap();
        assert_eq!(paid.payment.refusal(), Some(Refusal::BeneficiaryBarred), "before anything was paid");
    }
    assert_eq!(b.found(3).await, []);
    unblock_member(&b.app, &"olga".into(), tid(1), "father and son").await.unwrap();
    b.refer(1, 4).await;
    assert_eq!(b.buy(4, "t-4", "another_card").await.grants().count(), 1);
}

#[tokio::test]
async fn a_referrer_who_pays_later_is_found_too() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.buy(2, "t-2", CARD).await;
    assert_eq!((b.found(1).await, b.found(2).await), (vec![], vec![]));
    b.orders(1, "t-1", PaymentMethod::Bank, CARD).await;
    let rejected = vec![("self_referral", "reject")];
    assert_eq!((b.found(1).await, b.found(2).await), (rejected.clone(), rejected));
}

#[tokio::test]
async fn a_referrer_behind_a_hundred_others_is_still_found() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    for stranger in 5000..5150 {
        b.calm().sightings().put(&b.payment(CARD), &b.id(stranger), NOW).await.unwrap();
    }
    b.calm().sightings().put(&b.payment(CARD), &b.id(1), NOW).await.unwrap();
    b.orders(2, "t-2", PaymentMethod::Bank, CARD).await;
    assert_eq!(b.found(1).await, [("self_referral", "reject")]);
}

#[tokio::test]
async fn too_many_refunds_hold_what_is_left() {
    let b = bitten_with_hold(DAY).await;
    b.put_setting("fraud.refund_rate.from_payments", "3").await;
    b.recruit_paying(4).await;
    b.reverse_all("in_1001").await;
    b.advance(DAY);
    assert_eq!(b.found(1).await, [], "one of four");
    b.reverse_all("in_1002").await;
    inspect_reversed(&b.app, &b.id(1)).await.unwrap();
    assert_eq!(b.found(1).await, [("refund_rate", "hold")]);
    assert_eq!((b.settle(1).await, b.buckets(1).await), (0, (0, 0, 0)));
    let says = b.flags(1).await[0].explain();
    assert_eq!(says, "2 of 4 payments were undone; the rule holds above 30% from 3 payments");
}

#[tokio::test]
async fn the_projector_counts_rewards_and_reversals() {
    let b = bitten().await;
    b.recruit_paying(3).await;
    b.reverse_all("in_1001").await;
    b.pump().await;
    let counters = b
        .calm()
        .statistics()
        .counters(&guerdon_store::statistics::Projection::Member(b.id(1)))
        .await
        .unwrap();
    assert_eq!((counters.named("rewards"), counters.named("reversed")), (3, 1));
}

/// Member 1 of the OTT business with 504 rupees.
pub async fn earning() -> Business {
    let b = Business::open(OTT).await;
    b.join(1).await;
    b.refer(1, 2).await;
    for n in 0..18 {
        let order = b.orders(2, &format!("t-{n}"), PaymentMethod::Upi, "ravi@okaxis").await;
        pay_order(&b.app, &order.id, None, &"shop".into()).await.unwrap();
    }
    b.advance(DAY);
    b.settle(1).await;
    b
}

pub async fn ask(
    b: &Business,
    to: &str,
    key: &str,
) -> Result<guerdon_domain::withdrawals::Withdrawal, &'static str> {
    let (amount, to) = (Money::new(50_000, Currency::INR), (PayoutMethod::Upi, to));
    let asked = request_withdrawal(&b.app, &b.id(1), amount, to, key).await;
    let asked = asked.map(|asked| asked.withdrawal().clone()).map_err(|refused| refused.code())?;
    // As the worker does, when the stream has told it.
    guerdon_app::fraud::inspect_withdrawal(&b.app, &asked.id).await.unwrap();
    Ok(asked)
}

#[tokio::test]
async fn a_destination_of_two_members_is_not_paid_out_until_it_is_reviewed() {
    let b = earning().await;
    let owner = payout_of(&b.app, PaymentMethod::Upi, UPI).unwrap();
    b.calm().sightings().put(&owner, &b.id(77), NOW).await.unwrap();
    let asked = ask(&b, UPI, "k1").await.unwrap();
    assert_eq!(ask(&b, UPI, "k1").await.unwrap().id, asked.id);
    assert_eq!(b.found(1).await, [("shared_destination", "hold")]);
    let approved = approve_withdrawal(&b.app, &asked.id, &"ops".into()).await;
    assert_eq!(approved.unwrap_err().code(), "under_review");
    assert_eq!(ask(&b, "other@okhdfc", "k2").await, Err("under_review"));
    let [flag] = &b.flags(1).await[..] else { panic!() };
    b.resolve(flag, FraudVerdict::Dismissed).await.unwrap();
    approve_withdrawal(&b.app, &asked.id, &"ops".into()).await.unwrap();
}

#[tokio::test]
async fn who_is_paid_out_where_a_referee_pays_from_is_found() {
    let b = earning().await;
    ask(&b, "ravi@okaxis", "k1").await.unwrap();
    assert_eq!(b.found(1).await, [("shared_destination", "hold")]);
    // And a referee who pays from where the referrer was paid out to.
    let b = earning().await;
    ask(&b, UPI, "k1").await.unwrap();
    assert_eq!(b.found(1).await, []);
    b.orders(2, "t-99", PaymentMethod::Upi, UPI).await;
    assert_eq!(b.found(1).await, [("self_referral", "reject")]);
}

#[tokio::test]
async fn what_is_stored_are_hashes() {
    let b = earning().await;
    ask(&b, UPI, "k1").await.unwrap();
    b.orders(2, "t-99", PaymentMethod::Upi, UPI).await;
    b.orders(1, "t-98", PaymentMethod::Bank, CARD).await;
    b.register(3, None, &[b.device(IPHONE), b.ip("203.0.113.7")]).await;
    let dump = b.dump().await;
    assert!(dump.keys().any(|key| key.contains(" FLAG#")));
    for (key, item) in dump {
        for raw in [IPHONE, CARD, UPI, "ravi@okaxis", "203.0.113"] {
            assert!(!item.contains(raw), "{key} {item}");
        }
    }
}

#[tokio::test]
async fn in_shadow_all_is_found_and_nothing_is_done() {
    let b = bitten().await;
    b.put_setting("fraud.shadow", "true").await;
    b.join(1).await;
    b.buy(1, "t-1", CARD).await;
    b.refer(1, 2).await;
    assert_eq!(b.buy(2, "t-2", CARD).await.grants().count(), 1);
    assert_eq!(b.found(1).await, [("self_referral", "allow")]);
    let member = b.calm().members().find(&b.id(1)).await.unwrap().unwrap();
    assert!(!member.is_barred() && !member.is_on_hold());
    assert!(run_checks(&b.app, &"olga".into(), tid(1)).await.unwrap().shadow);
    // Once it has ended, the same look has a stronger hand.
    b.put_setting("fraud.shadow", "false").await;
    let checked = run_checks(&b.app, &"olga".into(), tid(1)).await.unwrap();
    assert_eq!((checked.shadow, b.found(1).await), (false, vec![("self_referral", "reject")]));
    assert!(b.calm().members().find(&b.id(1)).await.unwrap().unwrap().is_barred());
    assert_eq!(checked.flags.iter().filter(|flag| flag.subject == b.id(1)).count(), 1);
}

async fn balance(b: &Business) -> (i64, i64) {
    let member = b.calm().members().find(&b.id(1)).await.unwrap().unwrap();
    let view = credits_view(&b.app, &member, None, 5).await.unwrap();
    (view.wallet.available().minor(), view.on_hold.minor())
}

#[tokio::test]
async fn what_is_held_is_released_by_nothing_but_a_dismissal() {
    let b = bitten_with_hold(DAY).await;
    b.recruit_paying(3).await;
    let flag = b.by_hand(1, FraudAction::Hold).await;
    b.pump().await;
    b.advance(2 * DAY);
    b.meter.reset();
    assert_eq!(settle_wallet(&b.app, &b.id(1)).await.unwrap(), Settled::default());
    assert_eq!(b.cost("settle_wallet").write_tenths, 0, "not even a transaction that fails");
    let swept = sweep_releases(&b.app).await.unwrap();
    assert_eq!(swept, Swept { members: 1, released: 0, left: 0 });
    assert_eq!(sweep_releases(&b.app).await.unwrap().members, 0, "the sweep does not come by for nothing");
    assert_eq!(balance(&b).await, (0, 3000), "it stays where it is, and is shown");
    b.resolve(&flag, FraudVerdict::Dismissed).await.unwrap();
    b.pump().await;
    assert_eq!((b.buckets(1).await, balance(&b).await), ((3000, 0, 0), (3000, 0)));
}

#[tokio::test]
async fn a_confirmed_hold_stays_until_the_member_is_unblocked() {
    let b = bitten().await;
    b.recruit_paying(1).await;
    let flag = b.by_hand(1, FraudAction::Hold).await;
    for _ in 0..2 {
        let confirmed = b.resolve(&flag, FraudVerdict::Confirmed).await.unwrap();
        assert_eq!(confirmed.in_force(), FraudAction::Hold);
    }
    let other = b.resolve(&flag, FraudVerdict::Dismissed).await;
    assert!(matches!(other, Err(FraudRefusal::AlreadyResolved(FraudVerdict::Confirmed))), "{other:?}");
    assert_eq!(b.settle(1).await, 0);
    for lifted in [1, 0] {
        let flags = unblock_member(&b.app, &"olga".into(), tid(1), "all is well").await.unwrap();
        assert_eq!(flags.len(), lifted);
    }
    assert_eq!((b.flags(1).await[0].in_force(), b.buckets(1).await), (FraudAction::Allow, (1000, 0, 0)));
}

#[tokio::test]
async fn a_block_is_one_however_often_and_its_end_is_its_end() {
    let b = bitten().await;
    b.join(1).await;
    let by_hand = ByHand {
        principal: &"olga".into(),
        user_id: tid(1),
        action: FraudAction::Reject,
        reason: "chargebacks elsewhere",
        key: None,
    };
    for round in 1..=2 {
        let first = block_member(&b.app, &by_hand).await.unwrap();
        assert_eq!(block_member(&b.app, &by_hand).await.unwrap().id, first.id);
        let member = b.calm().members().find(&b.id(1)).await.unwrap().unwrap();
        assert!(member.is_barred() && member.is_on_hold(), "a block does what a hold does, and more");
        unblock_member(&b.app, &"olga".into(), tid(1), "all is well").await.unwrap();
        assert!(!b.calm().members().find(&b.id(1)).await.unwrap().unwrap().is_barred());
        assert_eq!(b.flags(1).await.len(), round);
    }
    let trail = b.calm().audit().trail("2026-11", None, 10).await.unwrap();
    let count = |action: &str| trail.iter().filter(|line| line.action == action).count();
    assert_eq!((count("fraud.block"), count("fraud.unblock"), trail.len()), (2, 2, 4));
    let stranger = ByHand { user_id: tid(9), ..by_hand };
    assert!(matches!(block_member(&b.app, &stranger).await, Err(FraudRefusal::UnknownMember)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn settles_that_race_with_a_hold_release_all_before_it_or_nothing() {
    for _ in 0..5 {
        let b = Arc::new(bitten().await);
        b.recruit_paying(20).await;
        b.race(11);
        let released = at_once(11, |n| {
            let b = b.clone();
            async move {
                if n == 5 {
                    b.by_hand(1, FraudAction::Hold).await;
                    return 0;
                }
                b.settle(1).await
            }
        })
        .await;
        b.mend();
        let released: u32 = released.iter().sum();
        assert!([0, 20].contains(&released), "{released}");
        let before = b.buckets(1).await;
        assert_eq!(before, (i64::from(released) * 1000, 0, 0));
        assert_eq!((b.settle(1).await, b.buckets(1).await), (0, before), "on hold by now");
        let [flag] = &b.flags(1).await[..] else { panic!() };
        b.resolve(flag, FraudVerdict::Dismissed).await.unwrap();
        assert_eq!(b.buckets(1).await, (20_000, 0, 0));
    }
}

#[tokio::test]
async fn a_member_who_is_rejected_cannot_withdraw() {
    let b = earning().await;
    let asked = ask(&b, UPI, "k1").await.unwrap();
    b.by_hand(1, FraudAction::Reject).await;
    let approved = approve_withdrawal(&b.app, &asked.id, &"ops".into()).await;
    assert!(matches!(approved, Err(WithdrawalError::Barred)), "{approved:?}");
    assert_eq!(ask(&b, UPI, "k2").await, Err("member_barred"));
}
