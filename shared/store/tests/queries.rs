//! Access patterns 1 to 14, 18 and 19 of the table in `lib.rs`, by number, and the small guards beside them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use guerdon_domain::{
    bill_credit::{InvoiceCredit, InvoiceCreditState},
    ids::{InvoiceId, MemberId},
    money::Currency,
    operators::AuditRecord,
    referrals::{Code, CodeRecord, Referral, ReferralState},
    time::Timestamp,
    wallets::{WalletKind, verify_statement},
};
use guerdon_store::{
    commissions::{CommissionCursor, RELEASE_BATCH, ReleaseDue},
    messages::Claim,
    payments::{ParkedEvent, WaitsFor},
    requests::StoredResponse,
    table::{CommitError, Effect, SHARDS, Store, StoreError},
};
use support::*;

/// Makes a code of `n`: letters for its digits.
fn nth_code(n: u8) -> Code {
    Code::from_random([0, 0, 0, 0, 0, 0, n / 32, n % 32])
}

#[tokio::test]
async fn pattern_1_members_come_in_the_order_asked_for() {
    let table = table().await;
    let store = &table.store;
    write(store, [1, 2, 3].map(|n| store.members().insert(&member(n, None), ())).into()).await;
    assert_eq!(store.members().find(&id(2)).await.unwrap(), Some(member(2, None)));
    assert_eq!(store.members().find(&id(9)).await.unwrap(), None);
    let found = store.members().find_all(&[id(3), id(9), id(1), id(3)]).await.unwrap();
    assert_eq!(found, [member(3, None), member(1, None)], "each once");
    assert!(store.members().find_all(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn pattern_1_a_hundred_members_are_one_request() {
    let table = table().await;
    let store = &table.store;
    write(store, (0..100).map(|n| store.members().insert(&member(n, None), ())).collect()).await;
    let ids: Vec<MemberId> = (0..100).rev().map(id).collect();
    let found = store.members().find_all(&ids).await.unwrap();
    assert_eq!(found.into_iter().map(|member| member.id).collect::<Vec<_>>(), ids);
}

#[tokio::test]
async fn pattern_1_more_members_than_one_request_returns_come_in_the_same_order() {
    let table = table().await;
    let store = &table.store;
    write(store, (0..230).map(|n| store.members().insert(&member(n, None), ())).collect()).await;
    let ids: Vec<MemberId> = (0..230).rev().map(id).collect();
    let found = store.members().find_all(&ids).await.unwrap();
    assert_eq!(found.into_iter().map(|member| member.id).collect::<Vec<_>>(), ids);
}

#[tokio::test]
async fn pattern_1_a_customer_who_meets_the_bot_keeps_how_they_joined() {
    let table = table().await;
    let store = &table.store;
    let newcomer = member(1, None);
    let joined = newcomer.joined.clone().unwrap();
    store.members().introduce(&newcomer, &joined).await.unwrap();
    assert_eq!(store.members().find(&id(1)).await.unwrap(), None, "an unknown member stays unknown");
    store
        .commit(&store.customers().link(&link(1), newcomer.telegram_id, Some(&customer()), ()).unwrap())
        .await
        .unwrap();
    assert_eq!(store.members().find(&id(1)).await.unwrap().unwrap().joined, None);

    store.members().introduce(&newcomer, &joined).await.unwrap();
    store.members().set_blocked(&id(1), true).await.unwrap();
    assert!(store.members().find(&id(1)).await.unwrap().unwrap().blocked_bot);
    let later =
        guerdon_domain::members::Joined { at: NOW.plus_days(1), update_id: 9, referrer: None, click: None };
    store.members().introduce(&newcomer, &later).await.unwrap();
    let expected = guerdon_domain::members::Member { customer: Some(customer()), ..newcomer };
    assert_eq!(store.members().find(&id(1)).await.unwrap(), Some(expected));
}

#[tokio::test]
async fn pattern_2_a_code_says_whose_it_is() {
    let table = table().await;
    let store = &table.store;
    let record = code(1, "KRTW7Q9M", 365);
    write(store, vec![store.codes().insert(&record, ())]).await;
    assert_eq!(store.codes().find(&Code::parse("krtw7q9m").unwrap()).await.unwrap(), Some(record.clone()));
    assert_eq!(store.codes().find(&nth_code(0)).await.unwrap(), None);
    assert_eq!(store.codes().expire(&record.code).await.unwrap(), Effect::Applied);
    assert_eq!(store.codes().expire(&record.code).await.unwrap(), Effect::AlreadyApplied);
    assert_eq!(store.codes().find(&record.code).await.unwrap(), Some(CodeRecord { expired: true, ..record }));
}

#[tokio::test]
async fn pattern_3_a_members_referral_is_found_from_the_member() {
    let table = table().await;
    let store = &table.store;
    let edge = referral(1, 2);
    write(store, vec![store.referrals().insert(&edge, ())]).await;
    assert_eq!(store.referrals().of(&member(2, Some(1))).await.unwrap(), Some(edge));
    assert_eq!(store.referrals().of(&member(2, None)).await.unwrap(), None);
    assert_eq!(store.referrals().of(&member(3, Some(1))).await.unwrap(), None);
}

/// 40 referrals; the first to expire is the last that was made, and two expire together.
fn referrals() -> Vec<Referral> {
    let expiry = |n: u32| NOW.plus_days(i64::from(40 - n.max(1)));
    (0..40).map(|n| Referral { expires_at: expiry(n), ..referral(1, 100 + n) }).collect()
}

#[tokio::test]
async fn pattern_4_pages_of_pending_referrals_cover_each_once() {
    let table = table().await;
    let store = &table.store;
    let mut pending = referrals();
    write(store, pending.iter().map(|edge| store.referrals().insert(edge, ())).collect()).await;
    let paid = pending.remove(0);
    assert_eq!(convert(store, &paid, 1).await, Effect::Applied);
    let closed = pending.remove(0);
    assert_eq!(store.referrals().expire(&closed).await.unwrap(), Effect::Applied);

    let mut seen = Vec::new();
    for shard in 0..SHARDS {
        let of_shard = all_pending(store, shard).await;
        assert!(of_shard.is_sorted_by_key(|edge| edge.expires_at), "soonest first");
        assert!(!of_shard.is_empty(), "shard {shard} got none of 40");
        seen.extend(of_shard);
    }
    let by_referee = |edges: &mut Vec<Referral>| edges.sort_by(|a, b| a.referee.cmp(&b.referee));
    by_referee(&mut seen);
    by_referee(&mut pending);
    assert_eq!(seen, pending);
}

/// Reads a shard in pages of three.
async fn all_pending(store: &Store, shard: u8) -> Vec<Referral> {
    let mut seen: Vec<Referral> = Vec::new();
    loop {
        let page = store.referrals().pending(shard, seen.last(), 3).await.unwrap();
        if page.is_empty() {
            return seen;
        }
        assert!(page.len() <= 3);
        seen.extend(page);
    }
}

#[tokio::test]
async fn pattern_4_a_page_goes_on_behind_a_referral_that_has_left() {
    let table = table().await;
    let store = &table.store;
    write(store, referrals().iter().map(|edge| store.referrals().insert(edge, ())).collect()).await;
    let all = store.referrals().pending(0, None, 100).await.unwrap();
    assert_eq!(store.referrals().expire(&all[1]).await.unwrap(), Effect::Applied);
    let rest = store.referrals().pending(0, Some(&all[1]), 100).await.unwrap();
    assert_eq!(rest, all[2..]);
}

#[tokio::test]
async fn pattern_5_codes_fall_due_when_they_expire() {
    let table = table().await;
    let store = &table.store;
    let codes: Vec<CodeRecord> =
        (0..40).map(|n| CodeRecord { code: nth_code(n), ..code(1, "KRTW7Q9M", 40 - i64::from(n)) }).collect();
    write(store, codes.iter().map(|code| store.codes().insert(code, ())).collect()).await;
    let mut due = Vec::new();
    for shard in 0..SHARDS {
        let found = store.codes().due(shard, NOW.plus_days(20), 100).await.unwrap();
        assert!(found.is_sorted_by_key(|code| code.expires_at), "the longest due first");
        assert_eq!(
            store.codes().due(shard, NOW.plus_days(20), 2).await.unwrap(),
            found[..2.min(found.len())]
        );
        due.extend(found);
    }
    assert_eq!(due.len(), 20, "those of 1 to 20 days, the last instant included");
    assert!(due.iter().all(|code| code.expires_at <= NOW.plus_days(20)));
    for code in &due {
        assert_eq!(store.codes().expire(&code.code).await.unwrap(), Effect::Applied);
    }
    assert!(everything_due(|shard| store.codes().due(shard, NOW.plus_days(20), 100)).await.is_empty());
}

#[tokio::test]
async fn pattern_5_referrals_fall_due_when_their_window_closes() {
    let table = table().await;
    let store = &table.store;
    write(store, referrals().iter().map(|edge| store.referrals().insert(edge, ())).collect()).await;
    let until = NOW.plus_days(10);
    let due = everything_due(|shard| store.referrals().due(shard, until, 100)).await;
    assert_eq!(due.len(), 10);
    for edge in &due {
        assert!(edge.expires_at <= until);
        assert_eq!(store.referrals().expire(edge).await.unwrap(), Effect::Applied);
        assert_eq!(store.referrals().expire(edge).await.unwrap(), Effect::AlreadyApplied);
    }
    assert!(everything_due(|shard| store.referrals().due(shard, until, 100)).await.is_empty());
    let stored = store.referrals().of(&member(139, Some(1))).await.unwrap().unwrap();
    assert_eq!(stored.state, ReferralState::Expired);
}

/// Reads the records of all shards of a queue.
async fn everything_due<T, F, W>(of_shard: F) -> Vec<T>
where
    F: Fn(u8) -> W,
    W: Future<Output = Result<Vec<T>, StoreError>>,
{
    let mut due = Vec::new();
    for shard in 0..SHARDS {
        due.extend(of_shard(shard).await.unwrap());
    }
    due
}

#[tokio::test]
async fn pattern_6_a_payment_is_found_by_its_natural_key() {
    let table = table().await;
    let store = &table.store;
    write(store, vec![store.payments().insert(&payment(7, 2, 1), ())]).await;
    assert_eq!(store.payments().find(&invoice(7)).await.unwrap(), Some(payment(7, 2, 1)));
    assert_eq!(store.payments().find(&invoice(8)).await.unwrap(), None);
}

#[tokio::test]
async fn pattern_7_due_commissions_are_those_held_and_due() {
    let table = table().await;
    let store = &table.store;
    let all: Vec<_> = (0..10).map(|n| commission(n, 1, 2)).collect();
    write(store, all.iter().map(|c| store.commissions().insert(c, ())).collect()).await;
    write(store, vec![store.commissions().insert(&commission(20, 3, 2), ())]).await;
    let at = all[4].due_at;
    let due = store.commissions().due(&id(1), at).await.unwrap();
    assert_eq!((due.held.as_slice(), due.may_be_more), (&all[..5], false));
    write(store, vec![store.commissions().settle(&all[1], &released(&all[1], 1, at), ())]).await;
    let left = store.commissions().due(&id(1), at).await.unwrap().held;
    assert_eq!(left, [&all[..1], &all[2..5]].concat());
    assert!(store.commissions().due(&id(1), NOW).await.unwrap().held.is_empty());
}

#[tokio::test]
async fn pattern_7_a_full_batch_says_that_there_may_be_more() {
    let table = table().await;
    let store = &table.store;
    let batch = u32::try_from(RELEASE_BATCH).unwrap();
    write(store, (0..batch + 3).map(|n| store.commissions().insert(&commission(n, 1, 2), ())).collect())
        .await;
    let later = NOW.plus_days(30);
    let due = store.commissions().due(&id(1), later).await.unwrap();
    assert_eq!((due.held.len(), due.may_be_more), (batch as usize, true));
    let release = |c| store.commissions().settle(c, &released(c, 1, later), ());
    write(store, due.held.iter().map(release).collect()).await;
    let rest = store.commissions().due(&id(1), later).await.unwrap();
    assert_eq!((rest.held.len(), rest.may_be_more), (3, false));
}

#[tokio::test]
async fn pattern_8_commissions_are_paged_newest_first() {
    let table = table().await;
    let store = &table.store;
    let mut all: Vec<_> = (0..10).map(|n| commission(n, 1, 2)).collect();
    all[4].paid_at = all[5].paid_at;
    write(store, all.iter().map(|c| store.commissions().insert(c, ())).collect()).await;
    // Neighbours in the same partition are not returned.
    write(store, vec![store.referrals().insert(&referral(1, 2), ())]).await;
    store.commissions().mark_due(&ReleaseDue::of(id(1), NOW, NOW)).await.unwrap();
    all.reverse();
    let mut seen: Vec<guerdon_domain::commissions::Commission> = Vec::new();
    loop {
        let before = seen.last().map(CommissionCursor::of);
        let page = store.commissions().list(&id(1), before.as_ref(), 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, all);
}

#[tokio::test]
async fn pattern_9_the_sweep_finds_referrers_whose_hour_has_ended() {
    let table = table().await;
    let store = &table.store;
    let marker = |n: u32, hours: i64| ReleaseDue::of(id(n), NOW.plus_seconds(3600 * hours), NOW);
    for n in 0..12 {
        store.commissions().mark_due(&marker(n, i64::from(n))).await.unwrap();
        // A second commission of the same hour makes no second marker.
        store.commissions().mark_due(&marker(n, i64::from(n))).await.unwrap();
    }
    let until = marker(5, 5).hour;
    let due = everything_due(|shard| store.commissions().marked(shard, until, 100)).await;
    assert_eq!(due.len(), 6);
    for found in &due {
        assert!(found.hour <= until);
        store.commissions().unmark(found).await.unwrap();
        store.commissions().unmark(found).await.unwrap();
    }
    assert!(everything_due(|shard| store.commissions().marked(shard, until, 100)).await.is_empty());
    assert_eq!(
        everything_due(|shard| store.commissions().marked(shard, NOW.plus_days(2), 100)).await.len(),
        6
    );
    assert!(everything_due(|shard| store.commissions().marked(shard, NOW.plus_days(2), 1)).await.len() <= 4);
}

#[tokio::test]
async fn pattern_10_a_statement_is_paged_newest_first_and_read_whole() {
    let table = table().await;
    let store = &table.store;
    let key = (&id(1), WalletKind::BillCredit, Currency::USD);
    assert_eq!(store.wallets().find(key.0, key.1, key.2).await.unwrap(), empty_wallet(1));
    let mut wallet = empty_wallet(1);
    for n in 1..=12 {
        let (next, entry) = give(wallet, 100 * i64::from(n), n);
        store.commit(&store.wallets().post(&next, &entry, ()).unwrap()).await.unwrap();
        wallet = next;
    }
    // Another wallet of the same member has a statement of its own.
    let other = guerdon_domain::wallets::Wallet::empty(id(1), WalletKind::BillCredit, Currency::EUR);
    let gift = guerdon_domain::money::Money::new(5, Currency::EUR);
    let gift = other.give(gift, guerdon_domain::ids::AdjustmentId::parse("e").unwrap(), NOW).unwrap();
    store.commit(&store.wallets().post(&gift.0, &gift.1, ()).unwrap()).await.unwrap();

    let statement = store.wallets().statement(key.0, key.1, key.2).await.unwrap();
    assert_eq!(store.wallets().find(key.0, key.1, key.2).await.unwrap(), wallet);
    verify_statement(&wallet, &statement).unwrap();
    let seqs =
        |entries: Vec<guerdon_domain::wallets::Entry>| entries.iter().map(|e| e.seq).collect::<Vec<_>>();
    assert_eq!(seqs(store.wallets().entries(key, None, 5).await.unwrap()), [12, 11, 10, 9, 8]);
    assert_eq!(seqs(store.wallets().entries(key, Some(8), 5).await.unwrap()), [7, 6, 5, 4, 3]);
    assert_eq!(seqs(store.wallets().entries(key, Some(3), 5).await.unwrap()), [2, 1]);
    assert!(store.wallets().entries(key, Some(1), 5).await.unwrap().is_empty());
}

#[tokio::test]
async fn pattern_11_the_latest_posting_is_the_one_with_the_highest_number() {
    let table = table().await;
    let store = &table.store;
    assert_eq!(store.bill_credit().latest_posting(&id(1)).await.unwrap(), None);
    write(store, [9, 10, 2].map(|seq| store.bill_credit().insert_posting(&posting(1, seq), ())).into()).await;
    write(store, vec![store.bill_credit().insert_posting(&posting(2, 99), ())]).await;
    assert_eq!(store.bill_credit().latest_posting(&id(1)).await.unwrap(), Some(posting(1, 10)));
}

#[tokio::test]
async fn pattern_12_what_an_invoice_did_is_found_by_the_invoice() {
    let table = table().await;
    let store = &table.store;
    let credit = InvoiceCredit {
        customer: None,
        invoice: InvoiceId::parse(INVOICE).unwrap(),
        member: id(1),
        taken: usd(1000),
        state: InvoiceCreditState::Applied,
    };
    assert_eq!(store.bill_credit().invoice_credit(&id(1), &credit.invoice).await.unwrap(), None);
    write(store, vec![store.bill_credit().insert_invoice_credit(&credit, ())]).await;
    assert_eq!(store.bill_credit().invoice_credit(&id(1), &credit.invoice).await.unwrap(), Some(credit));
}

fn for_customer() -> WaitsFor {
    WaitsFor::Customer { customer: customer() }
}

async fn park(store: &Store, event: &ParkedEvent) {
    store.commit(&store.parked().park_until(event, ()).unwrap()).await.unwrap();
}

#[tokio::test]
async fn pattern_13_parked_events_wait_in_the_order_they_were_made() {
    let table = table().await;
    let store = &table.store;
    let refund = parked("evt_3", NOW.plus_seconds(60), 1);
    let payment = parked("evt_9", NOW, 2);
    let same_moment = parked("evt_4", NOW, 3);
    for event in [&refund, &payment, &same_moment, &payment] {
        park(store, event).await;
    }
    assert_eq!(
        store.parked().waiting_for(&for_customer()).await.unwrap(),
        [same_moment.clone(), payment.clone(), refund]
    );
    store.parked().remove(&payment).await.unwrap();
    store.parked().remove(&payment).await.unwrap();
    assert_eq!(store.parked().waiting_for(&for_customer()).await.unwrap().len(), 2);
    // The link itself is in the same partition and is not an event.
    let telegram_id = member(1, None).telegram_id;
    store
        .commit(&store.customers().link(&link(1), telegram_id, Some(&customer()), ()).unwrap())
        .await
        .unwrap();
    assert_eq!(store.parked().waiting_for(&for_customer()).await.unwrap()[0], same_moment);
}

#[tokio::test]
async fn pattern_13_nothing_is_parked_behind_a_links_back() {
    let table = table().await;
    let store = &table.store;
    let telegram_id = member(1, None).telegram_id;
    store
        .commit(&store.customers().link(&link(1), telegram_id, Some(&customer()), ()).unwrap())
        .await
        .unwrap();
    assert_eq!(store.customers().find(&customer()).await.unwrap(), Some(link(1)));
    let late = store.parked().park_until(&parked("evt_1", NOW, 1), "known").unwrap();
    assert!(matches!(store.commit(&late).await, Err(CommitError::Refused("known"))));
    assert!(store.parked().waiting_for(&for_customer()).await.unwrap().is_empty());
    assert!(store.parked().list(None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn pattern_14_all_parked_events_are_listed_by_waiting_time() {
    let table = table().await;
    let store = &table.store;
    let kind = "telegram.refunded_payment".to_owned();
    let first = parked("evt_1", NOW.plus_seconds(60), 1);
    let handler = ParkedEvent { waits_for: WaitsFor::Handler { kind }, ..parked("77", NOW, 2) };
    let last = parked("evt_3", NOW, 3);
    park(store, &last).await;
    park(store, &first).await;
    assert_eq!(store.parked().park(&handler).await.unwrap(), Effect::Applied);
    assert_eq!(store.parked().park(&handler).await.unwrap(), Effect::AlreadyApplied);
    assert_eq!(store.parked().list(None, 10).await.unwrap(), [first, handler, last]);
}

#[tokio::test]
async fn pattern_14_parked_events_are_listed_page_by_page() {
    let table = table().await;
    let store = &table.store;
    let events: Vec<ParkedEvent> =
        (0..40).map(|n| parked(&format!("evt_{n}"), NOW, 40 - i64::from(n))).collect();
    for event in &events {
        park(store, event).await;
    }
    let all = store.parked().list(None, 1000).await.unwrap();
    assert_eq!(all, events.iter().rev().cloned().collect::<Vec<_>>());
    let shards: std::collections::BTreeSet<String> =
        table.items().await.values().map(|item| text(item, "gsi1pk")).collect();
    assert!(shards.iter().eq(&["PARKED#0", "PARKED#1", "PARKED#2", "PARKED#3"]), "{shards:?}");
    let some = store.parked().list(None, 2).await.unwrap();
    assert_eq!(some, all[..2]);
    assert_eq!(store.parked().list(Some(&all[1].waiting_place()), 3).await.unwrap(), all[2..5]);
}

#[tokio::test]
async fn patterns_18_and_19_an_answer_and_its_audit_trail() {
    let table = table().await;
    let store = &table.store;
    let mut last = None;
    for (n, at) in [(1, NOW), (2, NOW.plus_seconds(1)), (3, NOW.plus_seconds(1)), (4, NOW.plus_days(20))] {
        let (response, audit) = audited(n, at);
        let writes =
            [store.requests().insert(&response, ()).unwrap(), store.audit().insert(&audit, ()).unwrap()];
        store.commit(&writes).await.unwrap();
        last = Some(response);
    }
    assert_eq!(store.requests().answer(&"admin".into(), "key-4").await.unwrap(), last);
    assert_eq!(store.requests().answer(&"admin".into(), "key-5").await.unwrap(), None);
    assert_eq!(store.requests().answer(&"service".into(), "key-4").await.unwrap(), None);
    let ids = |trail: Vec<AuditRecord>| trail.into_iter().map(|line| line.id).collect::<Vec<_>>();
    assert_eq!(ids(store.audit().trail("2026-11", None, 10).await.unwrap()), ["3", "2", "1"]);
    assert_eq!(ids(store.audit().trail("2026-11", None, 2).await.unwrap()), ["3", "2"]);
    let older = store.audit().trail("2026-11", None, 2).await.unwrap();
    let place = older.last().map(|line| (line.at, line.id.as_str()));
    assert_eq!(ids(store.audit().trail("2026-11", place, 10).await.unwrap()), ["1"]);
    assert_eq!(ids(store.audit().trail("2026-12", None, 10).await.unwrap()), ["4"]);
}

fn audited(n: u32, at: Timestamp) -> (StoredResponse, AuditRecord) {
    let response = StoredResponse {
        principal: "admin".into(),
        key: format!("key-{n}"),
        input_hash: "h".to_owned(),
        body: "{}".to_owned(),
        at,
    };
    let audit = AuditRecord {
        id: n.to_string(),
        at,
        principal: "admin".into(),
        action: "credit.apply".to_owned(),
        member: Some(id(1)),
        reason: "goodwill".to_owned(),
        before: "{}".to_owned(),
        after: "{}".to_owned(),
    };
    (response, audit)
}

#[tokio::test]
async fn an_update_is_new_once() {
    let table = table().await;
    assert_eq!(table.store.messages().see_update(7, NOW).await.unwrap(), Effect::Applied);
    assert_eq!(
        table.store.messages().see_update(7, NOW.plus_seconds(5)).await.unwrap(),
        Effect::AlreadyApplied
    );
    assert_eq!(table.store.messages().see_update(8, NOW).await.unwrap(), Effect::Applied);
}

#[tokio::test]
async fn a_claimed_notification_is_free_again_after_its_lease_until_it_is_sent() {
    let table = table().await;
    let claim = async |claimant, seconds| {
        table.store.messages().claim("joined:1", claimant, NOW.plus_seconds(seconds), 120).await.unwrap()
    };
    assert_eq!(claim("one", 0).await, Claim::Ours);
    assert_eq!([claim("two", 1).await, claim("two", 119).await], [Claim::Others; 2]);
    assert_eq!(claim("two", 120).await, Claim::Ours);
    assert_eq!(claim("one", 121).await, Claim::Others, "the lease runs anew, for the other message");
    assert_eq!(claim("two", 122).await, Claim::Ours, "a message's own retry goes on at once");
    table.store.messages().sent("joined:1", NOW.plus_seconds(123)).await.unwrap();
    assert_eq!([claim("one", 100_000).await, claim("two", 123).await], [Claim::Sent; 2]);
}
