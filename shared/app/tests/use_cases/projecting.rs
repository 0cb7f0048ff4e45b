//! Consequences of committed changes: expiry, counters, boards, events, notices.

use guerdon_store::table::Effect;
use std::collections::BTreeMap;

use guerdon_app::{
    bill_credit::{InvoiceFacts, note_billing, reconcile_invoice},
    events::DomainEvent,
    messages::{Content, claim_notice, notice_done, notice_for, set_blocked},
    once::{Call, MemberCall},
    referrals::{Expired, expire},
    statistics::{Period, leaderboard, project},
    wallets::apply_credit,
};
use guerdon_domain::{
    bill_credit::BillingReport,
    commissions::CommissionState,
    ids::{CustomerId, InvoiceId},
    referrals::ReferralState,
};
use guerdon_store::{
    changes::{Change, Stored},
    statistics::Projection,
};

use crate::support::*;

async fn counters(b: &Business, of: Projection) -> BTreeMap<String, i64> {
    let counters = b.calm().statistics().counters(&of).await.unwrap();
    counters.into_iter().filter(|(_, count)| *count != 0).collect()
}

/// Recounts the stored records of member 1.
async fn recount(b: &Business, referees: &[i64]) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    let mut add = |name: &str, n: i64| *counts.entry(name.to_owned()).or_insert(0) += n;
    for referee in referees {
        let member = b.calm().members().find(&b.id(*referee)).await.unwrap().unwrap();
        let referral = b.calm().referrals().of(&member).await.unwrap().unwrap();
        add("recruits", 1);
        match referral.state {
            ReferralState::Pending => add("pending", 1),
            ReferralState::Converted { .. } => add("converted", 1),
            ReferralState::Expired => add("expired", 1),
        }
    }
    for commission in b.commissions(1).await {
        add("rewards", 1);
        add("earned_USD", commission.amount.minor());
        add(
            "held_USD",
            if commission.state == CommissionState::Held { commission.amount.minor() } else { 0 },
        );
    }
    counts.retain(|_, count| *count != 0);
    counts
}

#[tokio::test]
async fn counters_equal_a_recount_after_every_step() {
    let b = bitten_with_hold(DAY).await;
    b.join(1).await;
    let referees = [2, 3, 4, 5];
    let check = async |step: &str| {
        b.pump().await;
        assert_eq!(counters(&b, Projection::Member(b.id(1))).await, recount(&b, &referees).await, "{step}");
    };
    for referee in referees {
        b.refer(1, referee).await;
    }
    check("joined").await;
    b.pay(2, "in_2").await;
    b.pay(3, "in_3").await;
    b.pay(3, "in_3b").await;
    check("converted").await;
    b.advance(DAY);
    b.settle(1).await;
    check("released").await;
    b.advance(365 * DAY);
    expire(&b.app).await.unwrap();
    check("expired").await;
    let totals = counters(&b, Projection::Totals).await;
    let expect = [("members", 5), ("referrals", 4), ("converted", 2), ("expired", 2), ("payments", 3)];
    assert!(expect.iter().all(|(name, n)| totals[*name] == *n), "{totals:?}");
    assert_eq!((totals["issued_USD"], totals.get("held_USD"), totals.get("pending")), (2000, None, None));
}

#[tokio::test]
async fn days_add_up_to_the_totals() {
    let b = bitten().await;
    b.recruit_paying(2).await;
    b.advance(DAY);
    b.refer(1, 2).await;
    b.pay(2, "in_2").await;
    b.pump().await;
    let days = b.calm().statistics().daily("2026-11-21", "2026-11-22").await.unwrap();
    let sum = |name: &str| days.iter().map(|(_, counters)| counters.named(name)).sum::<i64>();
    let totals = counters(&b, Projection::Totals).await;
    for name in ["members", "referrals", "converted", "payments", "paid_USD", "commissions", "issued_USD"] {
        assert_eq!(sum(name), totals[name], "{name}");
    }
}

#[tokio::test]
async fn replayed_and_regrouped_batches_add_nothing() {
    let b = bitten().await;
    b.recruit_paying(6).await;
    b.settle(1).await;
    let mut changes = Vec::new();
    loop {
        let more = b.read_changes(1000);
        if more.is_empty() {
            break;
        }
        project(&b.app, "shard-1", &more).await.unwrap();
        changes.extend(more);
    }
    let projected = async || {
        let mut dump = b.dump().await;
        dump.retain(|key, _| key.contains("STATS") || key.contains("RANK"));
        dump
    };
    let before = projected().await;
    let split = changes.len() / 3;
    for batch in [&changes[..], &changes[..split], &changes[split..], &changes[split / 2..split * 2]] {
        project(&b.app, "shard-1", batch).await.unwrap();
    }
    assert_eq!(projected().await, before);
}

