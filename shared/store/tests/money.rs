//! Writes of the money engine, fragment by fragment: done if the item still equals the one that was read,
//! refused otherwise, and then nothing of the transaction is written.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;

use guerdon_domain::{
    commissions::{Commission, CommissionState, VoidReason},
    ids::{MemberId, PaymentKey, RuleId},
    payments::{PaymentRecord, Place, RefundStage, Refusal, Reversal, ReversalKind, Reversals, Verdict},
    programs::{Limit, ProgramVersion},
    referrals::{Progress, Referral},
    time::Timestamp,
    wallets::{Wallet, verify_statement},
    withdrawals::{Withdrawal, WithdrawalState},
};
use guerdon_engine::connector::Fault;
use guerdon_store::{
    payments::{ParkedEvent, PaymentReference, WaitsFor},
    programs::LimitUse,
    table::{Effect, Guarded, Store, StoreError, withdrawal_id},
};
use support::*;

fn booking(store: &Store, commission: &Commission) -> Write {
    store.commissions().insert(commission, "booked").unwrap()
}

fn converting(commission: Commission, joined_at: Timestamp) -> Commission {
    Commission { place: Place::Conversion { joined_at, attempt: 0 }, ..commission }
}

fn once(commission: Commission, joined_at: Timestamp) -> Commission {
    Commission { place: Place::Once { joined_at, attempt: 0 }, ..commission }
}

async fn book(store: &Store, commissions: &[&Commission]) {
    let writes: Vec<_> = commissions.iter().map(|commission| booking(store, commission)).collect();
    store.commit(&writes).await.unwrap();
}

/// Reads a member's list of commissions, oldest first.
async fn booked(store: &Store, member: u32) -> Vec<Commission> {
    store.commissions().all(&id(member)).await.unwrap()
}

#[tokio::test]
async fn a_referral_converts_by_one_payment_under_one_rule() {
    let table = table().await;
    let store = &table.store;
    check_written_once(&table, booking(store, &converting(commission(7, 1, 2), NOW)), "booked").await;
    let another_payment = converting(commission(8, 1, 2), NOW);
    check_refused_whole(&table, booking(store, &another_payment), "booked").await;
    let another_rule = converting(under("loyal", commission(8, 1, 2)), NOW);
    check_refused_whole(&table, booking(store, &another_rule), "booked").await;
    // Other referrals and other places do not affect it.
    let others = [
        converting(commission(8, 1, 3), NOW),
        converting(commission(8, 1, 2), NOW.plus_days(1)),
        converting(commission(8, 4, 2), NOW),
        once(commission(8, 1, 2), NOW),
        commission(8, 1, 2),
    ];
    book(store, &others.each_ref()).await;
}

#[tokio::test]
async fn what_is_granted_once_stands_once_for_its_referral_rule_and_level() {
    let table = table().await;
    let store = &table.store;
    check_written_once(&table, booking(store, &once(commission(7, 1, 2), NOW)), "booked").await;
    check_refused_whole(&table, booking(store, &once(commission(8, 1, 2), NOW)), "booked").await;
    let mut upper = once(commission(8, 1, 2), NOW);
    upper.snapshot.level = 2;
    let others = [
        upper,
        once(under("loyal", commission(8, 1, 2)), NOW),
        once(commission(8, 1, 3), NOW),
        once(commission(8, 1, 2), NOW.plus_days(1)),
        once(commission(8, 4, 2), NOW),
        converting(commission(8, 1, 2), NOW),
    ];
    book(store, &others.each_ref()).await;
}

#[tokio::test]
async fn a_payment_earns_once_under_each_rule() {
    let table = table().await;
    let store = &table.store;
    check_written_once(&table, booking(store, &commission(7, 1, 2)), "booked").await;
    let others = [commission(8, 1, 2), under("loyal", commission(7, 1, 2))];
    book(store, &others.each_ref()).await;
    assert_eq!(booked(store, 1).await.len(), 3);
}

fn settling(store: &Store, before: &Commission, after: &Commission) -> Write {
    store.commissions().settle(before, after, "moved").unwrap()
}

fn void(held: &Commission, reason: VoidReason) -> Commission {
    let state = CommissionState::Void { at: NOW.plus_days(1), reason };
    Commission { state, ..held.clone() }
}

