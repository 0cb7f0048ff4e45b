//! The one-machine stack keeps what it acknowledged, also through `kill -9`, and refuses a bad start with a
//! sentence.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

mod support;

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
};

use support::*;

#[test]
fn what_was_acknowledged_survives_kill_9_and_is_worked_off_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3_u32 {
        let running = start(folder.path());
        for id in 1..=5 {
            start_member(&running.address, round * 5 + id);
        }
        // Dropped without a word: the projections of the last members may still be outstanding.
        drop(running);
    }
    let running = start(folder.path());
    change(folder.path(), &running, "/local/drain", "{}");
    let token = "x-admin-token: operators-token";
    for id in 1..=15 {
        let path = format!("/api/admin/credits/user/{id}");
        let answer = request(&running.address, "GET", &path, token, "");
        assert!(
            answer.contains(&format!("\"user_id\":\"{id}\"")) && answer.contains("\"referral_code\":\""),
            "{answer}"
        );
    }
    let queues = request(&running.address, "GET", "/local/queues", "accept: */*", "");
    assert!(!queues.contains("\"dead\":1"), "{queues}");
}

#[test]
fn the_clock_does_not_run_back_at_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let now = |running: &Running| -> i64 {
        let answer = request(&running.address, "GET", "/local/clock", "accept: */*", "");
        let digits = answer.split_once("\"unix_seconds\":").unwrap().1;
        digits.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
    };
    let running = start(folder.path());
    let before = now(&running);
    change(folder.path(), &running, "/local/clock", "{\"advance_seconds\":864000}");
    drop(running);
    assert!(now(&start(folder.path())) >= before + 864_000);
}

#[test]
fn the_clock_has_an_end_and_nothing_moves_it_without_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    let json = "content-type: application/json";
    let refused = request(&running.address, "POST", "/local/clock", json, "{\"advance_seconds\":1}");
    assert!(refused.starts_with("HTTP/1.1 401") && refused.contains("no_local_token"), "{refused}");
    let nine_years = format!("{{\"advance_seconds\":{}}}", 9 * 366 * 86_400);
    let moved = change(folder.path(), &running, "/local/clock", &nine_years);
    assert!(moved.starts_with("HTTP/1.1 200"), "{moved}");
    let refused = change(folder.path(), &running, "/local/clock", &nine_years);
    assert!(refused.contains("clock_at_its_end"), "{refused}");
}

#[cfg(unix)]
#[test]
fn the_data_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    start_member(&running.address, 1);
    change(folder.path(), &running, "/local/drain", "{}");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let data = folder.path().join("data");
    assert_eq!(mode(&data), 0o700);
    let mut seen = 0;
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 4, "secrets, token, table and queues are there: {seen}");
}

#[cfg(unix)]
#[test]
fn beside_a_real_token_there_are_no_tools() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path());
    command.env("STRIPE_API_KEY", "sk_live_real").env("GUERDON_LOCAL_TOKEN", "known");
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let greeting = lines
        .find_map(|line| line.unwrap().split_once("running on http://").map(|(_, rest)| rest.to_owned()));
    let address = greeting.unwrap().split_whitespace().next().unwrap().to_owned();
    std::thread::spawn(move || lines.for_each(drop));
    let running = Running { child, address };
    let headers = "content-type: application/json\r\nx-local-token: known";
    for (method, path) in
        [("POST", "/local/clock"), ("GET", "/local/outbox/1"), ("GET", "/sim"), ("GET", "/sim/api/state")]
    {
        let answer = request(&running.address, method, path, headers, "");
        assert!(answer.starts_with("HTTP/1.1 404"), "{method} {path}: {answer}");
    }
}

#[test]
fn a_bad_setting_stops_the_start_with_a_sentence_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    for (name, value, expected) in [
        ("GUERDON_PORT", "eighty", "GUERDON_PORT must be a whole number from 0 to 65535"),
        ("GUERDON_HOST", "localhost", "GUERDON_HOST must be an IP address"),
        ("GUERDON_PRESET", "nope", "GUERDON_PRESET there is no preset 'nope'; there is: bitten"),
        ("GUERDON_BOT_USERNAME", "a b", "GUERDON_BOT_USERNAME"),
        ("GUERDON_LOG", "loud", "GUERDON_LOG must be one of error, warn, info, debug"),
        ("GUERDON_PSEUDONYM_KEY", "short", "GUERDON_PSEUDONYM_KEY must have at least 16 bytes"),
        ("ADMIN_TOKEN", "1234", "ADMIN_TOKEN must have at least 12 characters"),
        ("GUERDON_ADMIN_CALLS_PER_MINUTE", "0", "GUERDON_ADMIN_CALLS_PER_MINUTE must be a whole number"),
    ] {
        let output = command(folder.path()).env(name, value).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && complaint.contains(expected), "{name}={value}: {complaint}");
    }
}

#[test]
fn made_up_secrets_are_shown_once_and_no_admin_token_is_made_up() {
    let folder = tempfile::tempdir().unwrap();
    let greeting = || {
        let mut command = command(folder.path());
        command.env_remove("ADMIN_TOKEN").env_remove("TELEGRAM_WEBHOOK_SECRET");
        until_greeted(command.spawn().unwrap())
    };
    let (first, second) = (greeting(), greeting());
    assert!(first.contains("TELEGRAM_WEBHOOK_SECRET was not set and was made up: "), "{first}");
    assert!(!second.contains("was made up"), "{second}");
    for text in [first, second] {
        assert!(text.contains("ADMIN_TOKEN is not set: the operators' API refuses every call."), "{text}");
    }
}

/// 300 half-sent requests are more than the process has file handles.
#[test]
fn with_256_file_handles_webhooks_are_answered_beside_300_half_sent_requests() {
    let folder = tempfile::tempdir().unwrap();
    let plain = command(folder.path());
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 256 && exec \"$0\""]).arg(plain.get_program()).current_dir(folder.path());
    limited.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = started(limited);
    let mut slow = Vec::new();
    for n in 0..300 {
        let mut socket = TcpStream::connect(&running.address).unwrap();
        write!(socket, "POST /telegram/webhook HTTP/1.1\r\nhost: localhost\r\n").unwrap();
        slow.push(socket);
        if n % 50 == 0 || n == 299 {
            let header = "x-telegram-bot-api-secret-token: webhook-secret";
            let body = format!(r#"{{"update_id":{n}}}"#);
            let answer = request(&running.address, "POST", "/telegram/webhook", header, &body);
            assert!(answer.starts_with("HTTP/1.1 200"), "beside {n}: {answer}");
        }
    }
}
