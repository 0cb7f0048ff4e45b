//! Acknowledged differences: the verification goes on behind them while they stay as they are.

use aws_sdk_dynamodb::types::AttributeValue;
use guerdon_app::verification::{
    AcknowledgeRefusal, Difference, acknowledge_difference, findings, verify_next,
};

use crate::support::*;

async fn next_difference(b: &Business) -> Option<Difference> {
    verify_next(&b.app, 60).await.unwrap().difference
}

/// Member 1 has earned from three referees.
async fn earned() -> Business {
    let b = bitten().await;
    b.recruit_paying(3).await;
    b.settle(1).await;
    b.project_all().await;
    assert_eq!(next_difference(&b).await, None);
    b
}

impl Business {
    async fn set_number(&self, pk: String, sk: &str, attribute: &str, n: i64) {
        self.tamper(pk, sk.to_owned(), attribute, AttributeValue::N(n.to_string())).await;
    }

    async fn set_applied(&self, minor: i64) {
        self.set_number(format!("M#{}", self.id(1)), "WALLET#bill_credit#USD", "applied", minor).await;
    }

    async fn acknowledge(&self, difference: &Difference) {
        acknowledge_difference(&self.app, &"ann".into(), &difference.id(), "ticket 31").await.unwrap();
    }
}

#[tokio::test]
async fn the_verification_goes_on_behind_an_acknowledged_difference() {
    let b = earned().await;
    b.set_applied(500).await;
    b.set_number(format!("M#{}", b.id(1)), "WALLET#bill_credit#USD", "moved_at", 7).await;
    b.set_number("PAYMENT#stripe:in_1002".to_owned(), "PAYMENT", "known_at", 7).await;
    let mut problems = Vec::new();
    while let Some(difference) = next_difference(&b).await {
        assert_eq!(next_difference(&b).await.as_ref(), Some(&difference), "it stands there");
        problems.push(difference.to_string());
        b.acknowledge(&difference).await;
    }
    assert_eq!(problems.len(), 3, "{problems:#?}");
    for part in ["invoices used +500 more than they did", "it moved at", "what settled has digest"] {
        assert_eq!(problems.iter().filter(|problem| problem.contains(part)).count(), 1, "{problems:#?}");
    }
    let findings = findings(&b.app).await.unwrap();
    assert_eq!((findings.found, findings.acknowledged.len()), (None, 3));
    assert!(findings.acknowledged.iter().all(|known| known.reason == "ticket 31"));
    assert_eq!(verify_next(&b.app, 60).await.unwrap().acknowledged, 3);
}

#[tokio::test]
async fn an_acknowledged_difference_that_changes_rings_again() {
    let b = earned().await;
    b.set_applied(500).await;
    let difference = next_difference(&b).await.unwrap();
    b.acknowledge(&difference).await;
    assert_eq!(next_difference(&b).await, None);
    // Movements of the wallet do not change it.
    b.refer(1, 50).await;
    b.pay(50, "in_50").await;
    b.settle(1).await;
    b.project_all().await;
    assert_eq!(next_difference(&b).await, None);
    b.set_applied(501).await;
    let changed = next_difference(&b).await.unwrap();
    assert_ne!(changed.id(), difference.id());
    let trail = b.calm().audit().trail("2026-11", None, 10).await.unwrap();
    let line = trail.iter().find(|line| line.action == "verification.acknowledge").unwrap();
    assert_eq!((line.principal.as_str(), line.reason.as_str()), ("ann", "ticket 31"));
}

#[tokio::test]
async fn only_the_difference_at_hand_can_be_acknowledged_and_once() {
    let b = earned().await;
    let refused = acknowledge_difference(&b.app, &"ann".into(), "0123456789abcdef", "ticket 31").await;
    assert!(matches!(refused, Err(AcknowledgeRefusal::Unknown)));
    b.set_applied(500).await;
    let difference = next_difference(&b).await.unwrap();
    let refused = acknowledge_difference(&b.app, &"ann".into(), "0123456789abcdef", "ticket 31").await;
    assert!(matches!(refused, Err(AcknowledgeRefusal::Unknown)));
    assert_eq!(findings(&b.app).await.unwrap().found.unwrap().0.id, difference.id());
    b.acknowledge(&difference).await;
    let again = acknowledge_difference(&b.app, &"bob".into(), &difference.id(), "mine").await.unwrap();
    assert_eq!((again.by.as_str(), again.reason.as_str()), ("ann", "ticket 31"), "the first stays");
}
