//! Records of visits and sales: clicks, orders, failed payments; and the lists that the projector maintains.

use guerdon_domain::{
    ids::{ClickId, OrderId, Rail},
    operators::Stamp,
    payments::{Order, OrderStep, PaymentMethod},
    referrals::{Attribution, Click, Code, Touch},
};
use guerdon_store::table::Effect;
use guerdon_store::{
    payments::FailedPayment,
    statistics::{Contribution, List, Listed, Projection},
};

use crate::{check, check_within_a_unit, support::*};

fn click() -> Click {
    Click {
        id: ClickId::parse("3f9a1c7be2d04856").unwrap(),
        code: Code::parse("KRTW7Q9M").unwrap(),
        owner: id(1),
        credited: Code::parse("KRTW7Q9M").unwrap(),
        attribution: Attribution::FirstTouch,
        first: None,
        at: NOW,
    }
}

#[tokio::test]
async fn a_first_click() {
    let table = table().await;
    table.store.clicks().put(&click()).await.unwrap();
    check(&table, "click", "click").await;
}

#[tokio::test]
async fn a_click_after_another() {
    let table = table().await;
    let first = Touch {
        code: Code::parse("AAAAAAAA").unwrap(),
        click: ClickId::parse("a1c0c6a8f7f4a107").unwrap(),
        at: NOW.plus_days(-3),
    };
    let (credited, attribution) = (first.code.clone(), Attribution::KeptFirstTouch);
    let later = Click { credited, attribution, first: Some(first), ..click() };
    table.store.clicks().put(&later).await.unwrap();
    check(&table, "click", "click_after_another").await;
    assert_eq!(table.store.clicks().find(&later.id).await.unwrap(), Some(later));
}

fn order() -> Order {
    Order {
        id: OrderId::parse("ord_7d1c3f0a55c14d439a1c0c6a").unwrap(),
        member: id(2),
        product: "commander".into(),
        price: usd(4797),
        method: PaymentMethod::Upi,
        transaction: None,
        payer: None,
        created_by: "0b7e4f9a2c5d1e3f".into(),
        created_at: NOW,
        step: OrderStep::Pending,
    }
}

#[tokio::test]
async fn an_order_of_which_only_the_price_is_known() {
    let table = table().await;
    assert_eq!(table.store.orders().insert(&order()).await.unwrap(), Effect::Applied);
    check_within_a_unit(&table, "order", "order_pending").await;
}

#[tokio::test]
async fn an_order_that_says_who_pays() {
    let table = table().await;
    let transaction = Some("UTR 432909118734".to_owned());
    let pending = Order { transaction, payer: Some(print("payment")), ..order() };
    assert_eq!(table.store.orders().insert(&pending).await.unwrap(), Effect::Applied);
    check_within_a_unit(&table, "order", "order_pending_with_payer").await;
    let by = Stamp { by: "0b7e4f9a2c5d1e3f".into(), at: NOW.plus_seconds(90) };
    let paid = pending.pay(invoice(7), by);
    table.store.commit(&[table.store.orders().replace(&paid, ()).unwrap()]).await.unwrap();
    check_within_a_unit(&table, "order", "order_paid").await;
    assert_eq!(table.store.orders().find(&paid.id).await.unwrap(), Some(paid));
}

#[tokio::test]
async fn a_failed_payment() {
    let table = table().await;
    let event = "evt_1SRzqEKXBGcbgpbZdQ0vW8yX".to_owned();
    let failed = FailedPayment { rail: Rail::Stripe, event, at: NOW };
    assert_eq!(table.store.payments().insert_failed(&failed).await.unwrap(), Effect::Applied);
    check(&table, "failed_payment", "failed_payment").await;
}

#[tokio::test]
async fn lines_of_every_kind_of_list() {
    let lines = [
        (Listed::member(List::Members, NOW, &id(1)), "listed_member"),
        (Listed::member(List::Barred, NOW, &id(1)), "listed_barred"),
        (Listed::order(guerdon_domain::payments::OrderState::Paid, NOW, &order().id), "listed_order"),
        (Listed::withdrawal(&withdrawal(1, 12)), "listed_withdrawal"),
        (Listed::name("wiśniewska", &id(1)).unwrap(), "listed_name"),
    ];
    for (line, name) in lines {
        let table = table().await;
        table.store.lists().put(&line).await.unwrap();
        check(&table, "listed", name).await;
    }
}

#[tokio::test]
async fn what_a_member_paid() {
    let table = table().await;
    let adds = [("payments".to_owned(), 1), ("paid_USD".to_owned(), usd(4797).minor())].into_iter().collect();
    let paid = Contribution { sequence: "4421584500000000017450439091".to_owned(), adds };
    let shard = "shardId-00000001634567890123-abcdef01";
    table.store.statistics().project(&Projection::Payer(id(2)), shard, &[paid], NOW).await.unwrap();
    check(&table, "payer", "projected_payer").await;
}