#[tokio::test]
async fn a_referral_that_converts_after_it_expired_leaves_the_expired() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    let member = b.calm().members().find(&b.id(2)).await.unwrap().unwrap();
    let edge = b.calm().referrals().of(&member).await.unwrap().unwrap();
    let converted = ReferralState::Converted { payment: stripe_key("in_2"), at: NOW };
    let stored = |state: ReferralState| {
        Some(Stored::Referral(Box::new(guerdon_domain::referrals::Referral { state, ..edge.clone() })))
    };
    let step = |sequence: &str, before, after| {
        let sequence = sequence.to_owned();
        Change { sequence, before, after, correlation_id: None }
    };
    let changes = [
        step("1", None, stored(ReferralState::Pending)),
        step("2", stored(ReferralState::Pending), stored(ReferralState::Expired)),
        step("3", stored(ReferralState::Expired), stored(converted)),
    ];
    project(&b.app, "another shard", &changes).await.unwrap();
    let counted = counters(&b, Projection::Member(b.id(1))).await;
    assert_eq!(counted, BTreeMap::from([("recruits".to_owned(), 1), ("converted".to_owned(), 1)]));
}

#[tokio::test]
async fn expiry_marks_what_is_over_once_and_nothing_else() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    b.advance(DAY);
    b.refer(1, 3).await;
    b.pay(3, "in_3").await;
    b.project_all().await;
    b.advance(364 * DAY - 1);
    assert_eq!(expire(&b.app).await.unwrap(), Expired::default());
    b.advance(1);
    assert_eq!(expire(&b.app).await.unwrap(), Expired { codes: 1, referrals: 1, rewards: 0 });
    b.advance(DAY);
    assert_eq!(expire(&b.app).await.unwrap(), Expired::default());
    let late = b.invoice(2, "in_2");
    let recorded = guerdon_app::payments::record_payment(&b.app, &late).await.unwrap();
    assert_eq!(recorded.record().refusal(), Some(guerdon_domain::payments::Refusal::ReferralExpired));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expiry_goes_through_more_than_a_page() {
    let b = bitten().await;
    b.join(1).await;
    for referee in 1001..1251 {
        b.refer(1, referee).await;
    }
    b.advance(365 * DAY);
    assert_eq!(expire(&b.app).await.unwrap(), Expired { codes: 1, referrals: 250, rewards: 0 });
}

/// Referrers with these scores, member 1 first.
async fn with_scores(scores: &[i64]) -> Business {
    let b = bitten().await;
    for (referrer, score) in (1..).zip(scores) {
        b.join(referrer).await;
        for n in 0..*score {
            let referee = referrer * 1000 + n;
            b.refer(referrer, referee).await;
            b.pay(referee, &format!("in_{referee}")).await;
        }
    }
    b.pump().await;
    b
}

#[tokio::test]
async fn a_board_shows_the_best_with_shared_places_and_the_viewers_own() {
    let b = with_scores(&[1, 3, 2, 3, 1, 1, 0]).await;
    let board = async |viewer: i64, limit: i32| {
        let board = leaderboard(&b.app, Period::All, &b.id(viewer), limit).await.unwrap();
        let rows: Vec<_> = board.rows.iter().map(|row| (row.place, row.score)).collect();
        (rows, board.viewer_place)
    };
    let (rows, place) = board(3, 10).await;
    assert_eq!((rows, place), (vec![(1, 3), (1, 3), (3, 2), (4, 1), (4, 1), (4, 1)], Some(3)));
    // Beyond the page, alone and tied with its last row.
    assert_eq!(board(3, 2).await, (vec![(1, 3), (1, 3)], Some(3)));
    for viewer in [1, 5, 6] {
        assert_eq!(board(viewer, 4).await.1, Some(4));
    }
    assert_eq!((board(7, 4).await.1, board(99, 4).await.1), (None, None));
    let board = leaderboard(&b.app, Period::All, &b.id(2), 1).await.unwrap();
    assert_eq!(board.rows[0].masked_name, "U•••");
    assert_eq!(board.viewer_place, Some(1));
}

#[tokio::test]
async fn weeks_and_months_count_their_own_conversions() {
    let b = with_scores(&[2, 1]).await;
    let scores = async |period: Period| {
        let board = leaderboard(&b.app, period, &b.id(2), 10).await.unwrap();
        (board.rows.iter().map(|row| row.score).collect::<Vec<_>>(), board.viewer_place)
    };
    // From Saturday to Monday, then into December.
    b.advance(2 * DAY);
    b.refer(2, 50).await;
    b.pay(50, "in_50").await;
    b.pump().await;
    assert_eq!(scores(Period::Week).await, (vec![1], Some(1)));
    assert_eq!(scores(Period::Month).await, (vec![2, 2], Some(1)));
    b.advance(10 * DAY);
    assert_eq!(scores(Period::Month).await, (vec![], None));
    assert_eq!(scores(Period::All).await, (vec![2, 2], Some(1)));
}

