//! Withdrawals: held at request, decided by people, paid once, never below zero.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use guerdon_app::{
    payments::{record_payment, reverse_payment},
    verification::verify_wallet,
    withdrawals::{
        Outcome, PaidOut, PayoutError, Payouts, WithdrawalAsked, WithdrawalError, approve_withdrawal,
        claim_withdrawal, export_batch, finish_withdrawal, look_up_stuck, pay_out, reject_withdrawal,
        request_withdrawal,
    },
};
use guerdon_domain::{
    ids::WithdrawalId,
    money::{Currency, Money},
    payments::{PaymentFacts, RefundStage, Reversal, ReversalKind},
    wallets::WalletKind,
    withdrawals::{Destination, PayoutMethod, Withdrawal, WithdrawalState},
};

use crate::support::*;

pub const OTT: &str = include_str!("../../../domain/presets/ott.toml");
const UPI: (PayoutMethod, &str) = (PayoutMethod::Upi, "asha@okhdfc");

pub fn inr(minor: i64) -> Money {
    Money::new(minor, Currency::INR)
}

impl Business {
    /// Member 1 with `orders` paid orders of a referee: ₹28 each, released.
    pub async fn earning(preset: &str, orders: i64) -> Self {
        let b = Self::open(preset).await;
        b.join(1).await;
        b.refer(1, 2).await;
        for n in 0..orders {
            b.order(n).await;
        }
        b.advance(DAY);
        b.settle(1).await;
        b
    }

    async fn order(&self, n: i64) {
        let key = stripe_key(&format!("o_{n}"));
        let order = PaymentFacts::purchase(key, self.id(2), inr(13_500), self.app.now());
        record_payment(&self.app, &order).await.unwrap();
    }

    pub async fn earnings(&self) -> (i64, i64, i64) {
        let wallet =
            self.calm().wallets().find(&self.id(1), WalletKind::Earnings, Currency::INR).await.unwrap();
        assert_eq!(verify_wallet(&self.app, &wallet).await.unwrap(), None);
        (wallet.buckets.available, wallet.buckets.held, wallet.buckets.owed)
    }

    async fn ask(&self, minor: i64, key: &str) -> Result<WithdrawalAsked, WithdrawalError> {
        request_withdrawal(&self.app, &self.id(1), inr(minor), UPI, key).await
    }

    async fn asked(&self, minor: i64, key: &str) -> WithdrawalId {
        self.ask(minor, key).await.unwrap().withdrawal().id.clone()
    }

    async fn approved(&self, minor: i64, key: &str) -> WithdrawalId {
        let id = self.asked(minor, key).await;
        approve_withdrawal(&self.app, &id, &"ops".into()).await.unwrap();
        id
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, WithdrawalError>) -> &'static str {
    result.unwrap_err().code()
}

#[tokio::test]
async fn a_withdrawal_goes_from_request_to_proof_and_is_counted_once() {
    let b = Business::earning(OTT, 25).await;
    assert_eq!(b.earnings().await, (70_000, 0, 0));
    let id = b.asked(60_000, "k1").await;
    assert_eq!(b.earnings().await, (10_000, 60_000, 0));
    assert!(matches!(b.ask(60_000, "k1").await, Ok(WithdrawalAsked::AlreadyApplied(w)) if w.id == id));
    approve_withdrawal(&b.app, &id, &"ops".into()).await.unwrap();
    approve_withdrawal(&b.app, &id, &"ops".into()).await.unwrap();
    claim_withdrawal(&b.app, &id, &"ops".into()).await.unwrap();
    claim_withdrawal(&b.app, &id, &"ops".into()).await.unwrap();
    assert_eq!(code(claim_withdrawal(&b.app, &id, &"other".into()).await), "wrong_state");
    let paid = Outcome::Paid("UTR 123".to_owned());
    let done = finish_withdrawal(&b.app, &id, &"ops".into(), &paid).await.unwrap();
    assert_eq!((done.state(), done.step.proof()), (WithdrawalState::Paid, Some("UTR 123")));
    finish_withdrawal(&b.app, &id, &"ops".into(), &paid).await.unwrap();
    assert_eq!(b.earnings().await, (10_000, 0, 0));
    let other = Outcome::Paid("UTR 999".to_owned());
    assert_eq!(code(finish_withdrawal(&b.app, &id, &"ops".into(), &other).await), "wrong_state");
    assert_eq!(code(reject_withdrawal(&b.app, &id, &"ops".into(), "too late").await), "wrong_state");
    // The stream tells the audit trail who did what.
    b.project_all().await;
    let trail = b.calm().audit().trail("2026-11", None, 10).await.unwrap();
    let mut actions: Vec<_> = trail.iter().map(|line| line.action.as_str()).collect();
    actions.sort_unstable();
    assert_eq!(actions, ["withdrawal.approved", "withdrawal.paid", "withdrawal.paying"]);
}

