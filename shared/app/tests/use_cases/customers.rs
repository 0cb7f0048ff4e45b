//! Several Stripe customers of one member: which one gets the credit, and what of it comes back.

use guerdon_app::{
    bill_credit::{
        InvoiceFacts, Posted, Reconciled, RelinkRefusal, customers_view, note_billing, reconcile_invoice,
        relink_customer,
    },
    once::{Answer, Call, MemberCall},
};
use guerdon_domain::{
    bill_credit::{BillingReport, SubscriptionState},
    ids::{CustomerId, InvoiceId, PrincipalId},
};

use crate::support::*;

fn cus(id: &str) -> CustomerId {
    CustomerId::parse(id).unwrap()
}

async fn note(b: &Business, customer: &str, report: BillingReport) {
    note_billing(&b.app, &b.id(1), &cus(customer), &[report]).await.unwrap();
}

async fn subscribes(b: &Business, customer: &str, state: SubscriptionState) {
    let at = b.app.now();
    note(b, customer, BillingReport::Subscribed { subscription: format!("sub_{customer}"), state, at }).await;
}

/// Another $10 becomes available to member 1 and is posted.
async fn earn(b: &Business, referee: i64) {
    b.refer(1, referee).await;
    b.pay(referee, &format!("in_{referee}")).await;
    b.settle(1).await;
    assert_eq!(b.post(1).await.unwrap(), Posted::Done(usd(1000)));
}

/// Member 1 subscribes as `cus_a` and has bought a one-off as `cus_b`; $10 are on the balance of the first.
async fn subscriber() -> Business {
    let b = bitten().await;
    b.join(1).await;
    b.link(1, "cus_a").await;
    subscribes(&b, "cus_a", SubscriptionState::Live).await;
    b.advance(60);
    b.link(1, "cus_b").await;
    earn(&b, 2).await;
    b
}

async fn used(b: &Business, user: i64, invoice: &str, customer: &str, minor: i64) -> Reconciled {
    let (invoice, customer) = (InvoiceId::parse(invoice).unwrap(), Some(cus(customer)));
    let facts = InvoiceFacts { invoice, customer, applied: usd(minor), voided: false };
    reconcile_invoice(&b.app, &b.id(user), &facts).await.unwrap()
}

#[tokio::test]
async fn credit_goes_to_the_customer_that_is_billed() {
    let b = subscriber().await;
    assert_eq!((b.stripe.balance("cus_a"), b.stripe.balance("cus_b")), (1000, 0));
    // The subscription ends, and the other customer gets an invoice.
    subscribes(&b, "cus_a", SubscriptionState::Ended).await;
    note(&b, "cus_b", BillingReport::Billed { at: b.app.now() }).await;
    earn(&b, 3).await;
    assert_eq!((b.stripe.balance("cus_a"), b.stripe.balance("cus_b")), (1000, 1000));
    assert_eq!(b.buckets(1).await, (0, 2000, 0));
}

#[tokio::test]
async fn an_invoice_uses_only_what_is_on_its_own_customers_balance() {
    let b = subscriber().await;
    // The credit that this invoice used has another origin: ours is on the other balance.
    assert_eq!(used(&b, 1, "in_b", "cus_b", 700).await, Reconciled::Unchanged);
    assert_eq!(used(&b, 1, "in_a", "cus_a", 700).await, Reconciled::Applied(usd(700)));
    assert_eq!(b.buckets(1).await, (0, 300, 0));
}

#[tokio::test]
async fn credit_of_a_deleted_customer_comes_back_and_is_posted_to_the_next() {
    let b = subscriber().await;
    used(&b, 1, "in_a", "cus_a", 300).await;
    note(&b, "cus_a", BillingReport::Deleted).await;
    assert_eq!(b.post(1).await.unwrap(), Posted::Done(usd(700)));
    assert_eq!((b.stripe.balance("cus_b"), b.buckets(1).await), (700, (0, 700, 0)));
    // Once, however often it is told.
    note(&b, "cus_a", BillingReport::Deleted).await;
    assert_eq!((b.post(1).await.unwrap(), b.buckets(1).await), (Posted::Nothing, (0, 700, 0)));
}

