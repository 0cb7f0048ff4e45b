//! The money engine's access patterns of the table in `lib.rs`, by their numbers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::{
    commissions::Commission,
    ids::{ExternalPaymentId, MemberId, PaymentKey, WithdrawalId},
    money::Currency,
    operators::Stamp,
    payments::{Candidate, PaymentRecord, Place, Refusal, Verdict},
    programs::{Cap, CapPeriod, Limit},
    referrals::Counted,
    time::Timestamp,
    wallets::{Wallet, WalletKind},
    withdrawals::{Withdrawal, WithdrawalState},
};
use guerdon_store::{
    commissions::CommissionCursor,
    payments::PaymentReference,
    table::{Guarded, SHARDS, Store, withdrawal_id},
    verification::Scanned,
};
use support::*;

#[tokio::test]
async fn pattern_8_a_commission_stands_where_its_place_says() {
    let table = table().await;
    let store = &table.store;
    let joined_at = NOW.plus_seconds(3);
    let converting = Commission { place: Place::Conversion { joined_at, attempt: 0 }, ..commission(9, 1, 2) };
    let once =
        Commission { place: Place::Once { joined_at, attempt: 0 }, ..under("loyal", commission(8, 1, 2)) };
    let (early, late) = (commission(2, 1, 2), commission(4, 1, 2));
    // At the same instant, the one that converts comes first.
    let oldest_first = [early, converting, once, late];
    write(store, oldest_first.iter().map(|c| store.commissions().insert(c, ())).collect()).await;
    assert_eq!(store.commissions().all(&id(1)).await.unwrap(), oldest_first);
    let mut cursor = None;
    for expected in oldest_first.iter().rev() {
        let page = store.commissions().list(&id(1), cursor.as_ref(), 1).await.unwrap();
        assert_eq!(page, std::slice::from_ref(expected));
        cursor = Some(CommissionCursor::of(expected));
    }
    assert!(store.commissions().list(&id(1), cursor.as_ref(), 1).await.unwrap().is_empty());
}

#[test]
fn a_commission_cursor_is_the_sort_key_of_a_commission() {
    let cursor = CommissionCursor::of(&commission(3, 1, 2));
    let text = cursor.as_str();
    assert!(text.starts_with("COMMISSION#"), "{text}");
    assert_eq!(serde_json::to_value(&cursor).unwrap(), text);
    assert_eq!(serde_json::from_value::<CommissionCursor>(text.into()).unwrap(), cursor);
    for other in ["", "COMMISSION", "REFERRAL#1", &format!("COMMISSION#{}", "x".repeat(1000))] {
        assert!(serde_json::from_value::<CommissionCursor>(other.into()).is_err(), "{other}");
    }
}

#[tokio::test]
async fn pattern_10_a_line_of_a_statement_is_found_by_its_number() {
    let table = table().await;
    let store = &table.store;
    let (wallet, first) = give(empty_wallet(1), 5, 1);
    let (wallet, second) = give(wallet, 6, 2);
    store.commit(&store.wallets().post_all(&wallet, &[first, second.clone()], ()).unwrap()).await.unwrap();
    assert_eq!(store.wallets().entry(&wallet, 2).await.unwrap(), Some(second));
    assert_eq!(store.wallets().entry(&wallet, 3).await.unwrap(), None);
    let euros = Wallet { currency: Currency::EUR, ..wallet.clone() };
    let earnings = Wallet { kind: WalletKind::Earnings, ..wallet };
    for other in [euros, earnings, empty_wallet(2)] {
        assert_eq!(store.wallets().entry(&other, 2).await.unwrap(), None);
    }
}

#[tokio::test]
async fn pattern_20_versions_of_the_program_are_listed_newest_first() {
    let table = table().await;
    let store = &table.store;
    assert!(store.programs().versions(None, 10).await.unwrap().is_empty());
    write(store, [9, 10, 2, 100].map(|n| store.programs().insert(&version(n), ())).into()).await;
    assert_eq!(store.programs().versions(None, 10).await.unwrap(), [100, 10, 9, 2].map(version));
    assert_eq!(store.programs().versions(None, 2).await.unwrap(), [100, 10].map(version));
    assert_eq!(store.programs().versions(Some(10), 10).await.unwrap(), [9, 2].map(version));
}