#[tokio::test]
async fn request_approval_and_payment_cost_seven_six_and_seven_units() {
    let b = Business::earning(OTT, 25).await;
    b.meter.reset();
    let id = b.asked(60_000, "k1").await;
    let within = |name: &str, units: u64| {
        let cost = b.cost(name);
        println!("{name}: {} tenths of a write unit", cost.write_tenths);
        assert!(cost.write_tenths <= units * 10 && cost.transactions == 1, "{name}: {cost:?}");
    };
    within("request_withdrawal", 7);
    approve_withdrawal(&b.app, &id, &"ops".into()).await.unwrap();
    within("approve_withdrawal", 6);
    claim_withdrawal(&b.app, &id, &"ops".into()).await.unwrap();
    finish_withdrawal(&b.app, &id, &"ops".into(), &Outcome::Paid("UTR".to_owned())).await.unwrap();
    within("finish_withdrawal", 7);
}

#[tokio::test]
async fn what_may_not_be_asked_for_is_refused_by_code_and_changes_nothing() {
    let b = Business::earning(OTT, 25).await;
    let before = b.dump().await;
    let id = b.id(1);
    let ask = async |amount, destination, key: &str| {
        code(request_withdrawal(&b.app, &id, amount, destination, key).await)
    };
    assert_eq!(ask(inr(-1), UPI, "k").await, "bad_amount");
    assert_eq!(ask(inr(0), UPI, "k").await, "bad_amount");
    assert_eq!(ask(Money::new(60_000, Currency::USD), UPI, "k").await, "bad_amount");
    assert_eq!(ask(inr(49_999), UPI, "k").await, "below_minimum");
    assert_eq!(ask(inr(70_001), UPI, "k").await, "insufficient_funds");
    assert_eq!(ask(inr(i64::MAX), UPI, "k").await, "insufficient_funds");
    assert_eq!(ask(inr(60_000), (PayoutMethod::Upi, "nobody"), "k").await, "bad_destination");
    assert_eq!(ask(inr(60_000), (PayoutMethod::Iban, "PL61"), "k").await, "method_not_offered");
    assert_eq!(ask(inr(60_000), UPI, "").await, "bad_text");
    let stranger = request_withdrawal(&b.app, &b.id(99), inr(60_000), UPI, "k").await;
    assert_eq!(code(stranger), "unknown_member");
    for id in ["nonsense", "x-1", &format!("{}-7", b.id(1))] {
        let id = WithdrawalId::parse(id).unwrap();
        assert_eq!(code(approve_withdrawal(&b.app, &id, &"ops".into()).await), "unknown_withdrawal");
    }
    assert_eq!(b.dump().await, before);
    let other = bitten().await;
    let refused = request_withdrawal(&other.app, &other.id(1), usd(1), UPI, "k").await;
    assert_eq!(code(refused), "withdrawals_not_offered");
}

#[tokio::test]
async fn one_is_open_at_a_time_and_the_next_waits_unless_turned_down() {
    let b = Business::earning(OTT, 60).await;
    let first = b.asked(50_000, "k1").await;
    assert_eq!(code(b.ask(50_000, "k2").await), "withdrawal_open");
    assert_eq!(code(b.ask(50_001, "k1").await), "key_reused");
    assert_eq!(
        code(finish_withdrawal(&b.app, &first, &"ops".into(), &Outcome::Unknown).await),
        "wrong_state"
    );
    assert_eq!(code(reject_withdrawal(&b.app, &first, &"ops".into(), " ").await), "bad_text");
    reject_withdrawal(&b.app, &first, &"ops".into(), "wrong name").await.unwrap();
    reject_withdrawal(&b.app, &first, &"ops".into(), "wrong name").await.unwrap();
    assert_eq!(b.earnings().await, (168_000, 0, 0));
    // Turned down, it does not count for the cool-down.
    let second = b.approved(50_000, "k2").await;
    claim_withdrawal(&b.app, &second, &"ops".into()).await.unwrap();
    finish_withdrawal(&b.app, &second, &"ops".into(), &Outcome::Failed("account closed".to_owned()))
        .await
        .unwrap();
    assert_eq!(b.earnings().await, (168_000, 0, 0));
    let third = b.approved(50_000, "k3").await;
    claim_withdrawal(&b.app, &third, &"ops".into()).await.unwrap();
    finish_withdrawal(&b.app, &third, &"ops".into(), &Outcome::Paid("UTR".to_owned())).await.unwrap();
    assert_eq!(code(b.ask(50_000, "k4").await), "cooling_down");
    b.advance(DAY);
    b.asked(50_000, "k4").await;
}

