//! Bill credit on its way to Stripe, used up by invoices, and back.

use std::sync::Arc;

use guerdon_app::{
    bill_credit::{
        BalanceError, CustomerBalance, InvoiceFacts, LEASE_SECONDS, Posted, Reconciled, post_bill_credit,
        reconcile_invoice,
    },
    error::AppError,
};
use guerdon_domain::{
    bill_credit::{Posting, PostingState},
    ids::{CustomerId, InvoiceId, PostingId},
    money::{Currency, Money},
    time::Timestamp,
    wallets::WalletKind,
};
use guerdon_engine::connector::Fault;
use guerdon_store::table::posting_id;

use crate::support::*;

/// Member 1, a customer, with `referees` times $10 available.
async fn with_credit(referees: i64) -> Business {
    let b = bitten().await;
    b.recruit_paying(referees).await;
    b.link(1, "cus_1").await;
    b.settle(1).await;
    b
}

/// Another $10 becomes available to member 1.
async fn earn(b: &Business, referee: i64) {
    b.refer(1, referee).await;
    b.pay(referee, &format!("in_{referee}")).await;
    assert_eq!(b.settle(1).await, 1);
}

/// Claims all available credit, as a worker does that dies right afterwards.
async fn claim_and_die(b: &Business) {
    let (store, id) = (b.calm(), b.id(1));
    let wallet = store.wallets().find(&id, WalletKind::BillCredit, Currency::USD).await.unwrap();
    let posting = Posting {
        id: posting_id(&id, wallet.seq + 1).unwrap(),
        member: id,
        customer: CustomerId::parse("cus_1").unwrap(),
        amount: wallet.available(),
        seq: wallet.seq + 1,
        claimed_at: b.app.now(),
        claimed_by: CLAIMANT.to_owned(),
        state: PostingState::Claimed,
    };
    let (wallet, entry) = wallet.claim_posting(posting.amount, posting.id.clone(), b.app.now()).unwrap();
    let mut writes = store.wallets().post(&wallet, &entry, ()).unwrap();
    writes.push(store.bill_credit().insert_posting(&posting, ()).unwrap());
    store.commit(&writes).await.unwrap();
}

async fn latest(b: &Business) -> &'static str {
    match b.calm().bill_credit().latest_posting(&b.id(1)).await.unwrap().unwrap().state {
        PostingState::Claimed => "claimed",
        PostingState::Posted { .. } => "posted",
        PostingState::Refused { .. } => "refused",
    }
}

#[tokio::test]
async fn available_credit_is_posted_once() {
    let b = with_credit(2).await;
    assert_eq!(b.post(1).await.unwrap(), Posted::Done(usd(2000)));
    assert_eq!((b.stripe.credits(), b.buckets(1).await), (vec![2000], (0, 2000, 0)));
    assert_eq!(b.post(1).await.unwrap(), Posted::Nothing);
    assert_eq!((b.stripe.calls(), latest(&b).await), (vec!["add"], "posted"));
}

#[tokio::test]
async fn without_a_customer_the_credit_waits() {
    let b = bitten().await;
    b.recruit_paying(1).await;
    b.settle(1).await;
    assert_eq!(b.post(1).await.unwrap(), Posted::NoCustomer);
    assert_eq!((b.stripe.calls().len(), b.buckets(1).await), (0, (1000, 0, 0)));
    b.link(1, "cus_1").await;
    assert_eq!(b.post(1).await.unwrap(), Posted::Done(usd(1000)));
}

#[tokio::test]
async fn a_claim_whose_call_was_never_made_is_looked_up_and_made() {
    let b = with_credit(1).await;
    claim_and_die(&b).await;
    assert_eq!(b.buckets(1).await, (0, 1000, 0));
    assert_eq!(b.post(1).await.unwrap(), Posted::Done(usd(1000)));
    assert_eq!((b.stripe.calls(), b.stripe.credits()), (vec!["find", "add"], vec![1000]));
    assert_eq!((b.buckets(1).await, latest(&b).await), ((0, 1000, 0), "posted"));
}

#[tokio::test]
async fn anothers_claim_is_left_alone_until_its_lease_is_over() {
    let b = with_credit(1).await;
    claim_and_die(&b).await;
    b.advance(LEASE_SECONDS - 1);
    assert!(b.post_as(1, "message-2").await.unwrap_err().retryable());
    assert!(b.stripe.calls().is_empty());
    b.advance(1);
    assert_eq!(b.post_as(1, "message-2").await.unwrap(), Posted::Done(usd(1000)));
    assert_eq!((b.stripe.calls(), b.stripe.credits()), (vec!["find", "add"], vec![1000]));
}

#[tokio::test]
async fn a_call_whose_answer_was_lost_is_looked_up_and_not_made_again() {
    let b = with_credit(1).await;
    b.stripe.expect([Trouble::LostAfter]);
    assert!(b.post(1).await.unwrap_err().retryable());
    assert_eq!(latest(&b).await, "claimed");
    // So much later that the idempotency key has gone.
    b.advance(3 * DAY);
    b.stripe.forget_keys();
    assert_eq!(b.post(1).await.unwrap(), Posted::Done(usd(1000)));
    assert_eq!((b.stripe.calls(), b.stripe.credits()), (vec!["add", "find"], vec![1000]));
}