#[tokio::test]
async fn pattern_21_what_converted_a_referral_is_found_from_the_referral() {
    let table = table().await;
    let store = &table.store;
    let edge = referral(1, 2);
    let placed = |place, commission| Commission { place, ..commission };
    let others = [
        placed(Place::Once { joined_at: NOW, attempt: 0 }, commission(7, 1, 2)),
        placed(Place::Payment, Commission { paid_at: NOW, ..commission(8, 1, 2) }),
        placed(Place::Conversion { joined_at: NOW, attempt: 0 }, commission(9, 1, 3)),
        placed(Place::Conversion { joined_at: NOW.plus_days(1), attempt: 0 }, commission(10, 1, 2)),
        placed(Place::Conversion { joined_at: NOW, attempt: 0 }, commission(11, 4, 2)),
    ];
    write(store, others.iter().map(|c| store.commissions().insert(c, ())).collect()).await;
    assert_eq!(store.commissions().conversion(&edge).await.unwrap(), None);
    let converting = placed(Place::Conversion { joined_at: NOW, attempt: 0 }, commission(12, 1, 2));
    write(store, vec![store.commissions().insert(&converting, ())]).await;
    assert_eq!(store.commissions().conversion(&edge).await.unwrap(), Some(converting));
}

/// The commissions that payment 7 earns: of the second level, of a welcome rule, and the one that converts.
fn earned_by_payment_7() -> [Commission; 3] {
    let mut upper = commission(7, 3, 2);
    upper.snapshot.level = 2;
    let converting =
        Commission { place: Place::Conversion { joined_at: NOW, attempt: 0 }, ..commission(7, 1, 2) };
    let mut welcome = Commission { place: Place::Once { joined_at: NOW, attempt: 0 }, ..commission(7, 2, 2) };
    welcome.snapshot.level = 0;
    [under("level-2", upper), under("welcome", welcome), under("level-1", converting)]
}

#[tokio::test]
async fn pattern_22_a_payments_commissions_come_in_the_order_of_its_trace() {
    let table = table().await;
    let store = &table.store;
    let mut earned = earned_by_payment_7();
    let verdict = Verdict::Refused { reason: Refusal::NotYet };
    let refused =
        Candidate { rule: "loyal".into(), level: 1, version: None, counted: Some(Counted::Months), verdict };
    let mut paid = payment(7, 2, 1);
    paid.trace = earned.iter().map(granted).collect();
    paid.trace.insert(1, refused.clone());
    // Another payment of the same day earns rewards for the same people.
    write(store, earned.iter().map(|c| store.commissions().insert(c, ())).collect()).await;
    write(store, [1, 3].map(|n| store.commissions().insert(&commission(8, n, 2), ())).into()).await;
    assert_eq!(store.commissions().of(&paid).await.unwrap(), earned);
    paid.trace.reverse();
    earned.reverse();
    assert_eq!(store.commissions().of(&paid).await.unwrap(), earned);

    let nothing = PaymentRecord { trace: vec![refused], ..paid.clone() };
    assert!(store.commissions().of(&nothing).await.unwrap().is_empty());
    let unknown = payment(9, 2, 1);
    assert!(store.commissions().of(&unknown).await.unwrap().is_empty());
}

#[tokio::test]
async fn pattern_23_a_withdrawal_is_found_by_its_id() {
    let table = table().await;
    let store = &table.store;
    let mut dashed = withdrawal(1, 7);
    dashed.member = MemberId::parse("a-member-1").unwrap();
    dashed.id = withdrawal_id(&dashed.member, 7).unwrap();
    let known = [withdrawal(1, 7), withdrawal(1, 12_345_678_901), dashed];
    write(store, known.iter().map(|w| store.withdrawals().insert(w, ())).collect()).await;
    for expected in known {
        assert_eq!(store.withdrawals().find(&expected.id).await.unwrap(), Some(expected));
    }
    let own = id(1);
    let endings = ["", "-", "-8", "-+7", "-07", "-0000000007", "--7", "-7-", "-7x", "-99999999999999999999"];
    let malformed = endings.map(|ending| format!("{own}{ending}"));
    let others = ["7".to_owned(), "-7".to_owned(), format!("{}-7", id(2))];
    for id in malformed.into_iter().chain(others) {
        let id = WithdrawalId::parse(id).unwrap();
        assert_eq!(store.withdrawals().find(&id).await.unwrap(), None, "{id}");
    }
}

