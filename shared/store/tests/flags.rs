//! Flags, their effect on a member, and sightings: patterns 34 and 40 to 43.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use guerdon_domain::{
    fraud::{FraudFlag, FraudVerdict},
    members::Member,
};
use guerdon_store::{fraud::Force, table::Store};
use support::*;

async fn raise(store: &Store, flag: &FraudFlag) {
    let mut writes = vec![store.flags().insert(flag, "exists").unwrap()];
    writes.extend(store.flags().enforce(&flag.subject, &Force::of(flag), "unknown").unwrap());
    store.commit(&writes).await.unwrap();
}

fn resolved(flag: &FraudFlag, verdict: FraudVerdict) -> FraudFlag {
    flag.clone().resolve(verdict, "olga".into(), "seen".to_owned(), NOW).unwrap()
}

async fn members(table: &Table, last: u32) {
    write(&table.store, (1..=last).map(|n| table.store.members().insert(&member(n, None), ())).collect())
        .await;
}

/// Reads the open flags to the last page.
async fn open_flags(store: &Store, limit: i32) -> Vec<FraudFlag> {
    let page = async |last: Option<&FraudFlag>| {
        let before = last.map(|last| (last.raised_at, &last.id));
        store.flags().in_state("open", before, limit).await.unwrap()
    };
    read_to_the_end(usize::try_from(limit).unwrap(), page).await
}

#[tokio::test]
async fn pattern_42_flags_of_all_shards_are_paged_the_latest_first() {
    let table = table().await;
    let store = &table.store;
    members(&table, 12).await;
    let mut flags = Vec::new();
    for n in 1..=12 {
        // Two of the same instant, too.
        let flag = flag(n, "device", NOW.plus_seconds(i64::from(n / 2)));
        raise(store, &flag).await;
        flags.push(flag);
    }
    flags.sort_by_key(|flag| std::cmp::Reverse((flag.raised_at, flag.id.clone())));
    for limit in [1, 5, 12, 100] {
        assert_eq!(open_flags(store, limit).await, flags, "{limit}");
    }
    let after = resolved(&flags[3], FraudVerdict::Dismissed);
    store.commit(&[store.flags().replace(&flags[3], &after, "moved").unwrap()]).await.unwrap();
    assert_eq!(store.flags().in_state("open", None, 100).await.unwrap().len(), 11);
    assert_eq!(store.flags().in_state("resolved", None, 100).await.unwrap(), [after]);
}

