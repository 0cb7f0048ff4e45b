//! The metrics of one machine: on a port of their own, with the figures that the shipped alerts use.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

mod support;

use std::{net::TcpListener, path::Path};

use support::*;

/// What is there after one member and one look at them.
const EXPECTED: [&str; 6] = [
    "guerdon_queue_dead_letters{queue=\"payments\"} 0",
    "guerdon_stream_lag_records{reader=\"projector\"} 0",
    "guerdon_request_duration_seconds_count{route=\"/telegram/webhook\",status=\"2xx\"} 1",
    "guerdon_request_duration_seconds_count{route=\"/api/admin/credits/user/{user_id}\",status=\"2xx\"} 1",
    "guerdon_disk_free_bytes ",
    "guerdon_backup_age_seconds ",
];

#[test]
fn the_metrics_have_every_figure_that_an_alert_uses() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut command = command(folder.path());
    command.env("GUERDON_METRICS_PORT", &port).env("GUERDON_BACKUP_FOLDER", folder.path().join("backups"));
    let running = started(command);
    start_member(&running.address, 1);
    change(folder.path(), &running, "/local/drain", "{}");
    let path = "/api/admin/credits/user/1";
    request(&running.address, "GET", path, "x-admin-token: operators-token", "");
    let metrics_at = format!("127.0.0.1:{port}");
    assert!(request(&metrics_at, "GET", "/ready", "accept: */*", "").ends_with("ready\n"));
    let text = request(&metrics_at, "GET", "/metrics", "accept: */*", "");
    for expected in EXPECTED {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    let rules = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts.yml")).unwrap();
    let named =
        rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| w.starts_with("guerdon_"));
    for name in named {
        assert!(text.contains(&format!("\n{name}")), "{name} is in alerts.yml and not in the metrics");
    }
    assert!(request(&running.address, "GET", "/metrics", "accept: */*", "").starts_with("HTTP/1.1 40"));
}

#[test]
fn a_job_that_does_not_exist_cannot_be_switched_off() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path()).env("GUERDON_JOBS_OFF", "hold-release,sweep").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("GUERDON_JOBS_OFF has \"sweep\"; there is: "), "{said}");
}