#[tokio::test]
async fn only_a_held_commission_is_settled() {
    let table = table().await;
    let store = &table.store;
    let (held, other) = (commission(7, 1, 2), commission(8, 1, 2));
    let release = |seq| settling(store, &held, &released(&held, seq, NOW));
    check_refused_whole(&table, release(1), "moved").await;
    book(store, &[&held, &other]).await;
    check_written_once(&table, release(1), "moved").await;
    check_refused_whole(&table, release(2), "moved").await;
    let nothing = Commission { allowed: Some(0), ..void(&other, VoidReason::Capped) };
    check_refused_whole(&table, settling(store, &held, &void(&held, VoidReason::Reversed)), "moved").await;
    check_written_once(&table, settling(store, &other, &nothing), "moved").await;
    assert_eq!(booked(store, 1).await, [released(&held, 1, NOW), nothing]);
    let due = store.commissions().due(&id(1), NOW.plus_days(30)).await.unwrap();
    assert!(due.held.is_empty() && !due.may_be_more);
}

#[tokio::test]
async fn a_release_remembers_what_caps_allowed() {
    let table = table().await;
    let store = &table.store;
    let held = commission(7, 1, 2);
    book(store, &[&held]).await;
    let part = Commission { allowed: Some(400), ..released(&held, 3, NOW) };
    check_written_once(&table, settling(store, &held, &part), "moved").await;
    assert_eq!(booked(store, 1).await, [part]);
}

#[tokio::test]
async fn a_settlement_must_have_read_what_reversals_did() {
    let table = table().await;
    let store = &table.store;
    let held = commission(7, 1, 2);
    book(store, &[&held]).await;
    let clawed = reverse(&table, &held, 1599, false).await;
    check_refused_whole(&table, settling(store, &held, &released(&held, 1, NOW)), "moved").await;
    let frozen = reverse(&table, &clawed, 1599, true).await;
    for seen in [&clawed, &frozen] {
        check_refused_whole(&table, settling(store, seen, &released(seen, 1, NOW)), "moved").await;
    }
    let thawed = reverse(&table, &frozen, 1599, false).await;
    check_written_once(&table, settling(store, &thawed, &released(&thawed, 1, NOW)), "moved").await;
    assert_eq!(booked(store, 1).await, [released(&thawed, 1, NOW)]);
}

#[tokio::test]
async fn a_settlement_that_settles_nothing_cannot_be_written() {
    let table = table().await;
    let held = commission(7, 1, 2);
    let write = table.store.commissions().settle(&held, &held, "moved");
    assert!(matches!(write, Err(StoreError::Corrupt(_))));
}

/// Computes the commission after so much of its payment is undone.
fn reversed(before: &Commission, undone: i64, disputed: bool) -> Commission {
    before.after_reversal(usd(undone), disputed, NOW.plus_days(2)).unwrap().0
}

fn moving(store: &Store, before: &Commission, after: &Commission) -> Write {
    store.commissions().replace(before, after, "moved").unwrap()
}

/// Writes the commission after that reversal, and returns it.
async fn reverse(table: &Table, before: &Commission, undone: i64, disputed: bool) -> Commission {
    let after = reversed(before, undone, disputed);
    check_written_once(table, moving(&table.store, before, &after), "moved").await;
    assert_eq!(booked(&table.store, 1).await, std::slice::from_ref(&after));
    after
}

#[tokio::test]
async fn a_reversal_moves_a_commission_from_what_was_read() {
    let table = table().await;
    let store = &table.store;
    let held = commission(7, 1, 2);
    let missing = moving(store, &held, &reversed(&held, 1599, false));
    check_refused_whole(&table, missing, "moved").await;
    book(store, &[&held]).await;
    let frozen = reverse(&table, &held, 0, true).await;
    let clawed = reverse(&table, &frozen, 1599, true).await;
    let void = reverse(&table, &clawed, 4797, false).await;
    for stale in [&held, &frozen, &clawed] {
        check_refused_whole(&table, moving(store, stale, &reversed(stale, 2000, false)), "moved").await;
    }
    let back = reverse(&table, &void, 0, false).await;
    assert_eq!(back, held, "a won dispute brings all of it back");
}