#[tokio::test]
async fn pattern_24_a_members_withdrawals_are_paged_newest_first() {
    let table = table().await;
    let store = &table.store;
    let all = [100, 10, 9, 2].map(|seq| withdrawal(1, seq));
    write(store, all.iter().map(|w| store.withdrawals().insert(w, ())).collect()).await;
    write(store, vec![store.withdrawals().insert(&withdrawal(2, 50), ())]).await;
    // Final withdrawals stay in the list.
    let rejected = step(store, &all[1], WithdrawalState::Rejected).await;
    let page = async |before, limit| store.withdrawals().of(&id(1), before, limit).await.unwrap();
    assert_eq!(page(None, 2).await, [all[0].clone(), rejected.clone()]);
    assert_eq!(page(Some(10), 2).await, all[2..]);
    assert_eq!(page(Some(11), 1).await, [rejected]);
    assert!(page(Some(2), 2).await.is_empty());
}

/// Makes withdrawals of ten members, requested one after another, the last two at the same instant.
fn queue() -> Vec<Withdrawal> {
    let at = |n: u32| NOW.plus_seconds(i64::from(n.min(9)));
    (1..=10).map(|n| Withdrawal { requested_at: at(n), ..withdrawal(n, u64::from(20 - n)) }).collect()
}

async fn step(store: &Store, before: &Withdrawal, state: WithdrawalState) -> Withdrawal {
    let after = moved(before, state);
    assert_eq!(store.withdrawals().step(before, &after).await.unwrap(), Guarded::Written);
    after
}

/// Reads a state's queue in pages of three.
async fn queued(store: &Store, state: WithdrawalState) -> Vec<Withdrawal> {
    let page = async |last: Option<&Withdrawal>| store.withdrawals().in_state(state, last, 3).await.unwrap();
    read_to_the_end(3, page).await
}

#[tokio::test]
async fn pattern_25_each_state_has_a_queue_the_longest_waiting_first() {
    let table = table().await;
    let store = &table.store;
    let all = queue();
    write(store, all.iter().rev().map(|w| store.withdrawals().insert(w, ())).collect()).await;
    assert_eq!(queued(store, WithdrawalState::Requested).await, all);
    let second = step(store, &all[1], WithdrawalState::Approved).await;
    let first = step(store, &all[0], WithdrawalState::Approved).await;
    step(store, &all[2], WithdrawalState::Rejected).await;
    assert_eq!(queued(store, WithdrawalState::Requested).await, all[3..]);
    assert_eq!(queued(store, WithdrawalState::Approved).await, [first.clone(), second.clone()]);

    let paying = step(store, &first, WithdrawalState::Paying).await;
    assert_eq!(queued(store, WithdrawalState::Paying).await, std::slice::from_ref(&paying));
    step(store, &paying, WithdrawalState::Paid).await;
    let paying = step(store, &second, WithdrawalState::Paying).await;
    step(store, &paying, WithdrawalState::Failed).await;
    for state in ["approved", "paying", "paid", "rejected", "failed"] {
        let state = WithdrawalState::parse(state).unwrap();
        assert!(queued(store, state).await.is_empty(), "{state:?}");
    }
}

#[tokio::test]
async fn pattern_25_a_page_goes_on_behind_a_withdrawal_that_has_moved_on() {
    let table = table().await;
    let store = &table.store;
    let all = queue();
    write(store, all.iter().map(|w| store.withdrawals().insert(w, ())).collect()).await;
    for n in [4, 5] {
        step(store, &all[n], WithdrawalState::Approved).await;
    }
    let rest = store.withdrawals().in_state(WithdrawalState::Requested, Some(&all[4]), 100).await.unwrap();
    assert_eq!(rest, all[6..]);
}

#[tokio::test]
async fn pattern_25_a_claim_that_is_too_old_is_stuck() {
    let table = table().await;
    let store = &table.store;
    let approved = |n: u32| moved(&withdrawal(n, 1), WithdrawalState::Approved);
    let claimed = |n: u32, seconds: i64| {
        let claimed = Stamp { by: "finance-token".into(), at: NOW.plus_seconds(seconds) };
        approved(n).claim(claimed, None).unwrap()
    };
    let all = [
        claimed(1, 99),
        claimed(2, 100),
        moved(&claimed(3, 50), WithdrawalState::Paid),
        claimed(4, 0),
        claimed(5, 20).lose_sight(NOW).unwrap(),
        approved(6),
    ];
    write(store, all.iter().map(|w| store.withdrawals().insert(w, ())).collect()).await;
    let stuck = store.withdrawals().stuck(NOW.plus_seconds(100), 100).await.unwrap();
    let members: BTreeSet<MemberId> = stuck.into_iter().map(|w| w.member).collect();
    assert_eq!(members, BTreeSet::from([1, 4, 5].map(id)));
    assert_eq!(store.withdrawals().stuck(NOW.plus_seconds(101), 100).await.unwrap().len(), 4);
    assert_eq!(store.withdrawals().stuck(NOW.plus_seconds(101), 2).await.unwrap().len(), 2);
}

