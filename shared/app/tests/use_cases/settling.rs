//! Release: batches, races, holds, debts, and the sweep with its markers.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use guerdon_app::{
    commissions::{Swept, sweep_releases},
    wallets::credits_view,
};
use guerdon_domain::{
    commissions::CommissionState,
    ids::{AdjustmentId, MemberId},
    wallets::{Buckets, Deltas, Entry, EntryKind, House, Wallet, WalletKind},
};

use guerdon_store::commissions::ReleaseDue;

use crate::support::*;

/// Member `user` owes `minor`: what a clawback will leave behind.
async fn owe(b: &Business, user: i64, minor: i64) {
    let wallet = Wallet::empty(b.id(user), WalletKind::BillCredit, b.app.preset.currency);
    let after = Buckets { owed: minor, ..Buckets::default() };
    let adjustment = AdjustmentId::parse("debt").unwrap();
    let mut entry = Entry {
        member: wallet.member.clone(),
        wallet: wallet.kind,
        currency: wallet.currency,
        seq: 1,
        at: NOW,
        kind: EntryKind::Adjusted { adjustment },
        delta: Deltas { owed: minor, ..Deltas::default() },
        house: Some((House::ManualAdjustment, minor)),
        after,
        prev_hash: String::new(),
        hash: String::new(),
        correlation_id: None,
    };
    entry.hash = entry.compute_hash();
    let wallet = Wallet { buckets: after, seq: 1, head: entry.hash.clone(), ..wallet };
    let writes = b.calm().wallets().post(&wallet, &entry, ()).unwrap();
    b.calm().commit(&writes).await.unwrap();
}

