//! What is written is there afterwards: for many callers at once, after the last clone, on a full disk, in a copy.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{path::PathBuf, sync::atomic::Ordering};

use guerdon_database::{
    copy::{copy, verify},
    database::Database,
    error::DatabaseError,
};
use rusqlite::{Connection, params};
use tempfile::TempDir;

const SCHEMA: &str = "CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL);";

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.db");
    (folder, path)
}

fn insert(file: &Connection, id: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO rows (id, text) VALUES (?1, ?2)";
    file.prepare_cached(sql)?.execute(params![id, "x".repeat(500)]).map(|_| ())
}

fn count(database: &Database) -> i64 {
    database.read(|file| file.query_row("SELECT COUNT(*) FROM rows", [], |row| row.get(0))).unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_of_many_are_committed_together_and_each_waits_for_its_own() {
    let (_folder, path) = place();
    let database = Database::open(&path, &[SCHEMA]).unwrap();
    let tasks = (0..400).map(|id| {
        let database = database.clone();
        tokio::spawn(async move {
            let ((), ticket) = database.write(|file| insert(file, id)).unwrap();
            ticket.settled().await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(database.work().writes.load(Ordering::Relaxed), 400);
    assert!(database.work().syncs.load(Ordering::Relaxed) < 400, "they share their syncs");
    assert!(database.read(|_| Ok(())).unwrap().1.is_settled(), "nothing is left to wait for");
    assert_eq!(count(&database), 400);
}

#[test]
fn what_was_written_before_the_last_clone_went_is_there_afterwards() {
    let (_folder, path) = place();
    for round in 0..3 {
        let database = Database::open(&path, &[SCHEMA]).unwrap();
        assert_eq!(count(&database), round);
        let _unsettled = database.write(|file| insert(file, round)).unwrap();
    }
}

#[test]
fn a_change_that_fails_leaves_nothing_and_the_others_of_its_group_stay() {
    let (_folder, path) = place();
    let database = Database::open(&path, &[SCHEMA]).unwrap();
    let ((), first) = database.write(|file| insert(file, 1)).unwrap();
    let twice = |file: &Connection| insert(file, 2).and_then(|()| insert(file, 1));
    assert!(matches!(database.write(twice), Err(DatabaseError::Failed(_))));
    let ((), last) = database.write(|file| insert(file, 3)).unwrap();
    first.wait().and_then(|()| last.wait()).unwrap();
    let ids = |file: &Connection| -> rusqlite::Result<Vec<i64>> {
        file.prepare("SELECT id FROM rows")?.query_map([], |row| row.get(0))?.collect()
    };
    assert_eq!(database.read(ids).unwrap().0, [1, 3]);
}

#[test]
fn on_a_full_disk_nothing_is_acknowledged_and_it_goes_on_by_itself() {
    let (_folder, path) = place();
    let database = Database::open(&path, &[SCHEMA]).unwrap();
    let allow = |pages: i64| {
        database
            .write(|file| file.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())))
            .unwrap()
    };
    allow(40).1.wait().unwrap();
    let mut kept = 0;
    let refused = loop {
        match database.write(|file| insert(file, kept)).and_then(|((), ticket)| ticket.wait()) {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, DatabaseError::Full);
    assert!(kept > 50 && database.shortages() > 0);
    assert_eq!(count(&database), kept, "what was refused is not there");
    allow(1000).1.wait().unwrap();
    database.write(|file| insert(file, kept)).unwrap().1.wait().unwrap();
    assert_eq!(count(&database), kept + 1);
}

#[test]
fn a_copy_is_whole_while_others_write_and_is_a_database_of_its_own() {
    let (folder, path) = place();
    let database = Database::open(&path, &[SCHEMA]).unwrap();
    let write = |id| database.write(|file| insert(file, id)).unwrap().1.wait().unwrap();
    (0..2000).for_each(write);
    let to = folder.path().join("copy.db");
    let mut more = 2000..;
    let mut seen = Vec::new();
    let copied = copy(&path, &to, &mut |done, all| {
        write(more.next().unwrap());
        seen.push((done, all));
    });
    let copied = copied.unwrap();
    assert!(seen.last().is_some_and(|(done, all)| done == all));
    assert_eq!(verify(&to).unwrap(), copied.commits);
    let other = Database::open(&to, &[SCHEMA]).unwrap();
    assert_eq!(count(&other), 2000);
    other.write(|file| insert(file, 9999)).unwrap().1.wait().unwrap();
    assert_eq!(count(&other), 2001);
}

#[test]
fn one_process_writes_and_others_read_one_moment() {
    let (_folder, path) = place();
    let database = Database::open(&path, &[SCHEMA]).unwrap();
    database.write(|file| insert(file, 1)).unwrap().1.wait().unwrap();
    assert!(matches!(Database::open(&path, &[SCHEMA]), Err(DatabaseError::InUse(_))));
    let reader = Database::reader(&path).unwrap();
    database.write(|file| insert(file, 2)).unwrap().1.wait().unwrap();
    assert_eq!((count(&reader), count(&database)), (1, 2));
    assert!(matches!(reader.write(|file| insert(file, 3)), Err(DatabaseError::ReadOnly)));
}

#[test]
fn the_log_begins_anew_and_does_not_grow_for_ever() {
    let (_folder, path) = place();
    let database = Database::open(&path, &[SCHEMA]).unwrap();
    let log = path.with_file_name("table.db-wal");
    let mut longest = 0;
    for round in 0..40 {
        let change =
            |file: &Connection| (round * 5000..(round + 1) * 5000).try_for_each(|id| insert(file, id));
        database.write(change).unwrap().1.wait().unwrap();
        longest = longest.max(std::fs::metadata(&log).unwrap().len());
        std::thread::sleep(std::time::Duration::from_millis(60));
    }
    let data = std::fs::metadata(&path).unwrap().len();
    assert!(longest < 100 << 20 && longest < data * 2, "{longest} beside {data}");
    assert_eq!(count(&database), 200_000);
}