#[tokio::test]
async fn a_debt_blocks_the_request_and_the_approval() {
    let b = Business::earning(OTT, 25).await;
    let id = b.asked(70_000, "k1").await;
    let refund =
        ReversalKind::Refund { id: "re_1".to_owned(), amount: inr(13_500), stage: RefundStage::Succeeded };
    let reversal = Reversal { at: b.app.now(), kind: refund };
    reverse_payment(&b.app, &stripe_key("o_0"), &reversal).await.unwrap();
    assert_eq!(b.earnings().await, (0, 70_000, 2_800));
    assert_eq!(code(approve_withdrawal(&b.app, &id, &"ops".into()).await), "owes_money");
    // Turned down, the debt is netted from what comes back.
    reject_withdrawal(&b.app, &id, &"ops".into(), "refunded order").await.unwrap();
    assert_eq!(b.earnings().await, (67_200, 0, 0));
    let id = b.approved(60_000, "k2").await;
    // Once approved, a debt no longer stops the payout: it stays owed and visible.
    for n in 1..=4 {
        reverse_payment(&b.app, &stripe_key(&format!("o_{n}")), &reversal).await.unwrap();
    }
    assert_eq!(b.earnings().await, (0, 60_000, 4_000));
    claim_withdrawal(&b.app, &id, &"ops".into()).await.unwrap();
    finish_withdrawal(&b.app, &id, &"ops".into(), &Outcome::Paid("UTR".to_owned())).await.unwrap();
    assert_eq!(b.earnings().await, (0, 0, 4_000));
    b.advance(DAY);
    assert_eq!(code(b.ask(50_000, "k3").await), "owes_money");
}

#[tokio::test]
async fn with_four_eyes_another_operator_pays() {
    let b = Business::earning(&OTT.replace("four_eyes = false", "four_eyes = true"), 25).await;
    let id = b.approved(60_000, "k1").await;
    assert_eq!(code(claim_withdrawal(&b.app, &id, &"ops".into()).await), "same_operator");
    assert!(export_batch(&b.app, &"b1".into(), PayoutMethod::Upi, &"ops".into()).await.unwrap().is_empty());
    claim_withdrawal(&b.app, &id, &"cashier".into()).await.unwrap();
}

#[tokio::test]
async fn a_batch_names_each_withdrawal_once_and_comes_out_the_same_again() {
    let b = Business::earning(OTT, 25).await;
    let id = b.approved(60_000, "k1").await;
    assert!(
        export_batch(&b.app, &"b0".into(), PayoutMethod::BankIn, &"ops".into()).await.unwrap().is_empty()
    );
    let lines = async |batch: &str| {
        let lines = export_batch(&b.app, &batch.into(), PayoutMethod::Upi, &"ops".into()).await.unwrap();
        lines.into_iter().map(|line| (line.withdrawal.id, line.destination)).collect::<Vec<_>>()
    };
    let expected = [(id.clone(), "asha@okhdfc".to_owned())];
    assert_eq!(lines("b1").await, expected);
    assert_eq!(lines("b1").await, expected);
    assert!(lines("b2").await.is_empty());
    // Who asks the bank later finds what is not ended.
    assert!(look_up_stuck(&b.app, b.app.now(), 10).await.unwrap().is_empty());
    b.advance(DAY);
    assert_eq!(look_up_stuck(&b.app, b.app.now(), 10).await.unwrap().len(), 1);
    let stored = b.dump().await.into_values().collect::<String>();
    assert!(!stored.contains("asha"), "a destination is stored in clear");
}

/// A bank that pays once per id, and may lose its answer.
#[derive(Default)]
struct Bank {
    paid: Mutex<Vec<String>>,
    calls: Mutex<u32>,
    /// The faults of the next calls: they lose the answer after or before paying, or refuse.
    trouble: Mutex<Vec<&'static str>>,
}

