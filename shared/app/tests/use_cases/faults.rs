//! The whole loop with a table and a Stripe that fail at random: it ends as if nothing had ever failed.

use std::ops::RangeInclusive;

use guerdon_app::{
    bill_credit::{InvoiceFacts, reconcile_invoice},
    commissions::settle_wallet,
    error::AppError,
    payments::{link_customer, record_payment},
    referrals::share_code,
    statistics::project,
};
use guerdon_domain::{
    commissions::CommissionState,
    ids::{CustomerId, InvoiceId},
    statistics::Counters,
};
use guerdon_store::statistics::Projection;

use crate::support::*;

const SEEDS: u64 = 150;
const REFEREES: [i64; 2] = [11, 12];

/// Everything that must be the same at the end.
#[derive(Debug, PartialEq)]
struct End {
    buckets: (i64, i64, i64),
    applied: i64,
    commissions: Vec<(String, i64, bool)>,
    payments: Vec<String>,
    edges: usize,
    codes: usize,
    credits: Vec<i64>,
    counters: Counters,
}

async fn until_ok<T, F: Future<Output = Result<T, AppError>>>(what: &str, step: impl Fn() -> F) -> T {
    for _ in 0..200 {
        match step().await {
            Ok(done) => return done,
            Err(error) => assert!(error.retryable(), "{what}: {error:?}"),
        }
    }
    panic!("{what}: never done");
}

/// Join, pay, settle, post, invoice applied: each step repeated until it says that it is done.
async fn whole_loop(b: &Business) {
    let referrer = b.id(1);
    until_ok("join", || b.try_start(1, None, 1)).await;
    let code = until_ok("code", || share_code(&b.app, &referrer)).await.code;
    let customer = CustomerId::parse("cus_1").unwrap();
    until_ok("link", || link_customer(&b.app, &customer, tid(1), &[])).await;
    for referee in REFEREES {
        until_ok("refer", || b.try_start(referee, Some(&code), referee)).await;
        let facts = b.invoice(referee, &format!("in_{referee}"));
        until_ok("pay", || record_payment(&b.app, &facts)).await;
    }
    until_ok("settle", || settle_wallet(&b.app, &referrer)).await;
    until_ok("post", || b.post(1)).await;
    let invoice = |id: &str, applied, voided| InvoiceFacts {
        customer: None,
        invoice: InvoiceId::parse(id).unwrap(),
        applied: usd(applied),
        voided,
    };
    for facts in [invoice("in_a", 1500, false), invoice("in_b", 700, false), invoice("in_a", 1500, true)] {
        until_ok("reconcile", || reconcile_invoice(&b.app, &referrer, &facts)).await;
    }
    loop {
        // What the projector writes changes the table too.
        let changes = b.read_changes(1000);
        if changes.is_empty() {
            return;
        }
        until_ok("project", || project(&b.app, "shard-1", &changes)).await;
    }
}

async fn end(b: &Business) -> End {
    b.mend();
    let wallet = b.wallet(1).await;
    let mut commissions = Vec::new();
    for commission in b.commissions(1).await {
        let released = matches!(commission.state, CommissionState::Released { .. });
        commissions.push((commission.id.to_string(), commission.amount.minor(), released));
    }
    let mut payments = Vec::new();
    for referee in REFEREES {
        let payment = b.calm().payments().find(&stripe_key(&format!("in_{referee}"))).await.unwrap().unwrap();
        payments.push(format!("{:?}", payment.trace));
    }
    let dump = b.dump().await;
    End {
        buckets: (wallet.buckets.available, wallet.buckets.held, wallet.buckets.owed),
        applied: wallet.applied,
        commissions,
        payments,
        edges: dump.keys().filter(|key| key.contains("REFERRAL#")).count(),
        codes: dump.keys().filter(|key| key.starts_with("CODE#")).count(),
        credits: b.stripe.credits(),
        counters: b.calm().statistics().counters(&Projection::Member(b.id(1))).await.unwrap(),
    }
}

async fn same_end(seeds: RangeInclusive<u64>) {
    let calm = bitten().await;
    whole_loop(&calm).await;
    let expected = end(&calm).await;
    assert_eq!(
        (expected.buckets, expected.applied, expected.credits.clone()),
        ((0, 1500, 0), 500, vec![2000])
    );
    for seed in seeds {
        let b = bitten().await;
        b.break_with(Seeded::new(seed));
        let troubles = [Trouble::LostBefore, Trouble::LostAfter];
        b.stripe.expect((0..seed % 4).map(|n| troubles[(mix(seed ^ (n << 32)) % 2) as usize]));
        whole_loop(&b).await;
        assert_eq!(end(&b).await, expected, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_on_the_way_the_end_is_the_same() {
    same_end(1..=SEEDS / 2).await;
}

/// The other half, on another thread.
#[tokio::test(start_paused = true)]
async fn whatever_else_fails_on_the_way_the_end_is_the_same() {
    same_end(SEEDS / 2 + 1..=SEEDS).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_round_of_everything_changes_nothing() {
    let b = bitten().await;
    whole_loop(&b).await;
    let before = b.dump().await;
    whole_loop(&b).await;
    assert_eq!((b.dump().await, b.stripe.credits()), (before, vec![2000]));
}
