use proptest::prelude::*;

use super::*;
use crate::wallets::{StatementError, verify_statement};

fn wallet() -> Wallet {
    Wallet::empty(MemberId::parse("m1").unwrap(), WalletKind::BillCredit, Currency::USD)
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn commission(n: usize) -> CommissionId {
    CommissionId::parse(format!("c{n}")).unwrap()
}

fn withdrawal(n: usize) -> WithdrawalId {
    WithdrawalId::parse(format!("w{n}")).unwrap()
}

fn posting(n: usize) -> PostingId {
    PostingId::parse(format!("p{n}")).unwrap()
}

fn invoice(n: usize) -> InvoiceId {
    InvoiceId::parse(format!("in_{n}")).unwrap()
}

fn adjustment(n: usize) -> AdjustmentId {
    AdjustmentId::parse(format!("a{n}")).unwrap()
}

const NOW: Timestamp = Timestamp::from_seconds(1_795_253_400);

#[test]
fn a_credit_lives_from_release_to_invoice_and_back() {
    let (w, released) = wallet().release(usd(1000), 1, "d".into(), NOW).unwrap();
    let (w, posted) = w.claim_posting(usd(1000), posting(1), NOW).unwrap();
    let (w, applied) = w.apply_to_invoice(usd(600), invoice(1), NOW).unwrap();
    assert_eq!((w.buckets.available, w.buckets.held, w.applied), (0, 400, 600));
    let (w, returned) = w.return_from_invoice(usd(600), invoice(1), NOW).unwrap();
    assert_eq!((w.buckets.held, w.applied, w.seq), (1000, 0, 4));
    assert_eq!(verify_statement(&w, &[released, posted, applied, returned]), Ok(()));
}

#[test]
fn credit_on_the_balance_of_a_lost_customer_comes_back() {
    let customer = || CustomerId::parse("cus_1").unwrap();
    let (w, _) = wallet().release(usd(1000), 1, "d".into(), NOW).unwrap();
    let (w, _) = w.claim_posting(usd(1000), posting(1), NOW).unwrap();
    let (w, _) = w.apply_to_invoice(usd(300), invoice(1), NOW).unwrap();
    let (w, _) = w.recall(usd(700), customer(), NOW).unwrap();
    assert_eq!(w.buckets, Buckets { available: 700, held: 0, owed: 0 });
    // An invoice had used 500 of it, which is told late, when 600 are posted elsewhere.
    let (w, _) = w.claim_posting(usd(600), posting(2), NOW).unwrap();
    let (w, entry) = w.apply_recalled(usd(500), invoice(2), NOW).unwrap();
    assert_eq!(w.buckets, Buckets { available: 0, held: 600, owed: 400 });
    assert_eq!((w.applied, entry.house), (800, Some((House::InvoiceRevenue, 500))));
    // What is recalled pays the debt first.
    let (w, _) = w.recall(usd(600), customer(), NOW).unwrap();
    assert_eq!(w.buckets, Buckets { available: 200, held: 0, owed: 0 });
}

#[test]
fn a_debt_is_netted_from_the_next_release() {
    let mut indebted = wallet();
    indebted.buckets.owed = 300;
    let (w, entry) = indebted.clone().release(usd(1000), 1, "d".into(), NOW).unwrap();
    assert_eq!((w.buckets.available, w.buckets.owed), (700, 0));
    assert_eq!(entry.operation().unwrap().legs().len(), 3);
    let (w, _) = indebted.release(usd(100), 1, "d".into(), NOW).unwrap();
    assert_eq!((w.buckets.available, w.buckets.owed), (0, 200));
}

#[test]
fn refusals_name_the_bucket_and_change_nothing() {
    let (w, _) = wallet().release(usd(500), 1, "d".into(), NOW).unwrap();
    let error = w.clone().claim_posting(usd(501), posting(1), NOW).unwrap_err();
    let expect = WalletError::Insufficient { bucket: Bucket::Available, have: usd(500), asked: usd(501) };
    assert_eq!(error, expect);
    assert_eq!(error.to_string(), "$5.00 is available, which is less than $5.01");
    assert!(matches!(
        w.clone().apply_to_invoice(usd(1), invoice(1), NOW),
        Err(WalletError::Insufficient { bucket: Bucket::Held, .. })
    ));
    assert_eq!(w.clone().take(usd(0), adjustment(1), NOW).unwrap_err(), WalletError::NotPositive);
    assert_eq!(w.clone().give(usd(-5), adjustment(1), NOW).unwrap_err(), WalletError::NotPositive);
    let euros = Money::new(5, Currency::EUR);
    assert!(matches!(w.give(euros, adjustment(1), NOW), Err(WalletError::Ledger(_))));
}

#[test]
fn a_changed_statement_is_found_out() {
    let (w, one) = wallet().release(usd(500), 1, "d".into(), NOW).unwrap();
    let (w, two) = w.take(usd(100), adjustment(1), NOW).unwrap();
    let check = |entries: &[Entry], wallet: &Wallet, expect| {
        assert_eq!(verify_statement(wallet, entries), Err(expect));
    };
    check(std::slice::from_ref(&two), &w, StatementError::Gap { expected: 1, found: 2 });
    let mut forged = one.clone();
    forged.delta.available = 400;
    check(&[forged, two.clone()], &w, StatementError::Tampered(1));
    let mut unlinked = two.clone();
    unlinked.prev_hash.clear();
    unlinked.hash = unlinked.compute_hash();
    check(&[one.clone(), unlinked], &w, StatementError::Tampered(2));
    let mut resealed = one.clone();
    resealed.after.available = 900;
    resealed.hash = resealed.compute_hash();
    check(&[resealed, two.clone()], &w, StatementError::WrongBalance(1));
    check(&[one], &w, StatementError::WalletDiffers);
}

#[derive(Debug, Clone)]
enum Step {
    Release(i64),
    Give(i64),
    Take(i64),
    Claim(i64),
    Undo(i64),
    Apply(i64),
    Return(i64),
    ClawBack(i64),
    Reinstate(i64),
    Request(i64),
    TurnDown(i64),
    PayOut(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let amount = -5_i64..2000;
    prop_oneof![
        amount.clone().prop_map(Step::Release),
        amount.clone().prop_map(Step::Give),
        amount.clone().prop_map(Step::Take),
        amount.clone().prop_map(Step::Claim),
        amount.clone().prop_map(Step::Undo),
        amount.clone().prop_map(Step::Apply),
        amount.clone().prop_map(Step::Return),
        amount.clone().prop_map(Step::ClawBack),
        amount.clone().prop_map(Step::Reinstate),
        amount.clone().prop_map(Step::Request),
        amount.clone().prop_map(Step::TurnDown),
        amount.prop_map(Step::PayOut),
    ]
}

fn run(wallet: Wallet, step: &Step, n: usize) -> Result<(Wallet, Entry), WalletError> {
    match *step {
        Step::Release(minor) => wallet.release(usd(minor), 1, format!("d{n}"), NOW),
        Step::Give(minor) => wallet.give(usd(minor), adjustment(n), NOW),
        Step::Take(minor) => wallet.take(usd(minor), adjustment(n), NOW),
        Step::Claim(minor) => wallet.claim_posting(usd(minor), posting(n), NOW),
        Step::Undo(minor) => wallet.undo_posting(usd(minor), posting(n), NOW),
        Step::Apply(minor) => wallet.apply_to_invoice(usd(minor), invoice(n), NOW),
        Step::Return(minor) => wallet.return_from_invoice(usd(minor), invoice(n), NOW),
        Step::ClawBack(minor) => wallet.claw_back(usd(minor), commission(n), NOW),
        Step::Reinstate(minor) => wallet.reinstate(usd(minor), commission(n), NOW),
        Step::Request(minor) => wallet.request_withdrawal(usd(minor), withdrawal(n), NOW),
        Step::TurnDown(minor) => wallet.return_withdrawal(usd(minor), withdrawal(n), NOW),
        Step::PayOut(minor) => wallet.pay_withdrawal(usd(minor), withdrawal(n), NOW),
    }
}

proptest! {
    #[test]
    fn any_sequence_balances_and_verifies(steps in proptest::collection::vec(step(), 0..60)) {
        let mut wallet = wallet();
        wallet.buckets.owed = 0;
        let mut entries = Vec::new();
        let mut house = 0;
        for (n, step) in steps.iter().enumerate() {
            let Ok((next, entry)) = run(wallet.clone(), step, n) else { continue };
            let b = next.buckets;
            prop_assert!(b.available >= 0 && b.held >= 0 && b.owed >= 0);
            house += entry.house.map_or(0, |(_, minor)| minor);
            // The wallet's net worth and the house's legs cancel out at every step.
            prop_assert_eq!(b.available + b.held - b.owed + house, 0);
            entries.push(entry);
            wallet = next;
        }
        prop_assert_eq!(verify_statement(&wallet, &entries), Ok(()));
    }
}

#[test]
fn what_a_clawback_cannot_take_is_owed_and_netted() {
    let (w, _) = wallet().release(usd(1000), 1, "d".to_owned(), NOW).unwrap();
    let (w, _) = w.request_withdrawal(usd(700), withdrawal(1), NOW).unwrap();
    let (w, entry) = w.claw_back(usd(1000), commission(1), NOW).unwrap();
    assert_eq!((w.buckets.available, w.buckets.held, w.buckets.owed), (0, 700, 700));
    assert_eq!(entry.house, Some((House::CommissionExpense, 1000)));
    // While anything is owed, no more money may leave.
    let (more, _) = w.clone().release(usd(900), 1, "e".to_owned(), NOW).unwrap();
    assert_eq!((more.buckets.available, more.buckets.owed), (200, 0));
    assert!(matches!(
        w.clone().request_withdrawal(usd(1), withdrawal(2), NOW),
        Err(WalletError::Owes(owed)) if owed == usd(700)
    ));
    // After a rejection, the held money pays the debt.
    let (turned, _) = w.return_withdrawal(usd(700), withdrawal(1), NOW).unwrap();
    assert_eq!((turned.buckets.available, turned.buckets.held, turned.buckets.owed), (0, 0, 0));
}
