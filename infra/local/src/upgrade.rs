//! The data of format 1, moved into one database: `table.db` in a format of our own, and `queues.db`.
//!
//! The new file is made beside the old one and then takes its place, so a crash leaves the one or the other. The old
//! files stay, under other names.

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use guerdon_database::{copy, database::Database};
use guerdon_engine::engine;
use rusqlite::{Connection, OpenFlags, params};

use crate::{files::DATABASE, progress::Progress, queue::wall_millis};

/// The queues' file of format 1.
pub(crate) const QUEUES: &str = "queues.db";
/// The copies of the old files.
const OLD_TABLE: &str = "table.format-1.db";
const OLD_QUEUES: &str = "queues.format-1.db";
const BESIDE: &str = "upgrade.db";

/// Upgrades a folder in place, to a database with these tables.
///
/// # Errors
/// A sentence that names the damaged or unreadable file; the old files are then as they were.
pub(crate) fn run(folder: &Path, schemas: &[&str]) -> anyhow::Result<()> {
    let (table, queues, beside) = (folder.join(DATABASE), folder.join(QUEUES), folder.join(BESIDE));
    for left in ["upgrade.db", "upgrade.db-wal", "upgrade.db-shm", "upgrade.mark", "upgrade.new"] {
        fs::remove_file(folder.join(left)).ok();
    }
    let mut progress = Progress::new("Upgrading the data to format 2");
    {
        let database = Database::open(&beside, schemas)?;
        engine::copy_format_1(&table, &database, &mut |done, all| progress.at(done as u64, all as u64))?;
        if queues.exists() {
            copy_queues(&queues, &database)?;
        }
    }
    progress.end();
    let log = folder.join("upgrade.db-wal");
    ensure!(!log.exists(), "the new database could not be closed, as on a full disk; nothing was changed");
    copy::verify(&beside)?;
    fs::File::open(&beside).and_then(|file| file.sync_all()).context("the new database cannot be synced")?;
    keep_old(&table, &folder.join(OLD_TABLE))?;
    fs::rename(&beside, &table).context("the new table.db cannot be moved to its place")?;
    fs::remove_file(folder.join("upgrade.mark")).ok();
    if queues.exists() {
        fs::rename(&queues, folder.join(OLD_QUEUES)).context("the old queues.db cannot be kept")?;
    }
    tracing::info!("the data was upgraded to format 2; the old files stay as *.format-1.db");
    Ok(())
}

/// Gives the old file a second name, before the new one takes its place at once. A crash may have been in between.
fn keep_old(table: &Path, kept: &Path) -> anyhow::Result<()> {
    if kept.exists() {
        let same = fs::read(table)? == fs::read(kept)?;
        ensure!(same, "{} exists and is another file; move it away", kept.display());
        return Ok(());
    }
    fs::hard_link(table, kept).with_context(|| format!("{} cannot be kept", table.display()))
}

fn copy_queues(from: &Path, database: &Database) -> anyhow::Result<()> {
    let damaged = || format!("{} cannot be read; nothing was changed", from.display());
    let old = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE).with_context(damaged)?;
    let read = || -> rusqlite::Result<_> {
        let messages: Vec<(i64, String, String, i64, i64)> = old
            .prepare("SELECT id, queue, body, receives, dead FROM messages ORDER BY id")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let marks: Vec<(String, String)> = old
            .prepare("SELECT name, value FROM marks")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        Ok((messages, marks))
    };
    let (messages, marks) = read().with_context(damaged)?;
    let now = wall_millis();
    let (_, ticket) = database.write(|file| {
        for (id, queue, body, receives, dead) in &messages {
            let sql = "INSERT INTO messages (id, queue, body, receives, dead, sent_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            file.execute(sql, params![id, queue, body, receives, dead, now])?;
        }
        for (name, value) in &marks {
            file.execute("INSERT INTO marks (name, value) VALUES (?1, ?2)", params![name, value])?;
        }
        Ok(())
    })?;
    Ok(ticket.wait()?)
}
