//! The write units of the use cases, against the budgets of the design. They are counted in tenths.

use guerdon_app::bill_credit::{InvoiceFacts, reconcile_invoice};
use guerdon_domain::ids::InvoiceId;
use guerdon_store::table::Cost;

use crate::support::*;

fn within(name: &str, cost: Cost, units: u64, transactions: u64) {
    println!("{name}: {}.{} write units, {cost:?}", cost.write_tenths / 10, cost.write_tenths % 10);
    assert!(cost.write_tenths <= units * 10, "{name}: {cost:?}");
    assert_eq!(cost.transactions, transactions, "{name}");
}

#[tokio::test]
async fn a_first_start_with_a_code_is_one_transaction_of_five_units() {
    let b = bitten().await;
    b.join(1).await;
    let code = b.code(1).await;
    b.meter.reset();
    b.start(2, Some(&code)).await;
    within("first /start with a code", b.cost("start_member"), 5, 1);
}

#[tokio::test]
async fn a_payment_that_converts_is_one_transaction_of_eight_units() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.meter.reset();
    b.pay(2, "in_2").await;
    within("payment that converts", b.cost("record_payment"), 8, 1);
    b.meter.reset();
    b.pay(2, "in_2").await;
    within("payment, delivered again", b.cost("record_payment"), 0, 0);
    b.pay(2, "in_3").await;
    within("payment that earns nothing", b.cost("record_payment"), 2, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn releasing_97_together_is_one_transaction_of_three_units_each() {
    let b = bitten().await;
    b.recruit_paying(97).await;
    b.meter.reset();
    assert_eq!(b.settle(1).await, 97);
    let cost = b.cost("settle_wallet");
    println!("release, per commission: {} hundredths of a unit, {cost:?}", cost.write_tenths * 10 / 97);
    // 3.1 units each.
    assert!(cost.write_tenths <= 31 * 97, "{cost:?}");
    assert_eq!(cost.transactions, 1);
}

#[tokio::test]
async fn claiming_bill_credit_is_one_transaction_of_six_units() {
    let b = bitten().await;
    b.recruit_paying(1).await;
    b.link(1, "cus_1").await;
    b.settle(1).await;
    b.meter.reset();
    // The call never arrives: what was written is the claim alone.
    b.stripe.expect([Trouble::LostBefore]);
    b.post(1).await.unwrap_err();
    within("claim of bill credit", b.cost("post_bill_credit"), 6, 1);
    b.meter.reset();
    b.post(1).await.unwrap();
    within("bill credit posted", b.cost("post_bill_credit"), 1, 0);
    b.meter.reset();
    let facts = InvoiceFacts {
        invoice: InvoiceId::parse("in_9").unwrap(),
        customer: None,
        applied: usd(1000),
        voided: false,
    };
    reconcile_invoice(&b.app, &b.id(1), &facts).await.unwrap();
    within("bill credit on an invoice", b.cost("reconcile_invoice"), 6, 1);
}