#[tokio::test]
async fn a_release_that_was_faster_refuses_the_reversal() {
    let table = table().await;
    let store = &table.store;
    let held = commission(7, 1, 2);
    book(store, &[&held]).await;
    let released = released(&held, 1, NOW);
    check_written_once(&table, settling(store, &held, &released), "moved").await;
    check_refused_whole(&table, moving(store, &held, &reversed(&held, 4797, false)), "moved").await;
    let clawed = reverse(&table, &released, 4797, false).await;
    assert_eq!((clawed.clawed, &clawed.state), (1000, &released.state));
}

#[tokio::test]
async fn only_what_can_be_released_is_listed_as_due() {
    let table = table().await;
    let held = commission(7, 1, 2);
    let due = async || table.store.commissions().due(&id(1), NOW.plus_days(30)).await.unwrap().held;
    book(&table.store, &[&held]).await;
    let frozen = reverse(&table, &held, 0, true).await;
    assert!(due().await.is_empty(), "frozen");
    let thawed = reverse(&table, &frozen, 1599, false).await;
    assert_eq!(due().await, std::slice::from_ref(&thawed));
    let void = reverse(&table, &thawed, 4797, false).await;
    assert!(due().await.is_empty(), "void");
    let back = reverse(&table, &void, 1599, false).await;
    assert_eq!(due().await, [back]);
}

fn refund(id: &str, minor: i64) -> Reversal {
    let kind = ReversalKind::Refund { id: id.to_owned(), amount: usd(minor), stage: RefundStage::Succeeded };
    Reversal { at: NOW.plus_days(1), kind }
}

/// Merges one more report into the payment's reversals.
fn told(before: &PaymentRecord, word: &Reversal) -> PaymentRecord {
    let reversals = before.reversals.merged(word, before.paid).unwrap().unwrap();
    PaymentRecord { reversals, ..before.clone() }
}

#[tokio::test]
async fn what_undoes_a_payment_is_remembered_from_what_was_read() {
    let table = table().await;
    let store = &table.store;
    let paid = payment(7, 2, 1);
    let say = |before: &PaymentRecord, reversals: &Reversals| {
        store.payments().reverse(before, reversals, "said since").unwrap()
    };
    let first = told(&paid, &refund("re_1", 1000));
    check_refused_whole(&table, say(&paid, &first.reversals), "said since").await;
    store.commit(&[store.payments().insert(&paid, "recorded").unwrap()]).await.unwrap();
    check_written_once(&table, say(&paid, &first.reversals), "said since").await;
    // Another report, on the same reading as the first.
    let other = told(&paid, &refund("re_2", 500));
    check_refused_whole(&table, say(&paid, &other.reversals), "said since").await;

    let second = told(&first, &refund("re_2", 500));
    check_written_once(&table, say(&first, &second.reversals), "said since").await;
    let other = told(&first, &refund("re_3", 700));
    check_refused_whole(&table, say(&first, &other.reversals), "said since").await;
    let stored = store.payments().find(&paid.payment).await.unwrap();
    assert_eq!(stored, Some(second.clone()));
    assert_eq!((second.reversals.seq, second.reversals.undone(paid.paid)), (2, usd(1500)));
}

/// Progress under one rule.
fn progress(payments: u32, months: &[&str]) -> BTreeMap<RuleId, Progress> {
    let months = months.iter().map(|month| ((*month).to_owned(), 1)).collect();
    BTreeMap::from([("loyal".into(), Progress { payments, months, rewarded: None })])
}

