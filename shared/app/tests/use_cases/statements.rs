//! Statements: the balance at any time, and a verification that finds what was tampered with.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use guerdon_app::{
    context::FixedClock,
    verification::{Verified, verify_ledger},
    wallets::balance_at,
};
use guerdon_domain::{time::Timestamp, wallets::WalletKind};

use crate::support::*;

async fn verified(b: &Business) -> Verified {
    let (mut all, mut from) = (Verified::default(), None);
    loop {
        let page = verify_ledger(&b.app, from.as_ref(), 7).await.unwrap();
        all.wallets += page.wallets;
        all.payments += page.payments;
        all.difference = page.difference;
        from = page.next;
        if from.is_none() || all.difference.is_some() {
            return all;
        }
    }
}

#[tokio::test]
async fn the_balance_is_known_at_any_time() {
    let b = bitten().await;
    b.join(1).await;
    for n in 0..20 {
        b.refer(1, 100 + n).await;
        b.pay(100 + n, &format!("in_{n}")).await;
        b.settle(1).await;
        b.advance(60);
    }
    let at = async |seconds| {
        let found = balance_at(&b.app, &b.id(1), WalletKind::BillCredit, NOW.plus_seconds(seconds)).await;
        let found = found.unwrap();
        (found.buckets.available, found.entry.map(|entry| entry.seq))
    };
    assert_eq!(at(-1).await, (0, None));
    assert_eq!(at(0).await, (1_000, Some(1)));
    assert_eq!(at(59).await, (1_000, Some(1)));
    assert_eq!(at(60 * 7).await, (8_000, Some(8)));
    assert_eq!(at(DAY).await, (20_000, Some(20)));
    b.meter.reset();
    at(60 * 7).await;
    assert!(b.cost("balance_at").requests <= 7, "a search, not a reading of the statement");
}

#[tokio::test]
async fn a_second_includes_everything_that_happened_in_it() {
    let mut b = bitten().await;
    b.join(1).await;
    // 2026-11-21T23:59:59.300Z and .900Z, and a moment after midnight.
    let last = NOW.plus_seconds(52_199);
    assert_eq!(last.to_string(), "2026-11-21T23:59:59Z");
    for (referee, millis) in [(2, 300), (3, 900), (4, 1_001)] {
        b.app.clock = Arc::new(FixedClock::new(Timestamp::from_millis(last.millis() + millis)));
        b.refer(1, referee).await;
        b.pay(referee, &format!("in_{referee}")).await;
        b.settle(1).await;
    }
    let at = async |at: Timestamp| {
        let found = balance_at(&b.app, &b.id(1), WalletKind::BillCredit, at).await.unwrap();
        found.buckets.available
    };
    assert_eq!(at(last.plus_seconds(-1)).await, 0);
    assert_eq!(at(last).await, 2_000, "as it is shown");
    assert_eq!(at(Timestamp::from_millis(last.millis() + 1)).await, 2_000, "and with a fraction");
    assert_eq!(at(last.plus_seconds(1)).await, 3_000);
}

/// Things to tamper with, each with the problems of which one is found. A commission's is seen from the wallet or from
/// the payment, whichever comes first.
const TAMPERED: [(&str, &[&str]); 5] = [
    ("balance", &["the wallet does not match its last entry"]),
    ("entry", &["entry 1 does not match its hash"]),
    (
        "commission",
        &["3000 was credited for commissions that entitle to 2600", "400 was clawed back and not 0"],
    ),
    ("state", &["entry 1 released other commissions than name it"]),
    ("trace", &["no rule granted it on its payment's trace"]),
];

/// Changes a stored attribute of member 1's wallet, its entry, a commission, or a payment.
async fn tamper(b: &Business, with: &str) {
    let number = |n: i64| AttributeValue::N(n.to_string());
    let (own, rewards) = (format!("M#{}", b.id(1)), format!("R#{}", b.id(1)));
    let conversion = format!("COMMISSION#{}#{}", NOW.millis(), b.id(1002));
    let entry = "ENTRY#bill_credit#USD#0000000001";
    match with {
        "balance" => {
            let buckets = [("available", 9_000), ("held", 0), ("owed", 0)];
            let buckets = buckets.map(|(name, n)| (name.to_owned(), number(n))).into();
            let wallet = "WALLET#bill_credit#USD".to_owned();
            b.tamper(own, wallet, "buckets", AttributeValue::M(buckets)).await;
        }
        "entry" => b.tamper(own, entry.to_owned(), "at", number(5)).await,
        "commission" => b.tamper(rewards, conversion, "clawed", number(400)).await,
        "state" => {
            let text = |text: &str| AttributeValue::S(text.to_owned());
            let queue = [("gsi2pk", text(&format!("HELD#{}", b.id(1)))), ("gsi2sk", number(NOW.millis()))];
            for (name, value) in queue.into_iter().chain([("state", text("held"))]) {
                b.tamper(rewards.clone(), conversion.clone(), name, value).await;
            }
        }
        _ => {
            let trace = AttributeValue::L(vec![]);
            b.tamper("PAYMENT#stripe:in_1002".to_owned(), "PAYMENT".to_owned(), "trace", trace).await;
        }
    }
}

#[tokio::test]
async fn a_sound_ledger_has_no_difference_and_a_tampered_one_names_it() {
    for (tampered, problems) in TAMPERED {
        let b = bitten().await;
        b.recruit_paying(3).await;
        b.settle(1).await;
        b.project_all().await;
        let sound = verified(&b).await;
        assert_eq!((sound.difference, sound.wallets, sound.payments), (None, 1, 3));
        tamper(&b, tampered).await;
        let found = verified(&b).await.difference.map(|difference| difference.to_string());
        let found = found.unwrap_or_else(|| panic!("{tampered}: no difference found"));
        assert!(problems.iter().any(|problem| found.contains(problem)), "{tampered}: {found}");
    }
}