#[tokio::test]
async fn credit_of_the_only_customer_waits_for_the_next_one() {
    let b = bitten().await;
    b.join(1).await;
    b.link(1, "cus_a").await;
    earn(&b, 2).await;
    note(&b, "cus_a", BillingReport::Deleted).await;
    assert_eq!(b.post(1).await.unwrap(), Posted::NoCustomer);
    assert_eq!(b.buckets(1).await, (1000, 0, 0));
    b.link(1, "cus_b").await;
    assert_eq!(b.post(1).await.unwrap(), Posted::Done(usd(1000)));
    assert_eq!(b.stripe.balance("cus_b"), 1000);
}

#[tokio::test]
async fn a_customer_that_stripe_does_not_know_makes_room_for_the_next() {
    let b = subscriber().await;
    b.refer(1, 3).await;
    b.pay(3, "in_3").await;
    b.settle(1).await;
    b.stripe.expect([Trouble::Refuse]);
    // What was on the unknown customer's balance comes back too.
    assert_eq!(b.post(1).await.unwrap(), Posted::Done(usd(2000)));
    assert_eq!((b.stripe.balance("cus_b"), b.buckets(1).await), (2000, (0, 2000, 0)));
}

#[tokio::test]
async fn an_invoice_told_after_its_customer_was_deleted_is_not_paid_twice() {
    let b = subscriber().await;
    note(&b, "cus_a", BillingReport::Deleted).await;
    assert_eq!(b.post(1).await.unwrap(), Posted::Done(usd(1000)));
    // The bill had used $4 before. The member has them on the next balance now, and owes them.
    assert_eq!(used(&b, 1, "in_a", "cus_a", 400).await, Reconciled::Applied(usd(400)));
    assert_eq!(used(&b, 1, "in_a", "cus_a", 400).await, Reconciled::Unchanged);
    assert_eq!(b.buckets(1).await, (0, 1000, 400));
    b.refer(1, 3).await;
    b.pay(3, "in_3").await;
    b.settle(1).await;
    assert_eq!(b.buckets(1).await, (600, 1000, 0));
}

fn call(b: &Business, user: i64, key: &str) -> MemberCall {
    let principal = PrincipalId::from(b.id(9).to_string());
    let call = Call { principal, key: key.to_owned(), input_hash: key.to_owned() };
    MemberCall { call, user_id: tid(user), reason: "the checkout named the wrong member".to_owned() }
}

#[tokio::test]
async fn an_operator_links_a_customer_to_the_right_member() {
    let b = subscriber().await;
    b.join(5).await;
    let refused = relink_customer(&b.app, &call(&b, 5, "k1"), &cus("cus_a"), false).await;
    assert!(matches!(refused, Err(RelinkRefusal::CreditOnBalance(amount)) if amount == usd(1000)));
    for _ in 0..2 {
        let answer = relink_customer(&b.app, &call(&b, 5, "k2"), &cus("cus_a"), true).await.unwrap();
        let (Answer::Applied(change) | Answer::AlreadyApplied(change)) = answer;
        assert_eq!(change.amount, usd(1000));
    }
    assert_eq!(b.buckets(1).await, (1000, 0, 0));
    let of = |user| customers_view(&b.app, tid(user));
    let (wrong, right) = (of(1).await.unwrap().unwrap(), of(5).await.unwrap().unwrap());
    assert_eq!((wrong.len(), wrong[0].customer.as_str(), wrong[0].gets_credit), (1, "cus_b", true));
    assert_eq!((right.len(), right[0].customer.as_str(), right[0].subscribed), (1, "cus_a", true));
    let again = relink_customer(&b.app, &call(&b, 5, "k3"), &cus("cus_a"), false).await;
    assert!(matches!(again, Err(RelinkRefusal::AlreadyLinked)));
    assert_eq!(b.link(1, "cus_a").await, guerdon_app::payments::Linked::Refused { owner: b.id(5) });
}

async fn voided(b: &Business, user: i64, invoice: &str, customer: &str) -> Reconciled {
    let (invoice, customer) = (InvoiceId::parse(invoice).unwrap(), Some(cus(customer)));
    let facts = InvoiceFacts { invoice, customer, applied: usd(0), voided: true };
    reconcile_invoice(&b.app, &b.id(user), &facts).await.unwrap()
}

