//! The data folder: damage and mistakes are refused by name, the format before is upgraded, backups are restored.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

mod support;

use std::{fs, path::Path, process::Command};

use support::*;

/// What the command says, and whether it succeeded.
fn said(mut command: Command) -> (bool, String) {
    let output = command.output().unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

fn run(folder: &Path, words: &[&str]) -> (bool, String) {
    let mut command = command(folder);
    command.args(words);
    said(command)
}

/// The sentence with which a start on the folder is refused.
fn refusal(folder: &Path) -> String {
    let (started, text) = run(folder, &[]);
    assert!(!started, "{text}");
    text
}

fn user(running: &Running, id: u32) -> String {
    let path = format!("/api/admin/credits/user/{id}");
    request(&running.address, "GET", &path, "x-admin-token: operators-token", "")
}

/// A folder in which a stack has booked five members, and was killed.
fn used() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    (1..=5).for_each(|id| start_member(&running.address, id));
    folder
}

/// The bytes of every file of the data folder, by name, apart from what is only locked.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = fs::read_dir(folder.join("data"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap()))
        .filter(|(name, _)| !name.ends_with("-shm"))
        .collect();
    found.sort();
    found
}

#[test]
fn the_data_of_format_1_is_upgraded_and_a_copy_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/format-1");
    for file in ["table.db", "queues.db"] {
        fs::copy(old.join(file), data.join(file)).unwrap();
    }
    for _ in 0..2 {
        let mut command = command(folder.path());
        command.env("GUERDON_PSEUDONYM_KEY", "a-key-of-format-1");
        let running = started(command);
        for (id, code) in [(1, "NV9T65Q2"), (2, "ZS9CDJBW"), (3, "WA2HJJKS")] {
            assert!(user(&running, id).contains(code), "{}", user(&running, id));
        }
        change(folder.path(), &running, "/local/drain", "{}");
    }
    for (file, kept) in [("table.db", "table.format-1.db"), ("queues.db", "queues.format-1.db")] {
        assert_eq!(fs::read(data.join(kept)).unwrap(), fs::read(old.join(file)).unwrap(), "{kept}");
    }
}

#[test]
fn a_damaged_file_of_format_1_is_refused_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let mut bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/format-1/table.db")).unwrap();
    // The length of the second entry: the reader of format 1 took all that follows for a torn end.
    let second = 16 + u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
    bytes[second + 2] ^= 0x10;
    fs::write(data.join("table.db"), &bytes).unwrap();
    // Nor is it upgraded with a key that was made up just now.
    let refused = refusal(folder.path());
    assert!(refused.contains("its GUERDON_PSEUDONYM_KEY is not"), "{refused}");
    let mut with_key = command(folder.path());
    with_key.env("GUERDON_PSEUDONYM_KEY", "a-key-of-format-1");
    let (_, refused) = said(with_key);
    assert!(refused.contains("table.db is damaged") && refused.contains("whole entries follow"), "{refused}");
    assert_eq!(fs::read(data.join("table.db")).unwrap(), bytes);
}

#[test]
fn data_of_another_preset_or_key_is_refused_until_it_is_meant() {
    let folder = used();
    let with = |name: &str, value: &str, words: &[&str]| {
        let mut command = command(folder.path());
        command.env(name, value).args(words);
        said(command)
    };
    for words in [&[][..], &["verify-ledger"]] {
        let (_, text) = with("GUERDON_PRESET", "ott", words);
        assert!(text.contains("was made with GUERDON_PRESET=bitten, and it is ott now"), "{text}");
        let (_, text) = with("GUERDON_PSEUDONYM_KEY", "another-key-0123456789", words);
        assert!(
            text.contains("another GUERDON_PSEUDONYM_KEY: with this one no member would be found"),
            "{text}"
        );
    }
    let (done, text) = with("GUERDON_PRESET", "ott", &["change-preset"]);
    assert!(done && text.contains("The data has preset ott now"), "{text}");
    assert!(with("GUERDON_PRESET", "ott", &["verify-ledger"]).0);
}

#[test]
fn lost_and_torn_files_are_refused_and_nothing_is_made_in_their_place() {
    let check = |file: &str, content: Option<&[u8]>, expected: &str| {
        let folder = used();
        let path = folder.path().join("data").join(file);
        match content {
            Some(content) => fs::write(&path, content).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let before = files(folder.path());
        for words in [&[][..], &["verify-ledger"]] {
            let (done, text) = run(folder.path(), words);
            assert!(!done && text.contains(expected), "{file} {words:?}: {text}");
        }
        if file == "table.db" {
            assert_eq!(files(folder.path()), before, "{file}");
        }
    };
    check("table.db", None, "table.db is missing, though");
    check("table.db", Some(b""), "table.db is empty");
    check("table.db-wal", Some(b""), "commits were acknowledged, and only");
    check("secrets.json", Some(b"{\"GUERDON_PSEUDONYM_KEY\": \"ab"), "secrets.json is unusable");
    check("secrets.json", None, "was made with another GUERDON_PSEUDONYM_KEY");
}

#[test]
fn queues_of_format_1_without_their_table_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/queues.db"), "x").unwrap();
    assert!(refusal(folder.path()).contains("table.db is missing, though"), "{}", refusal(folder.path()));
}

