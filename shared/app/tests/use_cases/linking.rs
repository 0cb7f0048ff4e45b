//! Links between customers and members, and the events that wait for a link.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use guerdon_app::{
    error::AppError,
    payments::{Linked, Parked, park_for_handler, park_until_known, replay_parked},
};
use guerdon_domain::ids::CustomerId;
use guerdon_store::payments::{ParkedEvent, WaitsFor};

use crate::support::*;

fn cus(id: &str) -> CustomerId {
    CustomerId::parse(id).unwrap()
}

fn for_customer() -> WaitsFor {
    WaitsFor::Customer { customer: cus("cus_1") }
}

fn event(id: &str, created: i64) -> ParkedEvent {
    ParkedEvent {
        event_id: id.to_owned(),
        waits_for: for_customer(),
        event_kind: "invoice.paid".to_owned(),
        created: NOW.plus_seconds(created),
        parked_at: NOW,
        body: format!("body of {id}"),
        replay_requested_at: None,
        replays: 0,
    }
}

#[tokio::test]
async fn the_first_link_of_a_customer_is_for_ever() {
    let b = bitten().await;
    assert_eq!(b.link(1, "cus_1").await, Linked::Applied(b.id(1)));
    assert_eq!(b.link(1, "cus_1").await, Linked::AlreadyApplied(b.id(1)));
    assert_eq!(b.link(2, "cus_1").await, Linked::Refused { owner: b.id(1) });
    assert!(b.calm().members().find(&b.id(2)).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_customer_claimed_by_several_at_once_has_one_owner() {
    let b = Arc::new(bitten().await);
    b.race(4);
    let linked = at_once(4, |i| {
        let b = b.clone();
        async move { b.link(1 + i as i64, "cus_1").await }
    })
    .await;
    assert_eq!(linked.iter().filter(|l| matches!(l, Linked::Applied(_))).count(), 1, "{linked:?}");
    assert!(linked.iter().all(|l| l.member() == linked[0].member()));
}

#[tokio::test]
async fn parked_events_are_replayed_oldest_first_and_once() {
    let b = bitten().await;
    for event in [event("evt_2", 20), event("evt_1", 10), event("evt_1", 10)] {
        let parked = park_until_known(&b.app, &event).await.unwrap();
        assert_eq!(parked, Parked::Waiting);
    }
    b.link(1, "cus_1").await;
    let late = park_until_known(&b.app, &event("evt_3", 30)).await.unwrap();
    assert_eq!(late, Parked::KnownNow);
    let bodies = RefCell::new(Vec::new());
    let replay = |event: ParkedEvent| {
        bodies.borrow_mut().push(event.body);
        async { Ok(()) }
    };
    assert_eq!(replay_parked(&b.app, &for_customer(), replay).await.unwrap(), 2);
    assert_eq!(replay_parked(&b.app, &for_customer(), replay).await.unwrap(), 0);
    assert_eq!(*bodies.borrow(), ["body of evt_1", "body of evt_2"]);
}

#[tokio::test]
async fn a_replay_that_is_cut_off_goes_on_where_it_stopped() {
    let b = bitten().await;
    for event in [event("evt_1", 10), event("evt_2", 20)] {
        park_until_known(&b.app, &event).await.unwrap();
    }
    let calls = AtomicU32::new(0);
    let second_fails = |_| {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        async move { if call == 1 { Err(AppError::Conflict) } else { Ok(()) } }
    };
    assert!(replay_parked(&b.app, &for_customer(), second_fails).await.is_err());
    assert_eq!(replay_parked(&b.app, &for_customer(), second_fails).await.unwrap(), 1);
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn an_event_without_a_rule_is_kept_once() {
    let b = bitten().await;
    let kept =
        ParkedEvent { waits_for: WaitsFor::Handler { kind: "refund".to_owned() }, ..event("evt_1", 0) };
    park_for_handler(&b.app, &kept).await.unwrap();
    park_for_handler(&b.app, &kept).await.unwrap();
    assert_eq!(b.calm().parked().list(None, 10).await.unwrap(), [kept]);
}
