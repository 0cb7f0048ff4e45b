//! Records of schedules: their runs, and the cursor of the verification.

use guerdon_domain::programs::Program;
use guerdon_store::{
    jobs::JobRun,
    verification::{AcknowledgedDifference, FoundDifference, KnownProgram, ScanCursor},
};
use serde_json::json;

use crate::{check, support::*};

#[tokio::test]
async fn runs_that_went_well_and_that_failed() {
    let run = JobRun {
        job: "hold-release".to_owned(),
        started_at: NOW,
        ended_at: NOW.plus_seconds(4),
        report: Some(r#"{"released":12}"#.to_owned()),
        error: None,
        id: "c0ffee00c0ff".to_owned(),
    };
    let error = Some("the table does not answer".to_owned());
    let failed = JobRun { report: None, error, ..run.clone() };
    for (run, name) in [(run, "job_run"), (failed, "job_run_failed")] {
        let table = table().await;
        table.store.jobs().put(&run).await.unwrap();
        check(&table, "job_run", name).await;
    }
}

#[tokio::test]
async fn a_verification_under_way_and_one_at_the_beginning() {
    let table = table().await;
    let at = json!({ "pk": format!("M#{}", id(1)), "sk": "MEMBER" });
    let cursor: ScanCursor = serde_json::from_value(at).unwrap();
    table.store.verification().keep_cursor(Some(&cursor), None, NOW).await.unwrap();
    check(&table, "verification", "verification_under_way").await;
    assert_eq!(table.store.verification().cursor().await.unwrap(), Some(cursor));
    table.store.verification().keep_cursor(None, None, NOW.plus_seconds(3600)).await.unwrap();
    check(&table, "verification", "verification_at_the_beginning").await;
}

fn found() -> FoundDifference {
    FoundDifference {
        id: "0123456789abcdef".to_owned(),
        subject: "wallet bill_credit USD of 5f2a1c0d9e8b".to_owned(),
        problem: "the wallet says that invoices used +500 more than they did".to_owned(),
    }
}

#[tokio::test]
async fn a_verification_that_stands_at_a_difference() {
    let table = table().await;
    table.store.verification().keep_cursor(None, Some(found()), NOW).await.unwrap();
    check(&table, "verification", "verification_at_a_difference").await;
    assert_eq!(table.store.verification().found().await.unwrap(), Some((found(), NOW)));
}

#[tokio::test]
async fn an_acknowledged_difference_and_a_known_program() {
    let table = table().await;
    let FoundDifference { id, subject, problem } = found();
    let (reason, by) = ("deleted by hand, ticket 31".to_owned(), "ann".into());
    let known = AcknowledgedDifference { id, subject, problem, reason, by, at: NOW };
    table.store.commit(&[table.store.verification().acknowledge(&known, ()).unwrap()]).await.unwrap();
    check(&table, "acknowledged_difference", "acknowledged_difference").await;
    assert_eq!(table.store.verification().acknowledged().await.unwrap(), [known]);
    let program: Program = serde_json::from_value(json!({ "version": 1 })).unwrap();
    let known = KnownProgram { program, seen_at: NOW };
    table.store.verification().remember_program(&known).await.unwrap();
    check(&table, "known_program", "known_program").await;
    assert_eq!(table.store.verification().known_programs().await.unwrap(), [known]);
}
