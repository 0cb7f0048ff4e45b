//! The statistics' access patterns of the table in `lib.rs`, by their numbers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use guerdon_domain::{
    ids::MemberId,
    statistics::{Counter, Counters},
};
use guerdon_store::{
    statistics::{Contribution, Projection},
    table::{SHARDS, Store},
};
use support::*;

async fn project(store: &Store, target: Projection, counter: Counter, add: i64) {
    let adds = [(counter, add)].into_iter().collect();
    let batch = [Contribution { sequence: "1".to_owned(), adds }];
    store.statistics().project(&target, "shard", &batch, NOW).await.unwrap();
}

#[tokio::test]
async fn pattern_15_counters_and_days_are_read_by_name() {
    let table = table().await;
    let store = &table.store;
    project(store, Projection::Totals, Counter::Members, 3).await;
    project(store, Projection::Member(id(1)), Counter::Converted, 2).await;
    for (day, count) in [("2026-11-19", 1), ("2026-11-21", 2), ("2026-11-30", 3), ("2026-12-01", 4)] {
        project(store, Projection::Day(day.to_owned()), Counter::Payments, count).await;
    }
    let named = |name: &str, count| [(name.to_owned(), count)].into_iter().collect::<Counters>();
    assert_eq!(store.statistics().counters(&Projection::Totals).await.unwrap(), named("members", 3));
    assert_eq!(store.statistics().counters(&Projection::Member(id(1))).await.unwrap(), named("converted", 2));
    assert!(store.statistics().counters(&Projection::Member(id(2))).await.unwrap().is_empty());
    let days = store.statistics().daily("2026-11-20", "2026-11-30").await.unwrap();
    let expected = [("2026-11-21", 2), ("2026-11-30", 3)];
    assert_eq!(days, expected.map(|(day, count)| (day.to_owned(), named("payments", count))));
}

#[tokio::test]
async fn pattern_16_a_ranking_shows_the_best_first() {
    let table = table().await;
    let store = &table.store;
    for (n, score) in [(1, 2), (2, 10), (3, 9), (4, 100)] {
        project(store, Projection::Rank(id(n), "all".to_owned()), Counter::Score, score).await;
    }
    project(store, Projection::Rank(id(5), "month-2026-11".to_owned()), Counter::Score, 500).await;
    let ranked = |places: Vec<guerdon_store::statistics::Ranked>| {
        places.into_iter().map(|place| (place.member, place.score)).collect::<Vec<_>>()
    };
    let best = [(id(4), 100), (id(2), 10), (id(3), 9), (id(1), 2)];
    assert_eq!(ranked(store.statistics().ranking("all", 10).await.unwrap()), best);
    assert_eq!(ranked(store.statistics().ranking("all", 2).await.unwrap()), best[..2]);
    assert!(store.statistics().ranking("month-2026-12", 10).await.unwrap().is_empty());
    assert_eq!(store.statistics().score(&id(3), "all").await.unwrap(), Some(9));
    assert_eq!(store.statistics().score(&id(5), "all").await.unwrap(), None);
}

#[tokio::test]
async fn pattern_16_a_new_score_moves_the_member() {
    let table = table().await;
    let store = &table.store;
    for (n, score) in [(1, 2), (2, 3)] {
        project(store, Projection::Rank(id(n), "all".to_owned()), Counter::Score, score).await;
    }
    let adds = [(Counter::Score, 5)].into_iter().collect();
    let more = [Contribution { sequence: "2".to_owned(), adds }];
    store
        .statistics()
        .project(&Projection::Rank(id(1), "all".to_owned()), "shard", &more, NOW)
        .await
        .unwrap();
    let places = store.statistics().ranking("all", 10).await.unwrap();
    assert_eq!(places.iter().map(|place| place.score).collect::<Vec<_>>(), [7, 3]);
    assert_eq!(places[0].member, id(1));
}

#[tokio::test]
async fn pattern_16_who_has_no_score_left_has_no_place() {
    let table = table().await;
    let store = &table.store;
    for (n, score) in [(1, 2), (2, 0), (3, 1)] {
        project(store, Projection::Rank(id(n), "all".to_owned()), Counter::Score, score).await;
    }
    let places = store.statistics().ranking("all", 10).await.unwrap();
    assert_eq!(places.iter().map(|place| place.score).collect::<Vec<_>>(), [2, 1]);
    let rest = store.statistics().ranking_after("all", places.first(), 10).await.unwrap();
    assert_eq!(rest, places[1..]);
    let none = guerdon_store::statistics::Ranked { member: id(2), score: 0 };
    assert!(store.statistics().ranking_after("all", Some(&none), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn pattern_17_every_referrer_is_listed_once() {
    let table = table().await;
    let store = &table.store;
    for n in 0..30 {
        project(store, Projection::Member(id(n)), Counter::Recruits, 1).await;
        // A score is not a referrer's counters.
        project(store, Projection::Rank(id(100 + n), "all".to_owned()), Counter::Score, 1).await;
    }
    let mut all = Vec::new();
    for shard in 0..SHARDS {
        let mut of_shard: Vec<MemberId> = Vec::new();
        loop {
            let page = store.statistics().referrers(shard, of_shard.last(), 4).await.unwrap();
            if page.is_empty() {
                break;
            }
            of_shard.extend(page);
        }
        assert!(of_shard.is_sorted());
        all.extend(of_shard);
    }
    all.sort();
    assert_eq!(all, (0..30).map(id).collect::<Vec<_>>());
}
