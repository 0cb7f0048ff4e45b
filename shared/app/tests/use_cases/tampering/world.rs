//! A small business in which every kind of money has moved in every way.

use guerdon_app::{
    bill_credit::{InvoiceFacts, note_billing, reconcile_invoice},
    commissions::{claim_reward, sweep_releases},
    fraud::{ByHand, block_member},
    once::{Call, MemberCall},
    payments::{OrderRequest, create_order, pay_order, record_payment},
    programs::{newest_program, set_program},
    wallets::{apply_credit, revoke_credit},
    withdrawals::{
        Outcome, approve_withdrawal, claim_withdrawal, finish_withdrawal, reject_withdrawal,
        request_withdrawal,
    },
};
use guerdon_domain::{
    bill_credit::BillingReport,
    fraud::FraudAction,
    ids::{CustomerId, ExternalPaymentId, InvoiceId},
    money::{Currency, Money},
    payments::{DisputeStage, PaymentFacts, PaymentLine, PaymentMethod, Purpose},
    programs::Amount,
    withdrawals::PayoutMethod,
};

use guerdon_store::commissions::CommissionCursor;

use crate::{
    reversing::{dispute, refunded},
    support::*,
};

/// Two levels, every kind of amount, caps, a budget, a claim, a foreign currency and withdrawals.
const PRESET: &str = include_str!("preset.toml");

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn request(key: &str, user: i64) -> MemberCall {
    let call = Call { principal: "ann".into(), key: key.to_owned(), input_hash: key.to_owned() };
    MemberCall { call, user_id: tid(user), reason: "a test".to_owned() }
}

/// The business, an hour and a day after the last change, with everything projected.
pub async fn business() -> Business {
    let b = Business::open(PRESET).await;
    b.join(9).await;
    b.refer(9, 1).await;
    for referee in 2..=8 {
        b.refer(1, referee).await;
    }
    b.link(1, "cus_a").await;
    pay_in_every_way(&b).await;
    b.advance(2 * DAY);
    b.pump().await;
    sweep_releases(&b.app).await.unwrap();
    use_bill_credit(&b).await;
    withdraw(&b).await;
    change_the_program(&b).await;
    reverse(&b).await;
    let by = ByHand {
        principal: &"ann".into(),
        user_id: tid(8),
        action: FraudAction::Reject,
        reason: "x",
        key: None,
    };
    block_member(&b.app, &by).await.unwrap();
    b.pump().await;
    b.advance(DAY);
    b
}

async fn pay_in_every_way(b: &Business) {
    b.pay(2, "in_2").await;
    let line = |product: &str, minor| PaymentLine::unit(product.into(), usd(minor));
    let lines = vec![line("fang", 3900), line("mug", 1000)];
    let mixed = PaymentFacts { paid: usd(5400), tax: usd(500), lines, ..b.invoice(2, "in_2b") };
    record_payment(&b.app, &mixed).await.unwrap();
    let foreign = PaymentFacts::purchase(stripe_key("in_3"), b.id(3), eur(5000), b.app.now());
    let foreign = PaymentFacts { presented: Some(Money::new(21_000, Currency::PLN)), ..foreign };
    record_payment(&b.app, &foreign).await.unwrap();
    let deposit = PaymentFacts { purpose: Purpose::Deposit, ..b.invoice(4, "dep_4") };
    record_payment(&b.app, &deposit).await.unwrap();
    b.pay(4, "in_4").await;
    b.pay(5, "in_5").await;
    b.pay(77, "in_77").await;
    let order = OrderRequest {
        member: b.id(6),
        product: None,
        price: None,
        method: PaymentMethod::Upi,
        transaction: Some(ExternalPaymentId::parse("utr1").unwrap()),
        payer: None,
        payout: None,
        key: None,
        service: "shop".into(),
    };
    let paid = create_order(&b.app, &order).await.unwrap();
    pay_order(&b.app, &paid.id, None, &"shop".into()).await.unwrap();
    let open = OrderRequest { transaction: Some(ExternalPaymentId::parse("utr2").unwrap()), ..order };
    create_order(&b.app, &open).await.unwrap();
}

async fn use_bill_credit(b: &Business) {
    apply_credit(&b.app, &request("give", 1), usd(700)).await.unwrap();
    revoke_credit(&b.app, &request("take", 1), usd(100)).await.unwrap();
    b.post(1).await.unwrap();
    invoice(b, "in_use", 900, false).await;
    invoice(b, "in_void", 300, false).await;
    invoice(b, "in_void", 300, true).await;
    apply_credit(&b.app, &request("more", 1), usd(250)).await.unwrap();
    b.stripe.expect([Trouble::Refuse]);
    b.link(1, "cus_b").await;
    b.post(1).await.unwrap();
    b.post(1).await.unwrap();
    let deleted = CustomerId::parse("cus_a").unwrap();
    note_billing(&b.app, &b.id(1), &deleted, &[BillingReport::Deleted]).await.unwrap();
    b.post(1).await.unwrap();
}

async fn invoice(b: &Business, id: &str, minor: i64, voided: bool) {
    let (invoice, customer) = (InvoiceId::parse(id).unwrap(), Some(CustomerId::parse("cus_a").unwrap()));
    let facts = InvoiceFacts { invoice, customer, applied: usd(minor), voided };
    reconcile_invoice(&b.app, &b.id(1), &facts).await.unwrap();
}

async fn withdraw(b: &Business) {
    let ops = "ops".into();
    let ask = async |minor: i64, key: &str| {
        b.advance(DAY);
        let upi = (PayoutMethod::Upi, "asha@okhdfc");
        let asked = request_withdrawal(&b.app, &b.id(1), usd(minor), upi, key).await.unwrap();
        asked.withdrawal().id.clone()
    };
    let paid = ask(200, "k1").await;
    approve_withdrawal(&b.app, &paid, &ops).await.unwrap();
    claim_withdrawal(&b.app, &paid, &ops).await.unwrap();
    finish_withdrawal(&b.app, &paid, &ops, &Outcome::Paid("UTR 1".to_owned())).await.unwrap();
    let rejected = ask(150, "k2").await;
    reject_withdrawal(&b.app, &rejected, &ops, "no").await.unwrap();
    let open = ask(120, "k3").await;
    approve_withdrawal(&b.app, &open, &ops).await.unwrap();
}

async fn change_the_program(b: &Business) {
    let mut next = newest_program(&b.app).await.unwrap().program;
    next.version += 1;
    next.rules[0].amount = Amount::Flat { amount: usd(1100) };
    let call = Call { principal: "ann".into(), key: "p2".to_owned(), input_hash: "p2".to_owned() };
    set_program(&b.app, &call, "a test", next).await.unwrap();
    b.advance(61);
    b.pay(7, "in_7").await;
}

async fn reverse(b: &Business) {
    let claims: Vec<_> = b.commissions(2).await.into_iter().filter(|c| c.claim_ends_at().is_some()).collect();
    claim_reward(&b.app, &b.id(2), &CommissionCursor::of(&claims[0])).await.unwrap();
    b.reverse("in_2", 1, refunded(1950)).await;
    b.reverse("in_2b", 1, refunded(5400)).await;
    b.reverse("in_4", 1, dispute(3900, DisputeStage::Lost)).await;
    b.reverse("in_7", 1, dispute(3900, DisputeStage::Opened)).await;
    b.reverse("in_5", 1, refunded(3900)).await;
    b.pump().await;
    b.pay(5, "in_5b").await;
}