#[tokio::test]
async fn a_referral_counts_from_what_was_read() {
    let table = table().await;
    let store = &table.store;
    let edge = referral(1, 2);
    let count = |before: &Referral, to: &BTreeMap<RuleId, Progress>| {
        store.referrals().count_progress(before, to, "counted").unwrap()
    };
    let (one, two) = (progress(1, &["2026-11"]), progress(2, &["2026-11", "2026-12"]));
    check_refused_whole(&table, count(&edge, &one), "counted").await;
    store.commit(&[store.referrals().insert(&edge, "exists").unwrap()]).await.unwrap();
    check_written_once(&table, count(&edge, &one), "counted").await;
    check_refused_whole(&table, count(&edge, &two), "counted").await;

    let first = Referral { progress: one, ..edge };
    check_written_once(&table, count(&first, &two), "counted").await;
    let same_number = Referral { progress: progress(2, &["2026-12", "2026-10"]), ..first.clone() };
    check_refused_whole(&table, count(&same_number, &progress(3, &[])), "counted").await;
    let second = Referral { progress: two, ..first };
    let stored = store.referrals().find(&id(1), second.joined_at, &id(2)).await.unwrap();
    assert_eq!(stored, Some(second.clone()));
    // Converting and counting do not conflict with each other.
    assert_eq!(convert(store, &second, 7).await, Effect::Applied);
    check_written_once(&table, count(&second, &progress(3, &["2026-11", "2026-12"])), "counted").await;
}

#[tokio::test]
async fn a_version_of_the_program_is_never_set_again() {
    let table = table().await;
    let store = &table.store;
    let set = |version: &ProgramVersion| store.programs().insert(version, "taken").unwrap();
    check_written_once(&table, set(&version(2)), "taken").await;
    let mut other = version(2);
    other.program.rules.clear();
    check_refused_whole(&table, set(&other), "taken").await;
    store.commit(&[set(&version(3))]).await.unwrap();
    assert_eq!(store.programs().versions(None, 10).await.unwrap(), [version(3), version(2)]);
}

#[tokio::test]
async fn a_limit_is_used_from_what_was_read() {
    let table = table().await;
    let store = &table.store;
    for limit in [Limit::Member(id(1), "recruit".into()), Limit::Budget] {
        let read = async || store.programs().limit_use(&limit, "2026-11").await.unwrap();
        let used =
            |before: &LimitUse, minor| store.programs().use_limit(before, usd(minor), "used since").unwrap();
        let unused = read().await;
        assert_eq!(unused.used, 0);
        check_written_once(&table, used(&unused, 700), "used since").await;
        let first = read().await;
        assert_eq!(first.used, 700);
        check_written_once(&table, used(&first, 50), "used since").await;
        check_refused_whole(&table, used(&unused, 1), "used since").await;
        assert_eq!(read().await.used, 750);
    }
}

#[tokio::test]
async fn a_withdrawal_moves_only_from_the_state_that_was_read() {
    let table = table().await;
    let store = &table.store;
    let asked = withdrawal(1, 3);
    let agreed = moved(&asked, WithdrawalState::Approved);
    let rejected = moved(&asked, WithdrawalState::Rejected);
    let step = |before: &Withdrawal, after: &Withdrawal| {
        store.withdrawals().replace(before, after, "moved").unwrap()
    };
    check_refused_whole(&table, step(&asked, &agreed), "moved").await;
    check_written_once(&table, store.withdrawals().insert(&asked, "exists").unwrap(), "exists").await;
    check_written_once(&table, step(&asked, &agreed), "moved").await;
    check_refused_whole(&table, step(&asked, &rejected), "moved").await;

    let paying = moved(&agreed, WithdrawalState::Paying);
    assert_eq!(store.withdrawals().step(&agreed, &paying).await.unwrap(), Guarded::Written);
    assert_eq!(store.withdrawals().step(&agreed, &paying).await.unwrap(), Guarded::Moved);
    assert_eq!(store.withdrawals().step(&asked, &rejected).await.unwrap(), Guarded::Moved);
    // A change within a state is not a change of state.
    let lost = paying.clone().lose_sight(NOW).unwrap();
    assert_eq!(store.withdrawals().step(&paying, &lost).await.unwrap(), Guarded::Written);
    let paid = moved(&lost, WithdrawalState::Paid);
    check_written_once(&table, step(&lost, &paid), "moved").await;
    check_refused_whole(&table, step(&lost, &moved(&lost, WithdrawalState::Failed)), "moved").await;
    assert_eq!(store.withdrawals().find(&asked.id).await.unwrap(), Some(paid));
}