/// The names of the events that follow from what was changed since the last call.
async fn events(b: &Business) -> Vec<&'static str> {
    b.pump().await.iter().map(DomainEvent::name).collect()
}

/// Gives member 1 a dollar of credit, as an operator.
async fn give_a_dollar(b: &Business) {
    let call = Call { principal: "alice".into(), key: "k".to_owned(), input_hash: String::new() };
    let request = MemberCall { call, user_id: tid(1), reason: String::new() };
    apply_credit(&b.app, &request, usd(100)).await.unwrap();
}

fn uses_four_dollars(voided: bool) -> InvoiceFacts {
    InvoiceFacts { invoice: InvoiceId::parse("in_9").unwrap(), customer: None, applied: usd(400), voided }
}

#[tokio::test]
async fn each_change_means_one_event() {
    let b = bitten_with_hold(HOUR).await;
    b.join(1).await;
    assert!(events(&b).await.is_empty());
    b.refer(1, 2).await;
    assert_eq!(events(&b).await, ["referral.created"]);
    b.pay(2, "in_2").await;
    assert_eq!(events(&b).await, ["commission.booked"]);
    b.link(1, "cus_1").await;
    assert_eq!(events(&b).await, ["customer.linked"]);
    b.advance(HOUR);
    b.settle(1).await;
    assert_eq!(events(&b).await, ["commission.released"]);
    b.post(1).await.unwrap();
    assert!(events(&b).await.is_empty());
    for voided in [false, true] {
        reconcile_invoice(&b.app, &b.id(1), &uses_four_dollars(voided)).await.unwrap();
    }
    assert_eq!(events(&b).await, ["credit.applied"]);
    give_a_dollar(&b).await;
    assert_eq!(events(&b).await, ["adjustment.booked"]);
    b.advance(366 * DAY);
    expire(&b.app).await.unwrap();
    assert!(events(&b).await.is_empty());
}

#[tokio::test]
async fn another_customer_that_gets_the_credit_is_announced() {
    let b = bitten().await;
    b.join(1).await;
    b.link(1, "cus_1").await;
    assert_eq!(events(&b).await, ["customer.linked"]);
    b.link(1, "cus_2").await;
    let (billed, at) = (CustomerId::parse("cus_1").unwrap(), b.app.now());
    note_billing(&b.app, &b.id(1), &billed, &[BillingReport::Billed { at }]).await.unwrap();
    assert_eq!(events(&b).await, ["customer.linked", "customers.changed", "customers.changed"]);
}

#[tokio::test]
async fn a_notice_goes_to_the_referrer_once() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    let events = b.pump().await;
    let notice = notice_for(&b.app, &events[0]).await.unwrap().unwrap();
    assert_eq!((notice.telegram_id, notice.recipient.clone()), (tid(1), b.id(1)));
    assert_eq!(notice.content, Content::NewReferral { friend: "User2".to_owned() });
    let claim = async |claimant: &str| claim_notice(&b.app, &notice, claimant).await;
    assert_eq!(claim("m1").await.unwrap(), Effect::Applied);
    // The message's own retry goes on; another waits until the lease is over.
    assert_eq!(claim("m1").await.unwrap(), Effect::Applied);
    assert!(claim("m2").await.unwrap_err().retryable());
    b.advance(120);
    assert_eq!(claim("m2").await.unwrap(), Effect::Applied);
    notice_done(&b.app, &notice).await.unwrap();
    b.advance(DAY);
    assert_eq!(claim("m1").await.unwrap(), Effect::AlreadyApplied);
    assert_eq!(claim("m2").await.unwrap(), Effect::AlreadyApplied);
}

#[tokio::test]
async fn who_cannot_be_reached_gets_no_notice() {
    let b = bitten().await;
    b.join(1).await;
    b.refer(1, 2).await;
    let events = b.pump().await;
    set_blocked(&b.app, &b.id(1), true).await.unwrap();
    assert_eq!(notice_for(&b.app, &events[0]).await.unwrap(), None);
    b.start(1, None).await;
    assert!(notice_for(&b.app, &events[0]).await.unwrap().is_some());
    set_blocked(&b.app, &b.id(99), true).await.unwrap();
    assert!(b.calm().members().find(&b.id(99)).await.unwrap().is_none());
}
