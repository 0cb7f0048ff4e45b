//! Intents in each of their states.

use guerdon_domain::{
    intents::{Action, ActionKind, Intent},
    members::PseudonymKey,
    money::{Currency, Money},
    withdrawals::{Destination, PayoutMethod},
};
use guerdon_store::table::Guarded;

use crate::{check, check_within_a_unit, support::*};

fn key() -> PseudonymKey {
    PseudonymKey::try_new(vec![7; 32]).unwrap()
}

/// An intent that withdraws as much as [`withdrawal`] does.
fn to_withdraw() -> Intent {
    let own = Intent::id_for(&key(), &id(1), ActionKind::Withdraw, "message-4211");
    let destination = Destination::parse(PayoutMethod::Upi, "aleksandra.wisniewska@okhdfcbank").unwrap();
    let destination = destination.seal(&key(), &own, [9; 24]).unwrap();
    let amount = Money::new(1_250_000, Currency::INR);
    Intent::open(own, id(1), Action::Withdraw { amount, destination }, NOW)
}

#[tokio::test]
async fn an_intent_that_is_opened_used_and_cancelled() {
    let table = table().await;
    let (store, opened) = (&table.store, to_withdraw());
    assert_eq!(store.intents().open(&opened).await.unwrap(), Guarded::Written);
    check_within_a_unit(&table, "intent", "intent_open").await;
    let used = opened.clone().use_up(NOW.plus_seconds(30)).unwrap();
    store.commit(&[store.intents().replace(&opened, &used, ()).unwrap()]).await.unwrap();
    check_within_a_unit(&table, "intent", "intent_used").await;
    store.commit(&[store.intents().replace(&opened, &used, ()).unwrap()]).await.unwrap_err();
    let cancelled = opened.clone().cancel(NOW.plus_seconds(30)).unwrap();
    assert_eq!(store.intents().step(&opened, &cancelled).await.unwrap(), Guarded::Moved, "it was used");
}

#[tokio::test]
async fn an_intent_to_claim_that_is_cancelled() {
    let table = table().await;
    let store = &table.store;
    let own = Intent::id_for(&key(), &id(1), ActionKind::Claim, "tap-4382900190423040001");
    let amounts = vec![Money::new(60, Currency::DAY), usd(1000)];
    let opened = Intent::open(own, id(1), Action::Claim { amounts }, NOW);
    assert_eq!(store.intents().open(&opened).await.unwrap(), Guarded::Written);
    let cancelled = opened.clone().cancel(NOW.plus_seconds(30)).unwrap();
    assert_eq!(store.intents().step(&opened, &cancelled).await.unwrap(), Guarded::Written);
    check(&table, "intent", "intent_cancelled").await;
}

#[tokio::test]
async fn pattern_48_a_member_has_one_intent_of_a_kind_and_the_latest_stays() {
    let table = table().await;
    let (store, first) = (&table.store, to_withdraw());
    let second =
        Intent { id: Intent::id_for(&key(), &id(1), ActionKind::Withdraw, "message-4212"), ..first.clone() };
    let found = async || store.intents().find(&id(1), ActionKind::Withdraw).await.unwrap();
    assert_eq!(found().await, None);
    assert_eq!(store.intents().open(&first).await.unwrap(), Guarded::Written);
    let used = first.clone().use_up(NOW).unwrap();
    assert_eq!(store.intents().step(&first, &used).await.unwrap(), Guarded::Written);
    assert_eq!(store.intents().open(&first).await.unwrap(), Guarded::Moved, "a used one is not opened again");
    assert_eq!(found().await, Some(used));
    assert_eq!(store.intents().open(&second).await.unwrap(), Guarded::Written);
    assert_eq!(found().await, Some(second.clone()));
    assert_eq!(store.intents().step(&first, &first).await.unwrap(), Guarded::Moved, "its place is taken");
    for other in [(id(2), ActionKind::Withdraw), (id(1), ActionKind::Claim)] {
        assert_eq!(store.intents().find(&other.0, other.1).await.unwrap(), None);
    }
}