impl Bank {
    fn troubled(trouble: &[&'static str]) -> Self {
        let trouble = trouble.iter().rev().copied().collect();
        Self { trouble: Mutex::new(trouble), ..Self::default() }
    }

    fn payouts(&self) -> usize {
        self.paid.lock().unwrap().len()
    }
}

#[async_trait]
impl Payouts for Bank {
    async fn pay(&self, withdrawal: &Withdrawal, to: &Destination) -> Result<String, PayoutError> {
        assert_eq!(to.expose(), "asha@okhdfc");
        *self.calls.lock().unwrap() += 1;
        let trouble = self.trouble.lock().unwrap().pop();
        match trouble {
            Some("refuse") => return Err(PayoutError::Refused("no such account".to_owned())),
            Some("lose-before") => return Err(PayoutError::Unknown("timeout".to_owned())),
            _ => {}
        }
        self.paid.lock().unwrap().push(withdrawal.id.to_string());
        match trouble {
            Some(_) => Err(PayoutError::Unknown("timeout".to_owned())),
            None => Ok(format!("proof of {}", withdrawal.id)),
        }
    }

    async fn find(&self, withdrawal: &Withdrawal) -> Result<Option<String>, PayoutError> {
        if self.trouble.lock().unwrap().last() == Some(&"blind") {
            self.trouble.lock().unwrap().pop();
            return Err(PayoutError::Unknown("down".to_owned()));
        }
        let paid = self.paid.lock().unwrap().contains(&withdrawal.id.to_string());
        Ok(paid.then(|| format!("proof of {}", withdrawal.id)))
    }
}

#[tokio::test]
async fn a_payout_whose_answer_is_lost_is_looked_up_and_made_once() {
    let check = async |trouble: &[&'static str], end: WithdrawalState, payouts: usize, left: i64| {
        let b = Business::earning(OTT, 25).await;
        let id = b.approved(60_000, "k1").await;
        let bank = Bank::troubled(trouble);
        for _ in 0..trouble.len() {
            assert!(
                matches!(pay_out(&b.app, &bank, &id, &"job".into()).await, Ok(PaidOut::Unknown(_)) if end != WithdrawalState::Failed)
                    || end == WithdrawalState::Failed
            );
        }
        let last = pay_out(&b.app, &bank, &id, &"job".into()).await;
        let state = b.calm().withdrawals().find(&id).await.unwrap().unwrap().state();
        assert_eq!((state, bank.payouts(), b.earnings().await.0), (end, payouts, left), "{last:?}");
        assert_eq!(b.earnings().await.1, 0);
    };
    check(&[], WithdrawalState::Paid, 1, 10_000).await;
    check(&["lose-after"], WithdrawalState::Paid, 1, 10_000).await;
    check(&["lose-before"], WithdrawalState::Paid, 1, 10_000).await;
    check(&["lose-before", "blind"], WithdrawalState::Paid, 1, 10_000).await;
    check(&["lose-after", "blind"], WithdrawalState::Paid, 1, 10_000).await;
    check(&["refuse"], WithdrawalState::Failed, 0, 70_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_hundred_withdrawals_racing_on_one_wallet_take_no_more_than_there_is() {
    let rules = "minimum = { minor = 50_000, currency = \"INR\" }";
    let preset = OTT.replace(rules, "minimum = { minor = 100, currency = \"INR\" }");
    let preset = preset.replace("cool_down_seconds = 86_400", "cool_down_seconds = 0");
    let b = Arc::new(Business::earning(&preset, 2).await);
    assert_eq!(b.earnings().await, (5_600, 0, 0));
    let outcomes = at_once(500, |n| {
        let b = b.clone();
        async move {
            let asked = match b.ask(1_000, &format!("k{n}")).await {
                Ok(asked) => asked.withdrawal().id.clone(),
                Err(WithdrawalError::OneOpen(_) | WithdrawalError::Insufficient { .. }) => return 0,
                Err(WithdrawalError::App(error)) if error.retryable() => return 0,
                Err(error) => panic!("{error}"),
            };
            approve_withdrawal(&b.app, &asked, &"ops".into()).await.unwrap();
            claim_withdrawal(&b.app, &asked, &"ops".into()).await.unwrap();
            finish_withdrawal(&b.app, &asked, &"ops".into(), &Outcome::Paid("UTR".to_owned())).await.unwrap();
            1_000
        }
    })
    .await;
    let left_the_wallet: i64 = outcomes.iter().sum();
    assert!((1_000..=5_000).contains(&left_the_wallet), "{left_the_wallet}");
    assert_eq!(b.earnings().await, (5_600 - left_the_wallet, 0, 0));
}
