//! Transactions when a condition fails, when others write the same items, and when the connection breaks: all
//! of it or nothing is written, once, and the refusal is the right one.
//!
//! The SDK repeats a broken or throttled request up to three times with the same client request token, so it
//! repairs one lost answer by itself. A second `commit` has a new token: then only the natural keys help. The
//! tests that inject faults pause the clock, so every wait between two tries ends at once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use guerdon_domain::{
    bill_credit::{InvoiceCredit, InvoiceCreditState, PostingState},
    ids::{AdjustmentId, InvoiceId},
    members::MemberCode,
    operators::AuditRecord,
    statistics::Counters,
    time::Timestamp,
    wallets::{Adjustment, WalletKind},
};
use guerdon_engine::connector::Fault;
use guerdon_store::{
    messages::Claim,
    requests::StoredResponse,
    statistics::{Contribution, Projection},
    table::{CommitError, Effect, Store, StoreError},
};
use support::*;

const TRANSACTION: &str = "TransactWriteItems";
/// The number of times that the SDK sends a request before it gives up.
const SDK_TRIES: usize = 3;
/// The number of times that the store sends a contended write before it gives up.
const STORE_TRIES: usize = 9;

/// Returns the store's error of a transaction that must fail.
async fn failure(store: &Store, writes: &[Write]) -> StoreError {
    match store.commit(writes).await {
        Err(CommitError::Store(error)) => error,
        other => panic!("did not fail: {other:?}"),
    }
}

fn invoice_credit() -> InvoiceCredit {
    InvoiceCredit {
        customer: None,
        invoice: InvoiceId::parse(INVOICE).unwrap(),
        member: id(1),
        taken: usd(1000),
        state: InvoiceCreditState::Applied,
    }
}

#[tokio::test]
async fn every_record_is_inserted_once() {
    let table = table().await;
    let store = &table.store;
    let adjustment = Adjustment {
        id: AdjustmentId::parse("a1").unwrap(),
        member: id(1),
        amount: usd(5),
        reason: String::new(),
        principal: "".into(),
        at: NOW,
    };
    let inserts = [
        (store.members().insert(&member(1, None), "member"), "member"),
        (store.codes().insert(&code(1, "KRTW7Q9M", 365), "code"), "code"),
        (store.referrals().insert(&referral(1, 2), "referral"), "referral"),
        (store.payments().insert(&payment(7, 2, 1), "payment"), "payment"),
        (store.commissions().insert(&commission(7, 1, 2), "commission"), "commission"),
        (store.bill_credit().insert_posting(&posting(1, 2), "posting"), "posting"),
        (store.bill_credit().insert_invoice_credit(&invoice_credit(), "invoice"), "invoice"),
        (store.wallets().insert_adjustment(&adjustment, "adjustment"), "adjustment"),
        (store.programs().insert(&version(2), "program"), "program"),
        (store.withdrawals().insert(&withdrawal(1, 3), "withdrawal"), "withdrawal"),
    ];
    for (write, expect) in inserts {
        check_written_once(&table, write.unwrap(), expect).await;
    }
}

#[tokio::test]
async fn the_first_failed_fragment_names_the_refusal() {
    let table = table().await;
    let insert =
        |n| table.store.members().insert(&member(n, None), if n == 1 { "one" } else { "two" }).unwrap();
    table.store.commit(&[insert(1), insert(2)]).await.unwrap();
    assert_eq!(refusal(&table.store, &[insert(1), insert(2)]).await, "one");
    assert_eq!(refusal(&table.store, &[insert(2), insert(1)]).await, "two");
}

/// The audit line of a credit that was given out of goodwill.
fn audit_line(id_of_line: &str) -> AuditRecord {
    AuditRecord {
        id: id_of_line.to_owned(),
        at: NOW,
        principal: "admin".into(),
        action: "credit.apply".to_owned(),
        member: Some(id(1)),
        reason: "goodwill".to_owned(),
        before: "{}".to_owned(),
        after: "{}".to_owned(),
    }
}