async fn markers(b: &Business) -> usize {
    b.dump().await.keys().filter(|key| key.starts_with("R#") && key.contains(" DUE#")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_and_fifty_commissions_are_released_by_three_transactions() {
    let b = bitten().await;
    b.recruit_paying(250).await;
    b.meter.reset();
    assert_eq!(b.settle(1).await, 250);
    assert_eq!(b.cost("settle_wallet").transactions, 3);
    let wallet = b.wallet(1).await;
    assert_eq!((wallet.buckets.available, wallet.seq), (250_000, 3));
    let released = b.commissions(1).await;
    let in_entry = |seq: u64| {
        let of = |state: &CommissionState| matches!(state, CommissionState::Released { entry_seq, .. } if *entry_seq == seq);
        released.iter().filter(|c| of(&c.state)).count()
    };
    assert_eq!([in_entry(1), in_entry(2), in_entry(3)], [97, 97, 56]);
    b.meter.reset();
    assert_eq!((b.settle(1).await, b.cost("settle_wallet").transactions), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn concurrent_settles_release_each_commission_once() {
    let b = Arc::new(bitten().await);
    b.recruit_paying(120).await;
    b.race(6);
    let released = at_once(6, |_| {
        let b = b.clone();
        async move { b.settle(1).await }
    })
    .await;
    assert_eq!(released.iter().sum::<u32>(), 120, "{released:?}");
    assert_eq!((b.buckets(1).await, b.wallet(1).await.seq), ((120_000, 0, 0), 2));
}

#[tokio::test]
async fn a_debt_is_paid_back_first() {
    let b = bitten().await;
    b.recruit_paying(1).await;
    owe(&b, 1, 1700).await;
    assert_eq!((b.settle(1).await, b.buckets(1).await), (1, (0, 0, 700)));
    b.refer(1, 2).await;
    b.pay(2, "in_2").await;
    assert_eq!((b.settle(1).await, b.buckets(1).await), (1, (300, 0, 0)));
}

#[tokio::test]
async fn nothing_is_released_before_its_hold_is_over() {
    let b = bitten_with_hold(DAY).await;
    b.recruit_paying(1).await;
    b.advance(DAY - 1);
    assert_eq!((b.settle(1).await, b.buckets(1).await), (0, (0, 0, 0)));
    b.advance(1);
    assert_eq!((b.settle(1).await, b.buckets(1).await), (1, (1000, 0, 0)));
}

#[tokio::test]
async fn reading_the_balance_releases_what_is_due() {
    let b = bitten_with_hold(DAY).await;
    b.recruit_paying(2).await;
    b.pump().await;
    let member = b.calm().members().find(&b.id(1)).await.unwrap().unwrap();
    let view = credits_view(&b.app, &member, None, 5).await.unwrap();
    assert_eq!((view.wallet.available(), view.on_hold, view.entries.len()), (usd(0), usd(2000), 0));
    b.advance(DAY);
    let view = credits_view(&b.app, &member, None, 5).await.unwrap();
    assert_eq!((view.wallet.available(), view.entries.len(), view.next_before), (usd(2000), 1, None));
    b.pump().await;
    let view = credits_view(&b.app, &member, None, 5).await.unwrap();
    assert_eq!((view.wallet.available(), view.on_hold), (usd(2000), usd(0)));
}

#[tokio::test]
async fn the_sweep_releases_an_hour_after_its_end_and_takes_the_marker_away() {
    let b = bitten_with_hold(DAY).await;
    b.recruit_paying(3).await;
    b.pump().await;
    assert_eq!(markers(&b).await, 1);
    // Due at 09:30 tomorrow: the hour ends at 10:00, and ten minutes later the sweep may look.
    b.advance(DAY + 40 * 60 - 1);
    assert_eq!(sweep_releases(&b.app).await.unwrap(), Swept::default());
    b.advance(1);
    let swept = Swept { members: 1, released: 3, left: 0 };
    assert_eq!(sweep_releases(&b.app).await.unwrap(), swept);
    assert_eq!((markers(&b).await, b.buckets(1).await), (0, (3000, 0, 0)));
    assert_eq!(sweep_releases(&b.app).await.unwrap(), Swept::default());
}

#[tokio::test]
async fn a_marker_made_late_or_twice_is_swept_all_the_same() {
    let b = bitten().await;
    b.recruit_paying(1).await;
    b.advance(5 * HOUR);
    let changes = b.read_changes(1000);
    for _ in 0..2 {
        guerdon_app::statistics::project(&b.app, "shard-1", &changes).await.unwrap();
        sweep_releases(&b.app).await.unwrap();
        assert_eq!((markers(&b).await, b.buckets(1).await), (0, (1000, 0, 0)));
    }
}

#[tokio::test]
async fn referrers_who_cannot_be_settled_do_not_hide_the_others_from_the_sweep() {
    let b = bitten().await;
    // The first 20 have something due and an unreadable wallet.
    for referrer in 1..=20 {
        b.join(referrer).await;
        b.refer(referrer, 1000 + referrer).await;
        b.pay(1000 + referrer, &format!("in_{referrer}")).await;
        let (pk, nonsense) = (format!("M#{}", b.id(referrer)), AttributeValue::S("?".to_owned()));
        b.tamper(pk, "WALLET#bill_credit#USD".to_owned(), "buckets", nonsense).await;
    }
    for referrer in 1..=260 {
        let booked = NOW.plus_seconds(if referrer <= 20 { 0 } else { HOUR });
        b.calm().commissions().mark_due(&ReleaseDue::of(b.id(referrer), booked, booked)).await.unwrap();
    }
    b.advance(3 * HOUR);
    let swept = sweep_releases(&b.app).await.unwrap();
    assert_eq!(swept, Swept { members: 260, released: 0, left: 20 });
    assert_eq!(markers(&b).await, 20);
}

#[tokio::test]
async fn two_sweeps_at_once_release_once() {
    let b = bitten().await;
    b.recruit_paying(5).await;
    b.pump().await;
    b.advance(2 * HOUR);
    let (one, two) = tokio::join!(sweep_releases(&b.app), sweep_releases(&b.app));
    assert_eq!(one.unwrap().released + two.unwrap().released, 5);
    assert_eq!((markers(&b).await, b.buckets(1).await), (0, (5000, 0, 0)));
}

#[tokio::test]
async fn settling_a_stranger_does_nothing() {
    let b = bitten().await;
    let stranger = MemberId::parse("nobody").unwrap();
    let settled = guerdon_app::commissions::settle_wallet(&b.app, &stranger).await.unwrap();
    assert_eq!((settled.released, settled.unfinished), (0, false));
    assert!(b.dump().await.is_empty());
}