#[tokio::test]
async fn a_void_after_the_customer_was_deleted_gives_the_credit_to_the_next() {
    let b = subscriber().await;
    used(&b, 1, "in_a", "cus_a", 1000).await;
    note(&b, "cus_a", BillingReport::Deleted).await;
    assert_eq!(b.post(1).await.unwrap(), Posted::Nothing);
    b.pump().await;
    assert_eq!(voided(&b, 1, "in_a", "cus_a").await, Reconciled::Returned(usd(1000)));
    assert_eq!(b.buckets(1).await, (1000, 0, 0));
    let told = b.pump().await;
    assert!(
        told.iter().any(|event| event.name() == "customers.changed"),
        "billing-worker posts it: {told:?}"
    );
    assert_eq!(b.post(1).await.unwrap(), Posted::Done(usd(1000)));
    assert_eq!((b.stripe.balance("cus_b"), b.buckets(1).await), (1000, (0, 1000, 0)));
}

#[tokio::test]
async fn an_invoice_told_late_and_then_voided_leaves_nothing_owed() {
    let b = subscriber().await;
    note(&b, "cus_a", BillingReport::Deleted).await;
    b.post(1).await.unwrap();
    used(&b, 1, "in_a", "cus_a", 1000).await;
    assert_eq!(b.buckets(1).await, (0, 1000, 1000));
    voided(&b, 1, "in_a", "cus_a").await;
    assert_eq!(b.buckets(1).await, (0, 1000, 0));
}

#[tokio::test]
async fn an_invoice_voided_after_its_customer_was_relinked_gives_back_to_whom_the_credit_was() {
    let b = subscriber().await;
    b.join(5).await;
    used(&b, 1, "in_a", "cus_a", 1000).await;
    relink_customer(&b.app, &call(&b, 5, "k1"), &cus("cus_a"), false).await.unwrap();
    for expected in [Reconciled::Returned(usd(1000)), Reconciled::Unchanged] {
        assert_eq!(voided(&b, 5, "in_a", "cus_a").await, expected);
    }
    assert_eq!((b.buckets(1).await, b.buckets(5).await), ((1000, 0, 0), (0, 0, 0)));
}

#[tokio::test]
async fn an_invoice_that_is_told_again_after_its_customer_was_relinked_is_whose_it_was() {
    let b = subscriber().await;
    b.join(5).await;
    used(&b, 1, "in_a", "cus_a", 400).await;
    relink_customer(&b.app, &call(&b, 5, "k1"), &cus("cus_a"), true).await.unwrap();
    assert_eq!(used(&b, 5, "in_a", "cus_a", 400).await, Reconciled::Unchanged);
    assert_eq!(voided(&b, 5, "in_a", "cus_a").await, Reconciled::Returned(usd(400)));
    assert_eq!((b.buckets(1).await, b.buckets(5).await), ((1000, 0, 0), (0, 0, 0)));
}

#[tokio::test]
async fn an_invoice_that_is_first_told_after_its_customer_was_relinked_takes_what_came_back() {
    let b = subscriber().await;
    b.join(5).await;
    relink_customer(&b.app, &call(&b, 5, "k1"), &cus("cus_a"), true).await.unwrap();
    assert_eq!(b.buckets(1).await, (1000, 0, 0));
    for expected in [Reconciled::Applied(usd(400)), Reconciled::Unchanged] {
        assert_eq!(used(&b, 5, "in_a", "cus_a", 400).await, expected);
    }
    assert_eq!((b.buckets(1).await, b.buckets(5).await), ((600, 0, 0), (0, 0, 0)));
    // Posted to the other customer meanwhile: it is owed.
    assert_eq!(b.post(1).await.unwrap(), Posted::Done(usd(600)));
    used(&b, 5, "in_b", "cus_a", 100).await;
    assert_eq!(b.buckets(1).await, (0, 600, 100));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_customer_is_not_linked_to_another_member_while_credit_is_posted_to_it() {
    for round in 0..20 {
        let b = std::sync::Arc::new(bitten().await);
        b.join(1).await;
        b.join(5).await;
        b.link(1, "cus_a").await;
        b.refer(1, 2).await;
        b.pay(2, "in_2").await;
        b.settle(1).await;
        b.race(2);
        let both = at_once(2, |racer| {
            let b = b.clone();
            async move {
                match racer {
                    0 => b.post(1).await.is_ok(),
                    _ => relink_customer(&b.app, &call(&b, 5, "k"), &cus("cus_a"), false).await.is_ok(),
                }
            }
        })
        .await;
        let linked = both[1];
        let expected = if linked { (0, (1000, 0, 0)) } else { (1000, (0, 1000, 0)) };
        assert_eq!((b.stripe.balance("cus_a"), b.buckets(1).await), expected, "round {round}");
    }
}