/// Records payments and lists them, like the projector.
async fn record(store: &Store, payments: &[PaymentRecord]) {
    write(store, payments.iter().map(|p| store.payments().insert(p, ())).collect()).await;
    for payment in payments {
        store.payments().list(&listed(payment)).await.unwrap();
    }
}

#[tokio::test]
async fn pattern_26_a_members_payments_are_paged_newest_first() {
    let table = table().await;
    let store = &table.store;
    let mut all: Vec<_> = (0..8).map(|n| payment(n, 2, 1)).collect();
    all[4].paid_at = all[5].paid_at;
    record(store, &all).await;
    record(store, &[payment(20, 3, 1)]).await;
    // A payment that is reported again is still listed once.
    store.payments().list(&listed(&all[3])).await.unwrap();
    all.reverse();
    let page = async |last: Option<&PaymentRecord>| store.payments().of(&id(2), last, 3).await.unwrap();
    assert_eq!(read_to_the_end(3, page).await, all);
    assert!(store.payments().of(&id(1), None, 3).await.unwrap().is_empty(), "the beneficiary has not paid");
}

#[tokio::test]
async fn pattern_26_at_most_a_hundred_payments_are_one_page() {
    let table = table().await;
    let store = &table.store;
    let all: Vec<_> = (0..101).map(|n| payment(n, 2, 1)).collect();
    record(store, &all).await;
    let page = store.payments().of(&id(2), None, 500).await.unwrap();
    assert!(page.iter().eq(all[1..].iter().rev()), "{} payments", page.len());
}

/// Asserts that each shard of the day has payments, and one of them more than a page.
async fn shards_are_filled(table: &Table) {
    let items = table.items().await;
    let shard = |n| format!("PAYMENTS#2026-11-21#{n}");
    let of_shard = |n| items.values().filter(|item| text(item, "gsi1pk") == shard(n)).count();
    assert!((0..SHARDS).all(|n| of_shard(n) > 0), "an empty shard");
    assert!((0..SHARDS).any(|n| of_shard(n) > 100), "no shard of several pages");
}

#[tokio::test]
async fn pattern_27_a_days_payments_are_found_in_all_shards() {
    let table = table().await;
    let store = &table.store;
    // More than a hundred in at least one shard.
    let today: Vec<_> = (0..401).map(|n| payment(n, n % 7, 8)).collect();
    record(store, &today).await;
    let midnight = Timestamp::from_seconds(1_795_219_200);
    let at = |n, paid_at| PaymentRecord { paid_at, ..payment(n, 2, 1) };
    let last_moment = Timestamp::from_millis(midnight.plus_days(1).millis() - 1);
    let edges = [at(500, midnight), at(501, last_moment)];
    let yesterday = [at(502, Timestamp::from_millis(midnight.millis() - 1))];
    let tomorrow = [at(503, midnight.plus_days(1))];
    for payments in [edges.as_slice(), &yesterday, &tomorrow] {
        record(store, payments).await;
    }
    shards_are_filled(&table).await;
    let mut found = store.payments().on("2026-11-21").await.unwrap();
    found.sort_by_key(|payment| payment.payment.to_string());
    assert_eq!(found, [today.as_slice(), &edges].concat());
    assert_eq!(store.payments().on("2026-11-20").await.unwrap(), yesterday);
    assert_eq!(store.payments().on("2026-11-22").await.unwrap(), tomorrow);
    assert!(store.payments().on("2026-11-23").await.unwrap().is_empty());
}

/// The limit of a rule for member `n`.
fn of_member(n: u32, rule: &str) -> Limit {
    Limit::Member(id(n), rule.into())
}

