//! The thread that commits: whatever has been written meanwhile becomes one commit and one sync.
//!
//! A commit writes to SQLite's log without waiting (`synchronous=NORMAL`); the sync follows outside of the lock, so the
//! next group fills while the disk works. SQLite syncs the log by itself before it copies from it into the database.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, atomic::Ordering},
    thread::JoinHandle,
    time::Instant,
};

use crate::{
    error::DatabaseError,
    group::Group,
    open::{beside_with, sync_folder_of},
    shared::{Inner, Shared},
    witness::Testimony,
};

pub(crate) fn start(shared: Arc<Shared>) -> Result<JoinHandle<()>, DatabaseError> {
    let run = move || {
        let mut log = Log::new(&shared.path);
        while wait(&shared) {
            commit(&shared, &mut log);
        }
        // What was written before the last clone went away is committed too.
        commit(&shared, &mut log);
    };
    let thread = std::thread::Builder::new().name("commits".to_owned()).spawn(run);
    thread.map_err(|error| DatabaseError::Failed(error.to_string()))
}

/// Waits for something to commit; false when the database is closed.
fn wait(shared: &Shared) -> bool {
    let mut wanted = shared.wake.lock();
    while !wanted.commit && !wanted.stop {
        wanted = shared.wake.changed.wait(wanted).unwrap_or_else(PoisonError::into_inner);
    }
    wanted.commit = false;
    !wanted.stop
}

fn commit(shared: &Shared, log: &mut Log) {
    let Some((group, commits)) = commit_open(shared) else { return };
    let synced = sync(shared, log, commits);
    let mut inner = shared.lock();
    inner.syncing = None;
    if let Err(error) = &synced {
        // After a failed sync nobody knows what the disk has: its next success would prove nothing.
        tracing::error!(%error, "the disk failed to sync; nothing is read or written until the next start");
        inner.broken = Some(error.clone());
        inner.lose_open(error, &shared.work);
        shared.work.failures.fetch_add(1, Ordering::Release);
    }
    drop(inner);
    group.settle(synced);
}

/// Commits the open group, if there is one; it is then in the log, and not yet on the disk.
fn commit_open(shared: &Shared) -> Option<(Arc<Group>, u64)> {
    let mut inner = shared.lock();
    inner.open.as_ref()?;
    let commits = inner.commits + 1;
    let committed = inner.count_and_commit(commits);
    match committed {
        Ok(()) => {
            inner.commits = commits;
            let group = inner.open.take()?;
            inner.syncing = Some(group.clone());
            if std::mem::take(&mut inner.long_log) {
                begin_log_anew(&inner);
            }
            Some((group, commits))
        }
        Err(error) => {
            let error = shared.error(&error);
            tracing::error!(%error, "a commit failed; none of its writes was acknowledged");
            if !inner.connection.is_autocommit()
                && let Err(error) = inner.connection.execute_batch("ROLLBACK")
            {
                inner.broken = Some(shared.error(&error));
            }
            inner.lose_open(&error, &shared.work);
            None
        }
    }
}

impl Inner {
    fn count_and_commit(&self, commits: u64) -> rusqlite::Result<()> {
        let count = i64::try_from(commits).unwrap_or(i64::MAX);
        self.connection.prepare_cached("UPDATE commits SET count = ?1")?.execute([count])?;
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

/// Copies the rest of the log into the database, so that the next commit writes at the log's beginning.
fn begin_log_anew(inner: &Inner) {
    let busy = inner.connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get::<_, bool>(0));
    match busy {
        Ok(false) => {}
        Ok(true) => tracing::warn!(
            code = "log_is_read",
            "the log could not begin anew, because somebody reads from it; it grows until they have ended"
        ),
        Err(error) => tracing::warn!(%error, "the log could not begin anew; it grows until it can"),
    }
}

fn sync(shared: &Shared, log: &mut Log, commits: u64) -> Result<(), DatabaseError> {
    let begun = started();
    log.sync().map_err(|error| DatabaseError::DiskFailed(error.to_string()))?;
    let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    shared.work.syncs.fetch_add(1, Ordering::Relaxed);
    shared.work.sync_micros.fetch_add(micros, Ordering::Relaxed);
    let testimony = Testimony { identity: shared.identity, commits };
    if let Some(Err(error)) = shared.witness.as_ref().map(|witness| witness.write(testimony)) {
        tracing::warn!(%error, "the witness was not written; a damage of the log could be overlooked");
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the disk's time is measured")]
fn started() -> Instant {
    Instant::now()
}

/// SQLite's write-ahead log, opened once more to sync it.
struct Log {
    path: PathBuf,
    file: Option<File>,
}

impl Log {
    fn new(database: &Path) -> Self {
        Self { path: beside_with(database, "-wal"), file: None }
    }

    fn sync(&mut self) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            // SQLite makes it with the first commit and keeps it while a connection is open. A new file is on the disk
            // when its folder is, too.
            None => {
                sync_folder_of(&self.path)?;
                File::open(&self.path)?
            }
        };
        file.sync_data()?;
        self.file = Some(file);
        Ok(())
    }
}