#[tokio::test]
async fn pattern_41_a_members_flags_are_theirs_alone() {
    let table = table().await;
    let store = &table.store;
    members(&table, 2).await;
    let mut mine: Vec<_> = ["device", "destination", "payment"].map(|kind| flag(1, kind, NOW)).into();
    for flag in mine.iter().chain([&flag(2, "device", NOW)]) {
        raise(store, flag).await;
    }
    mine.sort_by_key(|flag| flag.id.clone());
    assert_eq!(store.flags().of(&id(1), None, 100).await.unwrap(), mine);
    assert_eq!(store.flags().of(&id(1), Some(&mine[0].id), 1).await.unwrap(), mine[1..2]);
    let ids: Vec<_> = mine.iter().map(|flag| flag.id.clone()).collect();
    assert_eq!(store.flags().find_all(&id(1), &ids).await.unwrap(), mine);
    assert_eq!(store.flags().find_all(&id(2), &ids[..0]).await.unwrap(), []);
    assert_eq!(store.flags().find(&id(2), &ids[0]).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_in_force_stands_on_the_member_and_leaves_nothing_behind() {
    let table = table().await;
    let store = &table.store;
    members(&table, 1).await;
    let (one, two) = (flag(1, "device", NOW), flag(1, "payment", NOW));
    for flag in [&one, &two] {
        check_written_once(&table, store.flags().insert(flag, "exists").unwrap(), "exists").await;
        let force = store.flags().enforce(&id(1), &Force::of(flag), "unknown").unwrap().unwrap();
        store.commit(&[force.clone(), store.flags().not_on_hold(&id(9), "held").unwrap()]).await.unwrap();
        check_refused_whole(&table, store.flags().not_on_hold(&id(1), "held").unwrap(), "held").await;
    }
    let now = async || store.members().find(&id(1)).await.unwrap().unwrap();
    assert_eq!(now().await.holds, [one.id.clone(), two.id.clone()].into());
    let reject = Force { rejects: vec![one.id.clone()], ..Force::default() };
    store.commit(&[store.flags().enforce(&id(1), &reject, "unknown").unwrap().unwrap()]).await.unwrap();
    assert!(now().await.is_barred() && now().await.holds.contains(&one.id), "what it held stays held");
    store.commit(&[store.members().bar(&id(1), true, "unknown").unwrap()]).await.unwrap();
    let lifted = Force { lifted: vec![one.id, two.id], unbarred: true, ..Force::default() };
    for _ in 0..2 {
        store.commit(&[store.flags().enforce(&id(1), &lifted, "unknown").unwrap().unwrap()]).await.unwrap();
        assert_eq!(now().await, Member { barred: false, ..member(1, None) });
    }
    store.commit(&[store.flags().not_on_hold(&id(1), "held").unwrap()]).await.unwrap();
    assert!(store.flags().enforce(&id(1), &Force::default(), "unknown").unwrap().is_none());
    let unknown = store.flags().enforce(&id(7), &lifted, "unknown").unwrap().unwrap();
    check_refused_whole(&table, unknown, "unknown").await;
}

#[tokio::test]
async fn a_flag_that_rejects_holds_as_well() {
    let table = table().await;
    let store = &table.store;
    members(&table, 1).await;
    let flag = flag(1, "device", NOW);
    let reject = Force { rejects: vec![flag.id.clone()], ..Force::default() };
    store.commit(&[store.flags().enforce(&id(1), &reject, "unknown").unwrap().unwrap()]).await.unwrap();
    let member = store.members().find(&id(1)).await.unwrap().unwrap();
    assert!(member.is_barred() && member.is_on_hold() && member.holds.is_empty());
    check_refused_whole(&table, store.flags().not_on_hold(&id(1), "held").unwrap(), "held").await;
    let lifted = Force { lifted: vec![flag.id], ..Force::default() };
    store.commit(&[store.flags().enforce(&id(1), &lifted, "unknown").unwrap().unwrap()]).await.unwrap();
    store.commit(&[store.flags().not_on_hold(&id(1), "held").unwrap()]).await.unwrap();
}

#[tokio::test]
async fn a_flag_moves_only_from_where_it_was_read() {
    let table = table().await;
    let store = &table.store;
    let open = flag(1, "device", NOW);
    let (confirmed, dismissed) =
        (resolved(&open, FraudVerdict::Confirmed), resolved(&open, FraudVerdict::Dismissed));
    let step = |before, after| store.flags().replace(before, after, "moved").unwrap();
    check_refused_whole(&table, step(&open, &confirmed), "moved").await;
    store.commit(&[store.flags().insert(&open, "exists").unwrap()]).await.unwrap();
    check_written_once(&table, step(&open, &confirmed), "moved").await;
    check_refused_whole(&table, step(&open, &dismissed), "moved").await;
    let later = confirmed.clone().lift("ben".into(), "all is well".to_owned(), NOW.plus_seconds(5));
    check_written_once(&table, step(&confirmed, &later), "moved").await;
    assert_eq!(store.flags().find(&id(1), &open.id).await.unwrap(), Some(later));
}

#[tokio::test]
async fn pattern_40_who_was_seen_with_what_is_found_from_both_sides() {
    let table = table().await;
    let store = &table.store;
    for (n, kind) in [(1, "device"), (1, "ip"), (2, "device"), (3, "ip")] {
        store.sightings().put(&print(kind), &id(n), NOW).await.unwrap();
    }
    assert_eq!(store.sightings().of(&id(1), 10).await.unwrap(), ["device", "ip"].map(print));
    assert_eq!(store.sightings().of(&id(1), 1).await.unwrap().len(), 1);
    assert_eq!(store.sightings().of(&id(9), 10).await.unwrap(), []);
    let among = store.sightings().among(&print("device"), &[id(2), id(3)]).await.unwrap();
    assert_eq!(among.into_iter().map(|seen| seen.member).collect::<Vec<_>>(), [id(2)]);
    assert_eq!(store.sightings().among(&print("device"), &[]).await.unwrap(), []);
    assert_eq!(store.sightings().with(&print("device"), 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn pattern_43_referrals_since_are_counted_up_to_a_limit() {
    let table = table().await;
    let store = &table.store;
    for n in 2..=6 {
        let edge = guerdon_domain::referrals::Referral {
            joined_at: NOW.plus_seconds(i64::from(n)),
            ..referral(1, n)
        };
        store.commit(&[store.referrals().insert(&edge, ()).unwrap()]).await.unwrap();
    }
    let count = async |since: i64, most| {
        store.referrals().count_since(&id(1), NOW.plus_seconds(since), most).await.unwrap()
    };
    assert_eq!(
        [count(0, 100).await, count(4, 100).await, count(4, 2).await, count(7, 9).await, count(0, 0).await],
        [5, 3, 2, 0, 0]
    );
    assert_eq!(store.referrals().count_since(&id(2), NOW, 100).await.unwrap(), 0);
    let before = async |at: i64, most| {
        let found = store.referrals().made_before(&id(1), NOW.plus_seconds(at), most).await.unwrap();
        found.into_iter().map(|edge| edge.referee).collect::<Vec<_>>()
    };
    assert_eq!(before(4, 100).await, [id(3), id(2)], "the newest first, without that of the instant itself");
    assert_eq!((before(7, 2).await, before(2, 9).await), (vec![id(6), id(5)], vec![]));
}
