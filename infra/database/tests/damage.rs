//! Damage is found, named and never made worse: a flipped bit or a zeroed page, anywhere in the files.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use guerdon_database::{database::Database, error::DatabaseError};
use rusqlite::{Connection, params};

const SCHEMA: &str = "CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
                      CREATE INDEX by_text ON rows (text);";
const ROWS: i64 = 3000;
const FILES: [&str; 2] = ["table.db", "table.db-wal"];
const PAGE: usize = 4096;
/// Places in each file; `DAMAGED` in the environment asks for more.
const PLACES: usize = 60;

/// The files of a database whose process was killed: part of the rows is in the log only.
fn killed(folder: &Path) -> PathBuf {
    let live = folder.join("live");
    let kept = folder.join("kept");
    fs::create_dir_all(&live).unwrap();
    fs::create_dir_all(&kept).unwrap();
    let path = live.join("table.db");
    let database = Database::open(&path, &[SCHEMA]).unwrap();
    for id in 0..ROWS {
        if id == ROWS / 2 {
            // The thread that checkpoints copies the first half into the database.
            std::thread::sleep(std::time::Duration::from_millis(1200));
        }
        let insert = |file: &Connection| {
            let text = format!("{id:06}{}", "x".repeat(usize::try_from(id % 700).unwrap()));
            file.execute("INSERT INTO rows (id, text) VALUES (?1, ?2)", params![id, text])
        };
        let (_, ticket) = database.write(insert).unwrap();
        if id % 50 == 49 {
            ticket.wait().unwrap();
        }
    }
    for file in FILES.into_iter().chain(["table.mark"]) {
        fs::copy(live.join(file), kept.join(file)).unwrap();
    }
    kept
}

/// All that can be read: the number of rows, and their texts through the table and through the index.
fn read(database: &Database) -> Result<(i64, String, String), DatabaseError> {
    let look = |file: &Connection| {
        let sum = "SELECT GROUP_CONCAT(LENGTH(text)) FROM (SELECT text FROM rows ORDER BY id)";
        let by_text =
            "SELECT GROUP_CONCAT(LENGTH(text)) FROM (SELECT text FROM rows INDEXED BY by_text ORDER BY text)";
        Ok((
            file.query_row("SELECT COUNT(*) FROM rows", [], |row| row.get(0))?,
            file.query_row(sum, [], |row| row.get(0))?,
            file.query_row(by_text, [], |row| row.get(0))?,
        ))
    };
    database.read(look).map(|(seen, _)| seen)
}

/// Opens a copy of the folder after `damage` and reads everything. True when the damage was harmless; it panics when it
/// was neither that nor refused, and when a file became shorter or, refused, changed.
fn is_harmless(kept: &Path, expected: &(i64, String, String), damage: impl FnOnce(&Path)) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let at = |file: &str| folder.path().join(file);
    for file in FILES.into_iter().chain(["table.mark"]) {
        fs::copy(kept.join(file), at(file)).unwrap();
    }
    damage(folder.path());
    let before: Vec<_> = FILES.map(|file| fs::read(at(file)).unwrap()).into();
    let seen = Database::open(&at("table.db"), &[SCHEMA]).and_then(|database| {
        let seen = read(&database);
        // As a kill would: nothing is tidied up.
        std::mem::forget(database);
        seen
    });
    for (file, before) in FILES.into_iter().zip(&before) {
        let after = fs::read(at(file)).unwrap();
        assert!(after.len() >= before.len(), "{file} became shorter");
        assert!(seen.is_ok() || &after == before, "{file} was changed although it was refused");
    }
    match seen {
        Ok(seen) => {
            assert_eq!(&seen, expected, "read as if nothing had happened");
            true
        }
        Err(DatabaseError::Damaged { .. }) => false,
        Err(other) => panic!("not named: {other}"),
    }
}

/// Numbers from `0` to `below`, without a pattern, the same in each run.
fn scattered(below: usize, seed: u64) -> impl Iterator<Item = usize> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    })
}

fn places() -> usize {
    std::env::var("DAMAGED").ok().and_then(|text| text.parse().ok()).unwrap_or(PLACES)
}

#[test]
fn a_flipped_bit_is_harmless_or_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let kept = killed(folder.path());
    let mut expected = None;
    is_harmless_first(&kept, &mut expected);
    let expected = expected.unwrap();
    let mut refused = 0;
    for (seed, file) in (1..).zip(FILES) {
        let length = fs::metadata(kept.join(file)).unwrap().len();
        for place in scattered(usize::try_from(length).unwrap(), seed).take(places()) {
            let harmless = is_harmless(&kept, &expected, |folder| {
                let mut bytes = fs::read(folder.join(file)).unwrap();
                bytes[place] ^= 1 << (place % 8);
                fs::write(folder.join(file), bytes).unwrap();
            });
            refused += usize::from(!harmless);
        }
    }
    assert!(refused > places(), "most damage is noticed: {refused} of {}", places() * 2);
}

#[test]
fn a_zeroed_page_is_harmless_or_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let kept = killed(folder.path());
    let mut expected = None;
    is_harmless_first(&kept, &mut expected);
    let expected = expected.unwrap();
    for (seed, file) in (11..).zip(FILES) {
        let pages = usize::try_from(fs::metadata(kept.join(file)).unwrap().len()).unwrap() / PAGE;
        for page in scattered(pages, seed).take(places()).chain([0, 1]) {
            is_harmless(&kept, &expected, |folder| {
                let mut bytes = fs::read(folder.join(file)).unwrap();
                bytes[page * PAGE..(page + 1) * PAGE].fill(0);
                fs::write(folder.join(file), bytes).unwrap();
            });
        }
    }
}

#[test]
fn a_missing_emptied_or_foreign_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let kept = killed(folder.path());
    let mut expected = None;
    is_harmless_first(&kept, &mut expected);
    let expected = expected.unwrap();
    let check = |damage: &dyn Fn(&Path)| assert!(!is_harmless(&kept, &expected, damage));
    check(&|folder| fs::write(folder.join("table.db"), "").unwrap());
    check(&|folder| fs::write(folder.join("table.db-wal"), "").unwrap());
    check(&|folder| fs::write(folder.join("table.db"), "SQLite format 2\0 and so on").unwrap());
    check(&|folder| {
        fs::write(folder.join("table.db-wal"), "").unwrap();
        Connection::open(folder.join("other")).unwrap().execute_batch("CREATE TABLE a (b)").unwrap();
        fs::rename(folder.join("other"), folder.join("table.db")).unwrap();
    });
    let alone = tempfile::tempdir().unwrap();
    fs::copy(kept.join("table.mark"), alone.path().join("table.mark")).unwrap();
    let missing = Database::open(&alone.path().join("table.db"), &[SCHEMA]).unwrap_err().to_string();
    assert!(
        missing.contains("table.db is missing, though") && missing.contains("guerdon restore"),
        "{missing}"
    );
}

/// What is read of the undamaged files.
fn is_harmless_first(kept: &Path, expected: &mut Option<(i64, String, String)>) {
    let folder = tempfile::tempdir().unwrap();
    for file in FILES.into_iter().chain(["table.mark"]) {
        fs::copy(kept.join(file), folder.path().join(file)).unwrap();
    }
    let database = Database::open(&folder.path().join("table.db"), &[SCHEMA]).unwrap();
    let seen = read(&database).unwrap();
    assert_eq!(seen.0, ROWS);
    *expected = Some(seen);
}