/// A claim whose answer was lost looks like another operator's claim: the payment is looked up, not made
/// twice.
#[tokio::test(start_paused = true)]
async fn a_claim_whose_answer_was_lost_errs_towards_not_paying() {
    let Some(table) = embedded_table().await else { return };
    let agreed = moved(&withdrawal(1, 3), WithdrawalState::Approved);
    table.store.commit(&[table.store.withdrawals().insert(&agreed, "exists").unwrap()]).await.unwrap();
    let lossy = table.failing(&Script::first("PutItem", 1, Fault::LostAfter));
    let paying = moved(&agreed, WithdrawalState::Paying);
    assert_eq!(lossy.withdrawals().step(&agreed, &paying).await.unwrap(), Guarded::Moved);
    assert_eq!(table.store.withdrawals().find(&agreed.id).await.unwrap(), Some(paying));
}

/// Posts entries that were made one after another from `before`.
async fn post(store: &Store, wallet: &Wallet, entries: &[guerdon_domain::wallets::Entry]) {
    store.commit(&store.wallets().post_all(wallet, entries, "changed").unwrap()).await.unwrap();
}

#[tokio::test]
async fn who_owes_is_let_through_nowhere() {
    let table = table().await;
    let store = &table.store;
    let check = |wallet: &Wallet| store.withdrawals().owes_nothing(wallet, "owes").unwrap();
    let (wallet, gift) = give(empty_wallet(1), 400, 1);
    check_refused_whole(&table, check(&wallet), "owes").await;
    post(store, &wallet, &[gift]).await;
    let innocent = store.members().insert(&member(1, None), "exists").unwrap();
    store.commit(&[check(&wallet), innocent]).await.unwrap();
    assert!(store.members().find(&id(1)).await.unwrap().is_some());

    let (owing, entry) = wallet.claw_back(usd(401), commission(7, 1, 2).id, NOW).unwrap();
    post(store, &owing, &[entry]).await;
    check_refused_whole(&table, check(&owing), "owes").await;
    let (even, entry) = give(owing, 1, 2);
    post(store, &even, &[entry]).await;
    let innocent = store.members().insert(&member(2, None), "exists").unwrap();
    store.commit(&[check(&even), innocent]).await.unwrap();
}

#[tokio::test]
async fn only_a_known_member_is_barred() {
    let table = table().await;
    let store = &table.store;
    let bar = |barred| store.members().bar(&id(1), barred, "unknown").unwrap();
    check_refused_whole(&table, bar(true), "unknown").await;
    store.commit(&[store.members().insert(&member(1, None), "exists").unwrap()]).await.unwrap();
    for barred in [true, true, false] {
        store.commit(&[bar(barred)]).await.unwrap();
        let expected = guerdon_domain::members::Member { barred, ..member(1, None) };
        assert_eq!(store.members().find(&id(1)).await.unwrap(), Some(expected));
    }
}

fn intent() -> PaymentKey {
    PaymentKey { id: guerdon_domain::ids::ExternalPaymentId::parse("pi_3SRzq").unwrap(), ..invoice(7) }
}

