//! Many writers of one wallet: each reads it, decides, and posts on the version it has read.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use guerdon_domain::{
    money::Currency,
    wallets::{Wallet, WalletKind, verify_statement},
};
use guerdon_store::table::{CommitError, Store, StoreError};
use support::*;

const WRITERS: u32 = 100;

async fn wallet(store: &Store) -> Wallet {
    store.wallets().find(&id(1), WalletKind::BillCredit, Currency::USD).await.unwrap()
}

/// Posts `writer` cents and tries again after each conflict. Returns the number of conflicts.
async fn post_until_written(store: &Store, writer: u32) -> u32 {
    let mut refused = 0;
    loop {
        let (after, entry) = give(wallet(store).await, i64::from(writer), writer);
        match store.commit(&store.wallets().post(&after, &entry, ()).unwrap()).await {
            Ok(()) => return refused,
            Err(CommitError::Refused(()) | CommitError::Store(StoreError::Conflict)) => refused += 1,
            Err(CommitError::Store(error)) => panic!("writer {writer}: {error}"),
        }
        // The more often a writer has waited, the more its wait is spread.
        let spread = u64::from(writer * refused.min(20) % 97);
        tokio::time::sleep(Duration::from_millis(spread)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_writers_of_one_wallet_lose_nothing() {
    let table = table().await;
    let tasks: Vec<_> = (1..=WRITERS)
        .map(|writer| {
            let store = table.store.clone();
            tokio::spawn(async move { post_until_written(&store, writer).await })
        })
        .collect();
    let mut refused = 0;
    for task in tasks {
        refused += task.await.unwrap();
    }
    eprintln!("{refused} posts were refused and made again");

    let wallet = wallet(&table.store).await;
    let statement = table.store.wallets().statement(&id(1), wallet.kind, wallet.currency).await.unwrap();
    assert_eq!(wallet.buckets.available, i64::from(WRITERS * (WRITERS + 1) / 2));
    assert_eq!(wallet.seq, u64::from(WRITERS));
    assert!(statement.iter().map(|entry| entry.seq).eq(1..=u64::from(WRITERS)), "a gap");
    verify_statement(&wallet, &statement).unwrap();
}

/// Every writer has read the same version: exactly one of them succeeds.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_posts_from_one_version_exactly_one_is_written() {
    let table = table().await;
    let (first, entry) = give(empty_wallet(1), 1, 0);
    table.store.commit(&table.store.wallets().post(&first, &entry, ()).unwrap()).await.unwrap();
    let tasks: Vec<_> = (1..=20)
        .map(|writer| {
            let (store, wallet) = (table.store.clone(), first.clone());
            tokio::spawn(async move {
                let (after, entry) = give(wallet, 10, writer);
                store.commit(&store.wallets().post(&after, &entry, ()).unwrap()).await.is_ok()
            })
        })
        .collect();
    let mut written = 0;
    for task in tasks {
        written += u32::from(task.await.unwrap());
    }
    assert_eq!((written, wallet(&table.store).await.buckets.available), (1, 11));
}
