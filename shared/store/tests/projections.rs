//! Statistics are exact although the stream delivers at least once: batches repeated, regrouped,
//! overlapping, from many shards at a time.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::ops::RangeInclusive;

use guerdon_domain::{
    statistics::{Counter, Counters},
    time::Timestamp,
};
use guerdon_store::{
    statistics::{Contribution, Projection},
    table::Store,
};
use support::*;

/// Makes stream records with these numbers. Record `n` adds `10^n`, so the sum shows which were counted, and
/// how often.
fn records(numbers: RangeInclusive<u32>) -> Vec<Contribution> {
    numbers.map(|n| contribution(n, 10_i64.pow(n))).collect()
}

fn contribution(n: u32, add: i64) -> Contribution {
    Contribution { sequence: n.to_string(), adds: [("sum".to_owned(), add)].into_iter().collect() }
}

async fn project(store: &Store, shard: &str, batch: &[Contribution], now: Timestamp) {
    store.statistics().project(&Projection::Totals, shard, batch, now).await.unwrap();
}

async fn sum(store: &Store) -> i64 {
    store.statistics().counters(&Projection::Totals).await.unwrap().named("sum")
}

/// Reads the names of the guards in the totals.
async fn guards(table: &Table) -> Vec<String> {
    let item = table.only("totals").await;
    item.into_keys().filter(|name| name.starts_with("seen_")).collect()
}

#[tokio::test]
async fn a_repeated_batch_adds_nothing() {
    let table = table().await;
    for _ in 0..3 {
        project(&table.store, "a", &records(1..=5), NOW).await;
    }
    assert_eq!(sum(&table.store).await, 111_110);
}

#[tokio::test]
async fn an_overlapping_batch_adds_what_is_new_in_it() {
    let table = table().await;
    project(&table.store, "a", &records(1..=5), NOW).await;
    project(&table.store, "a", &records(3..=8), NOW).await;
    assert_eq!(sum(&table.store).await, 111_111_110);
    for part in [records(1..=3), records(8..=8), records(1..=8), vec![]] {
        project(&table.store, "a", &part, NOW).await;
    }
    assert_eq!(sum(&table.store).await, 111_111_110);
}

#[tokio::test]
async fn sequence_numbers_compare_as_numbers() {
    let table = table().await;
    let long = |n: u64| Contribution { sequence: n.to_string(), ..contribution(0, 1) };
    for n in [9, 10, 99, 100, 99_999_999_999_999_999, 100_000_000_000_000_000] {
        project(&table.store, "a", &[long(n)], NOW).await;
    }
    assert_eq!(sum(&table.store).await, 6);
}

#[tokio::test]
async fn shards_do_not_know_each_others_numbers() {
    let table = table().await;
    project(&table.store, "a", &records(1..=3), NOW).await;
    project(&table.store, "b", &records(1..=2), NOW).await;
    project(&table.store, "a", &records(1..=3), NOW).await;
    assert_eq!(sum(&table.store).await, 1_220);
    assert_eq!(guards(&table).await.len(), 2);
}

#[tokio::test]
async fn one_record_may_add_to_several_counters_at_once() {
    let table = table().await;
    let adds = |pairs: &[(&str, i64)]| -> Counters {
        pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect()
    };
    let twice = |pairs| Contribution { sequence: "1".to_owned(), adds: adds(pairs) };
    let batch = [twice(&[("converted", 1), ("pending", -1)]), twice(&[("converted", 2)])];
    project(&table.store, "a", &batch, NOW).await;
    project(&table.store, "a", &batch, NOW).await;
    let expected = adds(&[("converted", 3), ("pending", -1)]);
    assert_eq!(table.store.statistics().counters(&Projection::Totals).await.unwrap(), expected);
}

#[tokio::test]
async fn zero_adds_still_move_the_guard() {
    let table = table().await;
    project(&table.store, "a", &[contribution(5, 0)], NOW).await;
    assert!(table.store.statistics().counters(&Projection::Totals).await.unwrap().is_empty());
    // The earlier batch is late: it counts as seen, so it adds nothing.
    project(&table.store, "a", &records(1..=5), NOW).await;
    assert_eq!(sum(&table.store).await, 0);
    project(&table.store, "a", &records(6..=6), NOW).await;
    assert_eq!(sum(&table.store).await, 1_000_000);
}

#[tokio::test]
async fn a_score_is_counted_exactly_once_too() {
    let table = table().await;
    let rank = Projection::Rank(id(1), "all".to_owned());
    let adds = [(Counter::Score, 2)].into_iter().collect();
    let batch = [Contribution { sequence: "1".to_owned(), adds }];
    for _ in 0..2 {
        table.store.statistics().project(&rank, "a", &batch, NOW).await.unwrap();
    }
    assert_eq!(table.store.statistics().score(&id(1), "all").await.unwrap(), Some(2));
}

/// Counts record 1 of `count` shards.
async fn fill(store: &Store, count: u32, now: Timestamp) {
    for shard in 0..count {
        project(store, &format!("shard-{shard}"), &[contribution(1, 1)], now).await;
    }
}

#[tokio::test]
async fn guards_of_quiet_shards_go_once_there_are_many() {
    let table = table().await;
    fill(&table.store, 10, NOW).await;
    project(&table.store, "late", &[contribution(1, 1)], NOW.plus_days(4)).await;
    assert_eq!(guards(&table).await.len(), 11, "eleven are no crowd");
    project(&table.store, "later", &[contribution(1, 1)], NOW.plus_days(4)).await;
    assert_eq!(guards(&table).await.len(), 2, "those of the shards that still speak");
    assert_eq!(sum(&table.store).await, 12);
    project(&table.store, "late", &[contribution(1, 1)], NOW.plus_days(4)).await;
    assert_eq!(sum(&table.store).await, 12);
}

#[tokio::test]
async fn guards_younger_than_two_days_stay_however_many() {
    let table = table().await;
    fill(&table.store, 20, NOW).await;
    project(&table.store, "late", &[contribution(1, 1)], NOW.plus_days(2)).await;
    assert_eq!(guards(&table).await.len(), 21);
    fill(&table.store, 20, NOW.plus_days(2)).await;
    assert_eq!(sum(&table.store).await, 21);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn shards_that_write_at_the_same_time_sum_up() {
    let table = table().await;
    let tasks: Vec<_> = (0..40)
        .map(|shard| {
            let store = table.store.clone();
            tokio::spawn(async move {
                let shard = format!("shard-{shard}");
                project(&store, &shard, &records(1..=3), NOW).await;
                project(&store, &shard, &records(2..=5), NOW).await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(sum(&table.store).await, 40 * 111_110);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_shard_delivered_to_many_at_the_same_time_counts_once() {
    let table = table().await;
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let store = table.store.clone();
            tokio::spawn(async move {
                // Grouped differently each time, always from the beginning.
                for end in (1 + n % 3)..=6 {
                    project(&store, "a", &records(1..=end), NOW).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(sum(&table.store).await, 1_111_110);
}
