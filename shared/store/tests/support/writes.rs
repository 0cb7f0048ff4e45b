//! Writes through the store, and expectations of refusals.

use guerdon_domain::referrals::Referral;
use guerdon_store::table::{CommitError, Effect, Fragment, Store, StoreError};

use super::{NOW, Table, code, invoice};

/// A write whose refusal is a text.
pub type Write = Fragment<&'static str>;

/// Writes all of them, up to 100 in a transaction.
pub async fn write(store: &Store, fragments: Vec<Result<Fragment<()>, StoreError>>) {
    let fragments: Vec<_> = fragments.into_iter().map(Result::unwrap).collect();
    for chunk in fragments.chunks(100) {
        store.commit(chunk).await.unwrap();
    }
}

/// Returns the refusal of a transaction that must be refused.
pub async fn refusal(store: &Store, writes: &[Write]) -> &'static str {
    match store.commit(writes).await {
        Err(CommitError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// Checks `writes` between two valid ones: refused for their own reason, and nothing is written.
pub async fn check_all_refused(table: &Table, mut writes: Vec<Write>, expect: &str) {
    let before = table.items().await;
    let innocent = |n, text| table.store.codes().insert(&code(n, text, 1), "innocent").unwrap();
    writes.insert(0, innocent(81, "AAAAAAAA"));
    writes.push(innocent(82, "BBBBBBBB"));
    assert_eq!(refusal(&table.store, &writes).await, expect);
    assert_eq!(table.items().await, before, "something of a refused transaction was written");
}

/// Like `check_all_refused`, for one write.
pub async fn check_refused_whole(table: &Table, write: Write, expect: &str) {
    check_all_refused(table, vec![write], expect).await;
}

/// Writes it, then expects the same write to be refused.
pub async fn check_written_once(table: &Table, write: Write, expect: &str) {
    table.store.commit(std::slice::from_ref(&write)).await.unwrap();
    check_refused_whole(table, write, expect).await;
}

/// Converts the referral by invoice `n`, like the projector.
pub async fn convert(store: &Store, edge: &Referral, n: u32) -> Effect {
    let edge = (&edge.referrer, edge.joined_at, &edge.referee);
    store.referrals().convert(edge, (&invoice(n), 0), NOW.plus_days(3)).await.unwrap()
}