/// Parks events until `appear` has happened: none is parked after that.
async fn check_parked_until(waits_for: WaitsFor, appear: impl AsyncFn(&Store)) {
    let table = table().await;
    let store = &table.store;
    let event = |name| ParkedEvent { waits_for: waits_for.clone(), ..parked(name, NOW, 1) };
    let park = |name| store.parked().park_until(&event(name), "appeared").unwrap();
    // An event that is parked twice waits once.
    for _ in 0..2 {
        store.commit(&park("evt_1")).await.unwrap();
    }
    assert_eq!(store.parked().waiting_for(&waits_for).await.unwrap(), [event("evt_1")]);
    appear(store).await;
    for name in ["evt_1", "evt_2"] {
        check_all_refused(&table, park(name).into(), "appeared").await;
    }
    assert_eq!(store.parked().waiting_for(&waits_for).await.unwrap(), [event("evt_1")]);
    store.parked().remove(&event("evt_1")).await.unwrap();
    assert!(store.parked().waiting_for(&waits_for).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_event_waits_until_its_payment_is_recorded() {
    check_parked_until(WaitsFor::Payment { payment: invoice(7) }, async |store| {
        write(store, vec![store.payments().insert(&payment(7, 2, 1), ())]).await;
    })
    .await;
}

#[tokio::test]
async fn an_event_waits_until_its_reference_is_tied() {
    check_parked_until(WaitsFor::Reference { reference: intent() }, async |store| {
        let tie = PaymentReference { reference: intent(), payment: invoice(7) };
        store.customers().tie_reference(&tie).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn who_waits_for_a_rule_waits_for_no_item() {
    let table = table().await;
    let waits_for = WaitsFor::Handler { kind: "radar.early_fraud_warning.created".to_owned() };
    let parked = table.store.parked().park_until(&ParkedEvent { waits_for, ..parked("evt_1", NOW, 1) }, ());
    assert!(matches!(parked, Err(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn a_name_is_tied_to_one_payment_for_ever() {
    let table = table().await;
    let tie = async |n| {
        let tie = PaymentReference { reference: intent(), payment: invoice(n) };
        table.store.customers().tie_reference(&tie).await.unwrap();
    };
    tie(7).await;
    let before = table.items().await;
    tie(7).await;
    tie(8).await;
    assert_eq!(table.items().await, before);
    assert_eq!(table.store.customers().referenced(&intent()).await.unwrap(), Some(invoice(7)));
}

/// Two clawbacks in one transaction, from an empty wallet and from one that has moved.
#[tokio::test]
async fn several_entries_are_posted_at_once_or_not_at_all() {
    let table = table().await;
    let store = &table.store;
    let claw = |wallet: Wallet, n| wallet.claw_back(usd(300), commission(n, 1, 2).id, NOW).unwrap();
    let two = |wallet: Wallet, n| {
        let (wallet, first) = claw(wallet, n);
        let (wallet, second) = claw(wallet, n + 1);
        let posts = store.wallets().post_all(&wallet, &[first, second], "changed").unwrap();
        (wallet, posts)
    };
    let (wallet, posts) = two(empty_wallet(1), 1);
    assert_eq!(posts.len(), 3);
    store.commit(&posts).await.unwrap();
    check_all_refused(&table, posts, "changed").await;
    let (after, posts) = two(wallet.clone(), 3);
    let (_, meanwhile) = two(wallet, 5);
    store.commit(&posts).await.unwrap();
    check_all_refused(&table, meanwhile, "changed").await;

    assert_eq!((after.seq, after.owed()), (4, usd(1200)));
    assert_eq!(store.wallets().find(&id(1), after.kind, after.currency).await.unwrap(), after);
    let statement = store.wallets().statement(&id(1), after.kind, after.currency).await.unwrap();
    verify_statement(&after, &statement).unwrap();
}

/// Another writer's entry at the same number is a refusal too, although the wallet is as it was read.
#[tokio::test]
async fn an_entry_is_never_written_over() {
    let table = table().await;
    let store = &table.store;
    let (wallet, first) = give(empty_wallet(1), 5, 1);
    let (wallet, second) = give(wallet, 6, 2);
    let mut posts = store.wallets().post_all(&wallet, &[first.clone(), second], "changed").unwrap();
    let stray = store.wallets().post(&wallet, &first, "changed").unwrap().remove(1);
    store.commit(&[stray]).await.unwrap();
    check_all_refused(&table, posts.clone(), "changed").await;
    posts.remove(1);
    store.commit(&posts).await.unwrap();
}

/// A refused payment names no commission; one that earned names each of its rules.
#[tokio::test]
async fn a_refusal_is_shown_only_when_nothing_was_granted() {
    let mut record = payment(7, 2, 1);
    assert_eq!((record.refusal(), record.grants().count()), (None, 1));
    let refused = |reason| guerdon_domain::payments::Candidate {
        verdict: Verdict::Refused { reason },
        ..granted(&under("level-2", commission(7, 3, 2)))
    };
    record.trace.push(refused(Refusal::NoUpline));
    assert_eq!((record.refusal(), record.grants().count()), (None, 1));
    record.trace.remove(0);
    record.trace.push(refused(Refusal::NotYet));
    assert_eq!((record.refusal(), record.grants().count()), (Some(Refusal::NoUpline), 0));
}

#[test]
fn a_withdrawal_is_named_after_its_entry() {
    let member = MemberId::parse("a-member").unwrap();
    assert_eq!(withdrawal_id(&member, 12).unwrap().as_str(), "a-member-12");
}
