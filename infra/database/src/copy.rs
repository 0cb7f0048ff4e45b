//! Copies of a database while it is in use: backups, and what is restored from them.

use std::{fs, path::Path, time::Duration};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
    params,
};

use crate::{
    database::Database,
    error::DatabaseError,
    open::{self, Snapshot},
    witness::Identity,
};

/// Pages that are copied between two reports of progress: 16 MB.
const STEP: i32 = 4096;

/// A finished copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Commits that it holds.
    pub commits: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Copies the database at `from` to the new file `to`, as of one moment, also while another process writes to it; then reads the whole copy once and compares its checksums. `progress` gets the pages that are copied and how
/// many there are.
///
/// # Errors
/// [`DatabaseError`]; `to` is then removed.
pub fn copy(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Copied, DatabaseError> {
    copy_snapshot(open::reader(from)?, from, to, progress)
}

/// Copies a database that this process has open to the new file `to`, as [`copy`] does.
///
/// # Errors
/// Those of [`copy`].
pub fn copy_open(
    database: &Database,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Copied, DatabaseError> {
    copy_snapshot(open::moment(database.path())?, database.path(), to, progress)
}

fn copy_snapshot(
    Snapshot { connection, commits, .. }: Snapshot,
    from: &Path,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Copied, DatabaseError> {
    let beside = to.with_extension("new");
    open::empty(&beside).map_err(|error| DatabaseError::refused(&beside, &error))?;
    let copied = copy_pages(&connection, &beside, progress).map_err(|error| DatabaseError::of(&error, from));
    // While it is held, the log cannot begin anew.
    drop(connection);
    let done = copied.and_then(|()| verify(&beside).map(|_| ())).and_then(|()| settle(&beside, to));
    if done.is_err() {
        fs::remove_file(&beside).ok();
    }
    done?;
    let bytes = fs::metadata(to).map_err(|error| DatabaseError::refused(to, &error))?.len();
    Ok(Copied { commits, bytes })
}

fn copy_pages(
    source: &Connection,
    beside: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> rusqlite::Result<()> {
    let mut target = Connection::open(beside)?;
    {
        let backup = Backup::new(source, &mut target)?;
        loop {
            let step = backup.step(STEP)?;
            let pages = backup.progress();
            let (all, left) = (pages.pagecount.unsigned_abs(), pages.remaining.unsigned_abs());
            progress(u64::from(all.saturating_sub(left)), u64::from(all));
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }
    target.close().map_err(|(_, error)| error)
}

/// Reads every page of a database that nobody uses, and checks their checksums and their order. Returns its commits.
///
/// # Errors
/// [`DatabaseError`] that names the damage.
pub fn verify(path: &Path) -> Result<u64, DatabaseError> {
    let Snapshot { connection, commits, .. } = open::reader(path)?;
    let checked = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
    match checked.map_err(|error| DatabaseError::of(&error, path))?.as_str() {
        "ok" => Ok(commits),
        problem => Err(DatabaseError::damaged(path, format!("is damaged: {problem}"))),
    }
}

/// Makes the copy a database of its own and moves it to its place.
fn settle(beside: &Path, to: &Path) -> Result<(), DatabaseError> {
    let refused = |error: std::io::Error| DatabaseError::refused(to, &error);
    let identity = open::new_identity(to)?;
    rename_identity(beside, identity).map_err(|error| DatabaseError::of(&error, beside))?;
    fs::File::open(beside).and_then(|file| file.sync_all()).map_err(refused)?;
    fs::rename(beside, to).map_err(refused)?;
    open::sync_folder_of(to).map_err(refused)
}

/// Gives the copy a name of its own, so that it is never taken for the database that it was copied from.
fn rename_identity(path: &Path, identity: Identity) -> rusqlite::Result<()> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let text = u128::from_le_bytes(identity).to_string();
    connection.execute("UPDATE facts SET value = ?1 WHERE name = 'identity'", params![text])?;
    connection.close().map_err(|(_, error)| error)
}