/// Uses of limits that differ in member, rule, or period, each of another amount.
fn uses() -> [(Limit, &'static str, i64); 6] {
    [
        (of_member(1, "recruit"), "2026-11", 1),
        (of_member(1, "recruit"), "2026-11-21", 20),
        (of_member(1, "loyal"), "2026-11", 300),
        (of_member(2, "recruit"), "2026-11", 4000),
        (Limit::Budget, "2026-11", 50_000),
        (Limit::Budget, "ever", 600_000),
    ]
}

#[tokio::test]
async fn pattern_28_a_limit_is_counted_by_owner_and_period() {
    let table = table().await;
    let store = &table.store;
    let read = async |limit: &Limit, period| store.programs().limit_use(limit, period).await.unwrap();
    for (limit, period, minor) in &uses() {
        let before = read(limit, period).await;
        assert_eq!(before.used, 0);
        write(store, vec![store.programs().use_limit(&before, usd(*minor), ())]).await;
    }
    for (limit, period, minor) in &uses() {
        assert_eq!(read(limit, period).await.used, *minor, "{limit:?} {period}");
    }
    assert_eq!(read(&Limit::Budget, "2026-12").await.used, 0);
    let left = async |minor| {
        let cap = Cap { amount: usd(minor), per: CapPeriod::Month };
        read(&of_member(1, "loyal"), "2026-11").await.left(cap)
    };
    assert_eq!([left(1000).await, left(300).await, left(299).await], [700, 0, 0]);
}

/// The time of the payment decides the period of a limit, whenever the commission is booked or released.
#[test]
fn pattern_28_a_commission_is_bound_by_its_own_limit_and_then_by_the_budget() {
    let cap = |minor, per| Cap { amount: usd(minor), per };
    let free = commission(7, 1, 2);
    assert!(free.limits().is_empty());
    let (own, budget) = (cap(5000, CapPeriod::Day), cap(90_000, CapPeriod::Month));
    let mut capped = Commission { due_at: NOW.plus_days(40), booked_at: NOW.plus_days(1), ..free };
    capped.snapshot.rule.cap_member = Some(own);
    let of_member = (Limit::Member(id(1), "recruit".into()), own, "2026-11-21".to_owned());
    assert_eq!(capped.limits(), std::slice::from_ref(&of_member));
    capped.snapshot.budget = Some(budget);
    assert_eq!(capped.limits(), [of_member, (Limit::Budget, budget, "2026-11".to_owned())]);
}

#[tokio::test]
async fn pattern_29_a_payment_is_found_by_its_other_names() {
    let table = table().await;
    let store = &table.store;
    let name = |text: &str| {
        let id = ExternalPaymentId::parse(text).unwrap();
        PaymentKey { id, ..invoice(7) }
    };
    for reference in ["pi_3SRzq", "ch_3SRzq"].map(name) {
        assert_eq!(store.customers().referenced(&reference).await.unwrap(), None);
        let tie = PaymentReference { reference: reference.clone(), payment: invoice(7) };
        store.customers().tie_reference(&tie).await.unwrap();
        assert_eq!(store.customers().referenced(&reference).await.unwrap(), Some(invoice(7)));
    }
    // A payment's own key is no other name of it.
    record(store, &[payment(7, 2, 1)]).await;
    assert_eq!(store.customers().referenced(&invoice(7)).await.unwrap(), None);
}

/// Scans the table in pages of three, and keeps the cursor as text in between, as a caller may.
async fn scanned(store: &Store) -> Vec<Scanned> {
    let (mut pages, mut from) = (Vec::new(), None);
    loop {
        let page = store.verification().scan(from.as_ref(), 3).await.unwrap();
        let next = page.next.as_ref().map(|cursor| serde_json::to_string(cursor).unwrap());
        pages.push(page);
        let Some(next) = next else { return pages };
        from = Some(serde_json::from_str(&next).unwrap());
    }
}

/// Writes records of types that a scan must tell apart from wallets and payments.
async fn others(store: &Store) {
    write(store, (1..=7).map(|n| store.members().insert(&member(n, Some(9)), ())).collect()).await;
    write(store, (1..=6).map(|n| store.commissions().insert(&commission(n, 9, n), ())).collect()).await;
    write(store, vec![store.withdrawals().insert(&withdrawal(1, 3), ())]).await;
}

#[tokio::test]
async fn pattern_31_reading_the_whole_table_finds_each_wallet_and_payment_once() {
    let table = table().await;
    let store = &table.store;
    assert_eq!(store.verification().scan(None, 10).await.unwrap(), Scanned::default());

    let mut wallets = BTreeMap::new();
    for n in 1..=5 {
        let (wallet, entry) = give(empty_wallet(n), 100, n);
        store.commit(&store.wallets().post(&wallet, &entry, ()).unwrap()).await.unwrap();
        wallets.insert(id(n), wallet);
    }
    let payments: Vec<_> = (1..=6).map(|n| payment(n, n, 9)).collect();
    record(store, &payments).await;
    others(store).await;
    let stored = table.items().await.len();
    assert_eq!(stored, 5 * 2 + 6 * 2 + 7 + 6 + 1);

    let pages = scanned(store).await;
    assert!(pages.len() >= stored.div_ceil(3), "{} pages", pages.len());
    let found: Vec<Wallet> = pages.iter().flat_map(|page| page.wallets.clone()).collect();
    assert_eq!(found.len(), 5);
    assert_eq!(found.into_iter().map(|w| (w.member.clone(), w)).collect::<BTreeMap<_, _>>(), wallets);
    let mut found: Vec<_> = pages.into_iter().flat_map(|page| page.payments).collect();
    found.sort_by_key(|payment| payment.payment.to_string());
    assert_eq!(found, payments);
}

#[tokio::test]
async fn pattern_49_payments_until_an_instant_are_listed_newest_first() {
    let table = table().await;
    let store = &table.store;
    let at = |n: u32| PaymentRecord { paid_at: NOW.plus_days(i64::from(n)), ..payment(n, 2, 1) };
    for n in 1..=4 {
        write(store, vec![store.payments().insert(&at(n), ())]).await;
        store.payments().list(&listed(&at(n))).await.unwrap();
    }
    let found = store.payments().until(&id(2), NOW.plus_days(3), 2).await.unwrap();
    assert_eq!(found, [at(3), at(2)], "the one at that very instant is the first");
    assert!(store.payments().until(&id(2), NOW, 10).await.unwrap().is_empty());
}

/// A payment of which a rule could not decide.
fn waiting(n: u32) -> PaymentRecord {
    let verdict = Verdict::Refused { reason: Refusal::CostUnknown };
    let open = Candidate { rule: "half".into(), level: 1, version: None, counted: None, verdict };
    PaymentRecord { trace: vec![open], paid_at: NOW.plus_days(i64::from(n)), ..payment(n, 2, 1) }
}

#[tokio::test]
async fn pattern_51_payments_that_wait_for_a_decision_are_listed_until_it_is_made() {
    let table = table().await;
    let store = &table.store;
    let all = async || {
        let mut found = Vec::new();
        for shard in 0..SHARDS {
            found.extend(store.payments().undecided(shard, None, 10).await.unwrap());
        }
        found.sort_by_key(|payment| payment.paid_at);
        found
    };
    let three = [waiting(1), waiting(2), payment(3, 2, 1)];
    write(store, three.iter().map(|payment| store.payments().insert(payment, ())).collect()).await;
    assert_eq!(all().await, [waiting(1), waiting(2)]);
    let decided =
        PaymentRecord { decisions: 1, cost: Some(usd(100)), trace: payment(1, 2, 1).trace, ..waiting(1) };
    store.commit(&[store.payments().decide_again(&waiting(1), &decided, "moved").unwrap()]).await.unwrap();
    assert_eq!(all().await, [waiting(2)]);
    // Decided twice, or reversed meanwhile, it is refused.
    let stale = [store.payments().decide_again(&waiting(1), &decided, "moved").unwrap()];
    assert!(store.commit(&stale).await.is_err());
}

#[tokio::test]
async fn pattern_52_what_a_rule_rewarded_first_is_found_in_its_own_place() {
    let table = table().await;
    let store = &table.store;
    let mut first = Commission { place: Place::Once { joined_at: NOW, attempt: 1 }, ..commission(7, 1, 2) };
    first.snapshot.level = 1;
    write(store, vec![store.commissions().insert(&first, ())]).await;
    let (rule, referee) = (first.snapshot.rule.id.clone(), id(2));
    let at = |attempt| store.commissions().first(&first.beneficiary, (NOW, attempt), (&referee, &rule, 1));
    assert_eq!((at(0).await.unwrap(), at(1).await.unwrap()), (None, Some(first.clone())));
    let never = |joined_at| [store.commissions().never_first(&first, joined_at, "taken").unwrap()];
    store.commit(&never(NOW)).await.unwrap();
}
