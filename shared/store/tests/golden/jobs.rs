//! Records of schedules: their runs, and the cursor of the verification.

use guerdon_store::{jobs::JobRun, verification::ScanCursor};
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
    table.store.verification().keep_cursor(Some(&cursor), NOW).await.unwrap();
    check(&table, "verification", "verification_under_way").await;
    assert_eq!(table.store.verification().cursor().await.unwrap(), Some(cursor));
    table.store.verification().keep_cursor(None, NOW.plus_seconds(3600)).await.unwrap();
    check(&table, "verification", "verification_at_the_beginning").await;
}