#[test]
fn a_second_stack_is_refused_and_the_ledger_is_verified_beside_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    start_member(&running.address, 1);
    assert!(refusal(folder.path()).contains("is in use by another process"));
    let (done, text) = run(folder.path(), &["verify-ledger"]);
    assert!(done && text.contains("The ledger is sound."), "{text}");
    start_member(&running.address, 2);
}

#[test]
fn a_backup_is_made_beside_a_running_stack_and_restored_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    (1..=3).for_each(|id| start_member(&running.address, id));
    let (done, text) = run(folder.path(), &["backup", "copies"]);
    assert!(done && text.contains("every page was verified"), "{text}");
    start_member(&running.address, 4);
    let made = fs::read_dir(folder.path().join("copies")).unwrap().next().unwrap().unwrap().path();
    let (done, text) = run(folder.path(), &["restore", made.to_str().unwrap()]);
    assert!(!done && text.contains("a backup is restored into an empty folder"), "{text}");

    let elsewhere = tempfile::tempdir().unwrap();
    let (done, text) = run(elsewhere.path(), &["restore", made.to_str().unwrap()]);
    assert!(done, "{text}");
    assert!(run(elsewhere.path(), &["verify-ledger"]).0);
    let restored = start(elsewhere.path());
    assert!(user(&restored, 3).contains("\"user_id\":\"3\""));
    assert!(user(&restored, 4).starts_with("HTTP/1.1 404"), "it was made before the fourth came");
    assert!(user(&running, 4).contains("\"user_id\":\"4\""));
}

#[test]
fn secrets_of_a_start_that_failed_are_shown_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let mut first = command(folder.path());
    first.env_remove("TELEGRAM_WEBHOOK_SECRET").env("GUERDON_PORT", &port);
    let (started, text) = said(first);
    assert!(!started && text.contains("is another one running?"), "{text}");
    let kept = fs::read_to_string(folder.path().join("data/secrets.json")).unwrap();
    assert!(kept.contains("\"NOT_SHOWN_YET\": \"GUERDON_PSEUDONYM_KEY TELEGRAM_WEBHOOK_SECRET"), "{kept}");
    let second = command(folder.path()).env_remove("TELEGRAM_WEBHOOK_SECRET").spawn().unwrap();
    let shown = until_greeted(second);
    assert!(shown.contains("TELEGRAM_WEBHOOK_SECRET was not set and was made up: "), "{shown}");
    let kept = fs::read_to_string(folder.path().join("data/secrets.json")).unwrap();
    assert!(!kept.contains("NOT_SHOWN_YET"), "{kept}");
}

/// A second SQLite in another process takes the log away when it believes that it is alone.
#[test]
fn a_backup_of_its_own_leaves_the_running_stack_its_locks() {
    let folder = tempfile::tempdir().unwrap();
    let copies = folder.path().join("copies");
    let mut command = command(folder.path());
    command.env("GUERDON_BACKUP_FOLDER", &copies);
    let running = started(command);
    let whole = || {
        fs::read_dir(&copies).is_ok_and(|found| {
            found
                .flatten()
                .any(|entry| entry.path().extension().is_none() && entry.path().join("table.db").exists())
        })
    };
    let waited = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        whole()
    });
    assert!(waited, "a backup is made at the start");
    let data = folder.path().join("data");
    let look = rusqlite::Connection::open(data.join("table.db")).unwrap();
    let rows: i64 = look.query_row("SELECT COUNT(*) FROM facts", [], |row| row.get(0)).unwrap();
    drop(look);
    assert!(rows > 0 && data.join("table.db-wal").exists());
    start_member(&running.address, 7);
    drop(running);
    assert!(user(&start(folder.path()), 7).contains("\"user_id\":\"7\""));
}

#[test]
fn a_backup_is_not_restored_beside_the_log_of_another_database() {
    let folder = used();
    assert!(run(folder.path(), &["backup", "copies"]).0);
    let made = fs::read_dir(folder.path().join("copies")).unwrap().next().unwrap().unwrap().path();
    for file in ["table.db", "table.mark", "secrets.json"] {
        fs::remove_file(folder.path().join("data").join(file)).unwrap();
    }
    let (done, text) = run(folder.path(), &["restore", made.to_str().unwrap()]);
    assert!(!done && text.contains("table.db-wal exists"), "{text}");
    assert!(refusal(folder.path()).contains("is missing, though its log (-wal) is there"));
}

#[test]
fn a_damaged_backup_leaves_nothing_and_a_good_one_is_restored_afterwards() {
    let folder = used();
    assert!(run(folder.path(), &["backup", "copies"]).0);
    let made = fs::read_dir(folder.path().join("copies")).unwrap().next().unwrap().unwrap().path();
    let bad = folder.path().join("bad");
    fs::create_dir(&bad).unwrap();
    let mut bytes = fs::read(made.join("table.db")).unwrap();
    bytes[9000..9100].fill(0x5A);
    fs::write(bad.join("table.db"), bytes).unwrap();
    fs::copy(made.join("secrets.json"), bad.join("secrets.json")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let (done, text) = run(elsewhere.path(), &["restore", bad.to_str().unwrap()]);
    assert!(!done && text.contains("table.db"), "{text}");
    let (done, text) = run(elsewhere.path(), &["restore", made.to_str().unwrap()]);
    assert!(done, "{text}");
    assert!(run(elsewhere.path(), &["verify-ledger"]).0);
}