#[tokio::test]
async fn a_call_that_never_arrived_is_made_until_it_does() {
    let b = with_credit(1).await;
    b.stripe.expect([Trouble::LostBefore, Trouble::LostBefore]);
    assert!(b.post(1).await.unwrap_err().retryable());
    assert!(b.post(1).await.unwrap_err().retryable());
    assert_eq!(b.post(1).await.unwrap(), Posted::Done(usd(1000)));
    assert_eq!((b.stripe.credits(), b.buckets(1).await), (vec![1000], (0, 1000, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_the_call_and_its_record_is_looked_up() {
    let b = with_credit(1).await;
    b.break_with(Script::new("UpdateItem", [Fault::LostBefore; 3]));
    assert!(b.post(1).await.unwrap_err().retryable());
    assert_eq!(b.stripe.credits(), [1000]);
    assert_eq!(b.post(1).await.unwrap(), Posted::Done(usd(1000)));
    assert_eq!((b.stripe.calls(), b.stripe.credits()), (vec!["add", "find"], vec![1000]));
}

#[tokio::test]
async fn what_stripe_refuses_is_available_again_and_can_be_posted_later() {
    let b = with_credit(1).await;
    b.stripe.expect([Trouble::Refuse]);
    assert_eq!(b.post(1).await.unwrap(), Posted::Refused("resource_missing".to_owned()));
    assert_eq!((b.buckets(1).await, latest(&b).await), ((1000, 0, 0), "refused"));
    // The customer is deleted: Stripe is not called again until the member has another one.
    assert_eq!(b.post(1).await.unwrap(), Posted::NoCustomer);
    b.link(1, "cus_next").await;
    assert_eq!(b.post(1).await.unwrap(), Posted::Done(usd(1000)));
    assert_eq!((b.stripe.credits(), b.buckets(1).await), (vec![1000], (0, 1000, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_refusal_seen_by_several_at_once_gives_the_credit_back_once() {
    for _ in 0..5 {
        let b = Arc::new(with_credit(1).await);
        claim_and_die(&b).await;
        b.stripe.expect([Trouble::Refuse; 4]);
        b.race(4);
        let posted = at_once(4, |_| {
            let b = b.clone();
            async move { b.post(1).await }
        })
        .await;
        let refused = Posted::Refused("resource_missing".to_owned());
        assert!(posted.iter().all(|p| p.as_ref().is_ok_and(|p| *p == refused)), "{posted:?}");
        assert_eq!((b.buckets(1).await, b.stripe.credits().len()), ((1000, 0, 0), 0));
    }
}

/// A Stripe that takes a posting while it refuses it to another caller, who gives it back.
struct Contradictory<'a>(&'a Business);

#[async_trait::async_trait]
impl CustomerBalance for Contradictory<'_> {
    async fn add_credit(&self, _: &CustomerId, _: Money, _: &PostingId) -> Result<String, BalanceError> {
        self.0.stripe.expect([Trouble::Refuse]);
        assert!(matches!(self.0.post(1).await, Ok(Posted::Refused(_))));
        Ok("cbtxn_late".to_owned())
    }

    async fn find_credit(
        &self,
        _: &CustomerId,
        _: &PostingId,
        _: Timestamp,
    ) -> Result<Option<String>, BalanceError> {
        Ok(None)
    }
}

#[tokio::test]
async fn a_posting_that_stripe_both_took_and_refused_is_reported() {
    let b = with_credit(1).await;
    let posted = post_bill_credit(&b.app, &Contradictory(&b), &b.id(1), CLAIMANT).await;
    assert!(!posted.unwrap_err().retryable());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 10)]
async fn ten_messages_at_once_post_once() {
    for round in 0..5 {
        let b = Arc::new(with_credit(3).await);
        b.race(10);
        let posted = at_once(10, |i| {
            let b = b.clone();
            async move { b.post_as(1, &format!("message-{i}")).await }
        })
        .await;
        assert!(posted.iter().any(|p| *p.as_ref().unwrap_or(&Posted::Nothing) == Posted::Done(usd(3000))));
        assert!(posted.iter().all(|p| p.as_ref().err().is_none_or(AppError::retryable)), "{round}");
        assert_eq!((b.stripe.credits(), b.buckets(1).await), (vec![3000], (0, 3000, 0)));
        // Those that had to wait find nothing left to post.
        assert_eq!(b.post(1).await.unwrap(), Posted::Nothing);
    }
}

#[tokio::test]
async fn further_credit_is_posted_under_its_own_key() {
    let b = with_credit(1).await;
    b.post(1).await.unwrap();
    earn(&b, 2).await;
    assert_eq!(b.post(1).await.unwrap(), Posted::Done(usd(1000)));
    assert_eq!((b.stripe.credits(), b.buckets(1).await), (vec![1000, 1000], (0, 2000, 0)));
}

#[tokio::test]
async fn finishing_an_old_posting_goes_on_with_what_became_available_meanwhile() {
    let b = with_credit(1).await;
    claim_and_die(&b).await;
    earn(&b, 2).await;
    assert_eq!(b.post(1).await.unwrap(), Posted::Done(usd(2000)));
    assert_eq!((b.stripe.credits(), b.buckets(1).await), (vec![1000, 1000], (0, 2000, 0)));
}

fn facts(id: &str, applied: i64, voided: bool) -> InvoiceFacts {
    InvoiceFacts { invoice: InvoiceId::parse(id).unwrap(), customer: None, applied: usd(applied), voided }
}

async fn tell(b: &Business, facts: &InvoiceFacts) -> Reconciled {
    reconcile_invoice(&b.app, &b.id(1), facts).await.unwrap()
}

/// Member 1 with $10 on the Stripe balance.
async fn with_posted() -> Business {
    let b = with_credit(1).await;
    b.post(1).await.unwrap();
    b
}

#[tokio::test]
async fn an_invoice_uses_credit_up_and_a_void_gives_it_back_each_once() {
    let b = with_posted().await;
    let (paid, void) = (facts("in_a", 600, false), facts("in_a", 600, true));
    assert_eq!(tell(&b, &paid).await, Reconciled::Applied(usd(600)));
    assert_eq!(tell(&b, &paid).await, Reconciled::Unchanged);
    let wallet = b.wallet(1).await;
    assert_eq!((wallet.held(), wallet.applied()), (usd(400), usd(600)));
    assert_eq!(tell(&b, &void).await, Reconciled::Returned(usd(600)));
    assert_eq!(tell(&b, &void).await, Reconciled::Unchanged);
    assert_eq!(tell(&b, &paid).await, Reconciled::Unchanged);
    let wallet = b.wallet(1).await;
    assert_eq!((wallet.held(), wallet.applied(), wallet.seq), (usd(1000), usd(0), 4));
}

#[tokio::test]
async fn an_invoice_takes_no_more_than_our_credit_on_the_balance() {
    let b = with_posted().await;
    assert_eq!(tell(&b, &facts("in_a", 2500, false)).await, Reconciled::Applied(usd(1000)));
    assert_eq!(tell(&b, &facts("in_b", 2500, false)).await, Reconciled::Unchanged);
    assert_eq!(tell(&b, &facts("in_a", 2500, true)).await, Reconciled::Returned(usd(1000)));
    assert_eq!(b.buckets(1).await, (0, 1000, 0));
}

#[tokio::test]
async fn any_order_and_repetition_of_an_invoices_events_ends_the_same() {
    let (paid, void) = (facts("in_a", 600, false), facts("in_a", 600, true));
    let orders = [[&paid, &void, &void, &paid], [&void, &paid, &paid, &void], [&void, &void, &paid, &paid]];
    for order in orders {
        let b = with_posted().await;
        for facts in order {
            tell(&b, facts).await;
        }
        let wallet = b.wallet(1).await;
        assert_eq!((wallet.held(), wallet.applied()), (usd(1000), usd(0)), "{order:?}");
    }
}

#[tokio::test]
async fn a_void_that_names_no_amount_gives_back_what_was_taken_too() {
    for order in [[(600, false), (0, true)], [(0, true), (600, false)]] {
        let b = with_posted().await;
        for (applied, voided) in order {
            tell(&b, &facts("in_a", applied, voided)).await;
        }
        assert_eq!(b.buckets(1).await, (0, 1000, 0), "{order:?}");
    }
}

#[tokio::test]
async fn an_invoice_paid_by_foreign_credit_told_again_later_takes_none_of_ours() {
    let b = with_credit(1).await;
    let foreign = facts("in_a", 600, false);
    assert_eq!(tell(&b, &foreign).await, Reconciled::Unchanged);
    b.post(1).await.unwrap();
    assert_eq!(tell(&b, &foreign).await, Reconciled::Unchanged);
    assert_eq!(tell(&b, &facts("in_a", 600, true)).await, Reconciled::Unchanged);
    assert_eq!(b.buckets(1).await, (0, 1000, 0));
    assert!(!b.pump().await.iter().any(|event| event.name() == "credit.applied"));
}

#[tokio::test]
async fn an_invoice_without_credit_or_in_another_currency_writes_nothing() {
    let b = with_posted().await;
    let before = b.dump().await;
    tell(&b, &facts("in_a", 0, false)).await;
    let euros = Money::new(600, Currency::EUR);
    tell(&b, &InvoiceFacts { applied: euros, ..facts("in_a", 0, false) }).await;
    assert_eq!(b.dump().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn an_invoices_events_at_once_move_its_credit_once() {
    for _ in 0..5 {
        let b = Arc::new(with_posted().await);
        b.race(6);
        let applied = at_once(6, |i| {
            let b = b.clone();
            async move { tell(&b, &facts(["in_a", "in_b"][i % 2], 400, false)).await }
        })
        .await;
        assert_eq!(applied.iter().filter(|r| **r == Reconciled::Applied(usd(400))).count(), 2);
        assert_eq!((b.buckets(1).await, b.wallet(1).await.applied()), ((0, 200, 0), usd(800)));
    }
}