#[tokio::test]
async fn an_audited_request_is_written_once_under_its_key() {
    let table = table().await;
    let response = StoredResponse {
        principal: "admin".into(),
        key: "k1".to_owned(),
        input_hash: "h".to_owned(),
        body: "{}".to_owned(),
        at: NOW,
    };
    let audited = |line: &str| {
        [
            table.store.requests().insert(&response, "repeated").unwrap(),
            table.store.audit().insert(&audit_line(line), "repeated").unwrap(),
        ]
    };
    table.store.commit(&audited("1")).await.unwrap();
    assert_eq!(refusal(&table.store, &audited("2")).await, "repeated");
    assert_eq!(table.store.audit().trail("2026-11", None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn calls_are_counted_by_principal_and_minute() {
    let table = table().await;
    let call = async |principal, seconds: i64| {
        table
            .store
            .requests()
            .count_call(principal, 3, Timestamp::from_seconds(1_795_253_400 + seconds))
            .await
            .unwrap()
    };
    assert_eq!([call("a", 0).await, call("a", 1).await, call("a", 59).await], [Some(1), Some(2), Some(3)]);
    let before = table.items().await;
    assert_eq!([call("a", 59).await, call("a", 59).await], [None, None]);
    assert_eq!(table.items().await, before, "a call over the limit writes nothing");
    assert_eq!([call("b", 59).await, call("a", 60).await], [Some(1), Some(1)]);
}

#[tokio::test]
async fn of_two_posts_from_the_same_version_one_wins() {
    let table = table().await;
    let post = |wallet, minor, n| {
        let (wallet, entry) = give(wallet, minor, n);
        (table.store.wallets().post(&wallet, &entry, "changed").unwrap(), wallet)
    };
    // The wallet has no entries yet: its version is that of the first entry.
    let (first, wallet) = post(empty_wallet(1), 500, 1);
    let (second, _) = post(empty_wallet(1), 700, 2);
    table.store.commit(&first).await.unwrap();
    assert_eq!(refusal(&table.store, &second).await, "changed");
    // And from version 1.
    let (first, after) = post(wallet.clone(), 30, 3);
    let (second, _) = post(wallet.clone(), 70, 4);
    table.store.commit(&first).await.unwrap();
    for mut writes in [first, second] {
        check_refused_whole(&table, writes.remove(0), "changed").await;
    }
    assert_eq!(table.store.wallets().find(&id(1), wallet.kind, wallet.currency).await.unwrap(), after);
    assert_eq!(table.store.wallets().statement(&id(1), wallet.kind, wallet.currency).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_referral_converts_once_whether_pending_or_just_expired() {
    let table = table().await;
    let store = &table.store;
    let (paid, late, missing) = (referral(1, 2), referral(1, 3), referral(1, 4));
    for edge in [&paid, &late] {
        store.commit(&[store.referrals().insert(edge, "exists").unwrap()]).await.unwrap();
    }
    assert_eq!(convert(store, &paid, 7).await, Effect::Applied);
    assert_eq!(store.referrals().expire(&late).await.unwrap(), Effect::Applied);
    // A payment within the window may be reported after the expiry job has run.
    assert_eq!(convert(store, &late, 9).await, Effect::Applied);
    let before = table.items().await;
    assert_eq!(convert(store, &paid, 8).await, Effect::AlreadyApplied);
    assert_eq!(convert(store, &late, 9).await, Effect::AlreadyApplied);
    assert_eq!(convert(store, &missing, 9).await, Effect::AlreadyApplied);
    assert_eq!(store.referrals().expire(&paid).await.unwrap(), Effect::AlreadyApplied);
    assert_eq!(table.items().await, before);
    for (edge, n) in [(paid, 7), (late, 9)] {
        let stored = store.referrals().find(&id(1), edge.joined_at, &edge.referee).await.unwrap();
        assert_eq!(stored, Some(converted(&edge, n)));
    }
}

#[tokio::test]
async fn a_code_is_replaced_only_from_the_one_that_was_read() {
    let table = table().await;
    let store = &table.store;
    let named = |text| MemberCode { code: code(1, text, 1).code, expires_at: NOW.plus_days(1) };
    let (first, second) = (named("AAAA2222"), named("BBBB3333"));
    let replace = |previous: Option<&_>, next: &_| {
        store.members().replace_code(&id(1), previous, next, "changed").unwrap()
    };
    check_refused_whole(&table, replace(None, &first), "changed").await;
    store.commit(&[store.members().insert(&member(1, None), "exists").unwrap()]).await.unwrap();
    check_written_once(&table, replace(None, &first), "changed").await;
    check_written_once(&table, replace(Some(&first), &second), "changed").await;
    assert_eq!(store.members().find(&id(1)).await.unwrap().unwrap().code, Some(second));
}

#[tokio::test]
async fn a_posting_is_posted_or_refused_but_not_both() {
    let table = table().await;
    let store = &table.store;
    let (kept, refused) = (posting(1, 1), posting(1, 2));
    for claim in [&kept, &refused] {
        store.commit(&[store.bill_credit().insert_posting(claim, "exists").unwrap()]).await.unwrap();
    }
    let refuse = |claim| store.bill_credit().refuse(claim, "resource_missing", NOW, "not claimed").unwrap();
    assert_eq!(store.bill_credit().posted(&kept, "cbtxn_1", NOW).await.unwrap(), Effect::Applied);
    assert_eq!(store.bill_credit().posted(&kept, "cbtxn_2", NOW).await.unwrap(), Effect::AlreadyApplied);
    check_refused_whole(&table, refuse(&kept), "not claimed").await;
    check_written_once(&table, refuse(&refused), "not claimed").await;
    assert_eq!(store.bill_credit().posted(&refused, "cbtxn_3", NOW).await.unwrap(), Effect::AlreadyApplied);
    let latest = store.bill_credit().latest_posting(&id(1)).await.unwrap().unwrap();
    let state = PostingState::Refused { code: "resource_missing".to_owned(), refused_at: NOW };
    assert_eq!((latest.seq, latest.state), (2, state));
}

#[tokio::test]
async fn an_invoice_gives_its_credit_back_once() {
    let table = table().await;
    let store = &table.store;
    let returned = InvoiceCredit { state: InvoiceCreditState::Returned, ..invoice_credit() };
    let give_back = || store.bill_credit().return_invoice_credit(&returned, "not applied").unwrap();
    check_refused_whole(&table, give_back(), "not applied").await;
    store
        .commit(&[store.bill_credit().insert_invoice_credit(&invoice_credit(), "recorded").unwrap()])
        .await
        .unwrap();
    check_written_once(&table, give_back(), "not applied").await;
}

#[tokio::test]
async fn a_customer_is_linked_for_ever() {
    let table = table().await;
    let store = &table.store;
    let telegram_id = member(1, None).telegram_id;
    store
        .commit(&store.customers().link(&link(1), telegram_id, Some(&customer()), "known").unwrap())
        .await
        .unwrap();
    let other = store.customers().link(&link(2), telegram_id, Some(&customer()), "known").unwrap();
    assert_eq!(refusal(store, &other).await, "known");
    assert_eq!(store.customers().find(&customer()).await.unwrap(), Some(link(1)));
    assert_eq!(store.members().find(&id(2)).await.unwrap(), None);
}

/// Makes the fragments of a payment and its commission.
fn booking(store: &Store) -> [Write; 2] {
    let payment = store.payments().insert(&payment(7, 2, 1), "recorded").unwrap();
    [payment, store.commissions().insert(&commission(7, 1, 2), "booked").unwrap()]
}

async fn check_booked_once(table: &Table) {
    assert_eq!(table.items().await.len(), 2);
    assert_eq!(table.store.payments().find(&invoice(7)).await.unwrap(), Some(payment(7, 2, 1)));
    assert_eq!(table.store.commissions().list(&id(1), None, 10).await.unwrap(), [commission(7, 1, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_few_conflicts_are_waited_out() {
    let Some(table) = embedded_table().await else { return };
    let script = Script::first(TRANSACTION, STORE_TRIES - 1, Fault::Conflict);
    let store = table.failing(&script);
    store.commit(&booking(&store)).await.unwrap();
    assert_eq!(script.requests(), STORE_TRIES);
    check_booked_once(&table).await;
}

#[tokio::test(start_paused = true)]
async fn endless_conflicts_are_given_up_with_nothing_written() {
    let Some(table) = embedded_table().await else { return };
    let script = Script::always(TRANSACTION, Fault::Conflict);
    let store = table.failing(&script);
    let error = failure(&store, &booking(&store)).await;
    assert!(matches!(error, StoreError::Conflict) && error.retryable(), "{error}");
    assert_eq!(script.requests(), STORE_TRIES);
    assert!(table.items().await.is_empty());
}

/// The SDK repeats it with the same token, and the engine knows that token: not a refusal.
#[tokio::test(start_paused = true)]
async fn one_lost_answer_is_no_refusal() {
    let Some(table) = embedded_table().await else { return };
    let script = Script::first(TRANSACTION, 1, Fault::LostAfter);
    let store = table.failing(&script);
    store.commit(&booking(&store)).await.unwrap();
    assert_eq!(script.requests(), 2);
    check_booked_once(&table).await;
}

/// The caller does not learn that the first call took effect. The second has another token, but its natural
/// key shows it.
#[tokio::test(start_paused = true)]
async fn after_lost_answers_a_repetition_finds_its_own_work() {
    let Some(table) = embedded_table().await else { return };
    let script = Script::first(TRANSACTION, SDK_TRIES, Fault::LostAfter);
    let store = table.failing(&script);
    let error = failure(&store, &booking(&store)).await;
    assert!(matches!(error, StoreError::Unavailable(_)) && error.retryable(), "{error}");
    assert_eq!(script.requests(), SDK_TRIES);
    check_booked_once(&table).await;
    assert_eq!(refusal(&store, &booking(&store)).await, "recorded");
    check_booked_once(&table).await;
}

#[tokio::test(start_paused = true)]
async fn after_lost_requests_a_repetition_does_the_work() {
    let Some(table) = embedded_table().await else { return };
    let script = Script::first(TRANSACTION, SDK_TRIES, Fault::LostBefore);
    let store = table.failing(&script);
    let error = failure(&store, &booking(&store)).await;
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert!(table.items().await.is_empty());
    store.commit(&booking(&store)).await.unwrap();
    check_booked_once(&table).await;
}

#[tokio::test(start_paused = true)]
async fn a_moment_without_throughput_is_waited_out() {
    let Some(table) = embedded_table().await else { return };
    let script = Script::first(TRANSACTION, SDK_TRIES - 1, Fault::Throttle);
    let store = table.failing(&script);
    store.commit(&booking(&store)).await.unwrap();
    assert_eq!(script.requests(), SDK_TRIES);
    check_booked_once(&table).await;
}

#[tokio::test(start_paused = true)]
async fn endless_throttling_is_unavailability() {
    let Some(table) = embedded_table().await else { return };
    for operation in [TRANSACTION, "GetItem", "Query", "UpdateItem"] {
        let store = table.failing(&Script::always(operation, Fault::Throttle));
        let error = match operation {
            TRANSACTION => failure(&store, &booking(&store)).await,
            "GetItem" => store.members().find(&id(1)).await.unwrap_err(),
            "Query" => store.statistics().ranking("all", 10).await.unwrap_err(),
            _ => store.members().set_blocked(&id(1), true).await.unwrap_err(),
        };
        assert!(matches!(error, StoreError::Unavailable(_)) && error.retryable(), "{operation}: {error}");
    }
    assert!(table.items().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_single_write_waits_conflicts_out_too() {
    let Some(table) = embedded_table().await else { return };
    let puts = table.failing(&Script::first("PutItem", 4, Fault::Conflict));
    assert_eq!(puts.messages().see_update(1, NOW).await.unwrap(), Effect::Applied);
    let updates = table.failing(&Script::first("UpdateItem", 4, Fault::Conflict));
    assert_eq!(updates.requests().count_call("admin", 120, NOW).await.unwrap(), Some(1));
    let never = table.failing(&Script::always("PutItem", Fault::Conflict));
    assert!(matches!(never.messages().see_update(2, NOW).await, Err(StoreError::Conflict)));
}

/// A single write has no token. The projections' own guard recognises the SDK's repetition.
#[tokio::test(start_paused = true)]
async fn a_projection_whose_answer_was_lost_counts_once() {
    let Some(table) = embedded_table().await else { return };
    let script = Script::first("UpdateItem", 1, Fault::LostAfter);
    let store = table.failing(&script);
    let adds: Counters = [("members".to_owned(), 1)].into_iter().collect();
    let batch = [Contribution { sequence: "1".to_owned(), adds: adds.clone() }];
    store.statistics().project(&Projection::Totals, "shard", &batch, NOW).await.unwrap();
    assert_eq!(script.requests(), 2);
    assert_eq!(store.statistics().counters(&Projection::Totals).await.unwrap(), adds);
}

/// Loses the answer of a single write: the SDK's retry finds our own item and takes it for another writer's, so an
/// update is answered at most once.
#[tokio::test(start_paused = true)]
async fn an_update_whose_guard_was_lost_errs_towards_silence() {
    let Some(table) = embedded_table().await else { return };
    let lossy = table.failing(&Script::first("PutItem", 1, Fault::LostAfter));
    assert_eq!(lossy.messages().see_update(1, NOW).await.unwrap(), Effect::AlreadyApplied);
}

/// A claim contains the id of its message, so the message recognises its own claim.
#[tokio::test(start_paused = true)]
async fn a_claim_whose_answer_was_lost_is_still_ours() {
    let Some(table) = embedded_table().await else { return };
    let lossy = table.failing(&Script::first("PutItem", 1, Fault::LostAfter));
    assert_eq!(lossy.messages().claim("event", "one", NOW, 120).await.unwrap(), Claim::Ours);
    assert_eq!(table.store.messages().claim("event", "two", NOW, 120).await.unwrap(), Claim::Others);
}

#[tokio::test]
async fn a_malformed_request_is_not_worth_repeating() {
    let table = table().await;
    let nowhere = Store::new(table.client.clone(), "no-such-table");
    let error = nowhere.wallets().find(&id(1), WalletKind::BillCredit, usd(0).currency()).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)) && !error.retryable(), "{error}");
}

/// The embedded engine and AWS call it malformed; DynamoDB Local reports that the second condition fails.
#[tokio::test]
async fn one_item_stands_in_a_transaction_once() {
    let table = table().await;
    let twice = [booking(&table.store), booking(&table.store)].concat();
    let error = table.store.commit(&twice).await.unwrap_err();
    let expected =
        matches!(error, CommitError::Store(StoreError::Corrupt(_)) | CommitError::Refused("recorded"));
    assert!(expected, "{error:?}");
    assert!(table.items().await.is_empty());
}
