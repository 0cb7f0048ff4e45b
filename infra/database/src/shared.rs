//! What the database's callers and its threads share.

use std::{
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rusqlite::Connection;

use crate::{
    error::DatabaseError,
    group::Group,
    witness::{Identity, Witness},
};

/// What is counted while the database works, since it was opened.
#[derive(Debug, Default)]
pub struct Work {
    /// Syncs of the log, each of a group of writes.
    pub syncs: AtomicU64,
    /// Microseconds that these syncs took together.
    pub sync_micros: AtomicU64,
    /// Writes.
    pub writes: AtomicU64,
    /// Groups that were not written after all, as on a full disk.
    pub failures: AtomicU64,
    /// Reads and writes that met a damaged page.
    pub damages: AtomicU64,
    /// Writes and groups that failed because the disk was full.
    pub shortages: AtomicU64,
}

pub(crate) struct Shared {
    pub(crate) path: PathBuf,
    pub(crate) identity: Identity,
    pub(crate) inner: Mutex<Inner>,
    pub(crate) wake: Wake,
    pub(crate) work: Work,
    /// None in memory, where nothing is synced, and for readers.
    pub(crate) witness: Option<Witness>,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Memory,
    File,
    Reader,
}

/// What one thread at a time has in its hands.
pub(crate) struct Inner {
    pub(crate) connection: Connection,
    /// The group that is open, if something was written since the last commit.
    pub(crate) open: Option<Arc<Group>>,
    /// The group that is committed and not yet synced.
    pub(crate) syncing: Option<Arc<Group>>,
    /// Commits that were made, ever.
    pub(crate) commits: u64,
    /// The reason why nothing is read or written any more.
    pub(crate) broken: Option<DatabaseError>,
    /// The log is so long that it should begin anew.
    pub(crate) long_log: bool,
}

/// Wakes the thread that commits.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    state: Mutex<Wanted>,
    pub(crate) changed: Condvar,
}

#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) commit: bool,
    pub(crate) stop: bool,
}

impl Work {
    /// Counts a failed write.
    pub(crate) fn note(&self, error: &DatabaseError) {
        if *error == DatabaseError::Full {
            self.shortages.fetch_add(1, Ordering::Release);
        }
    }
}

impl Wake {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Wanted> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn commit(&self) {
        let mut wanted = self.lock();
        if !wanted.commit {
            wanted.commit = true;
            self.changed.notify_all();
        }
    }

    pub(crate) fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        // Callers' closures do not panic. If one did, the half of its change would be committed with the group.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn error(&self, error: &rusqlite::Error) -> DatabaseError {
        let error = DatabaseError::of(error, &self.path);
        if let DatabaseError::Damaged { .. } = &error {
            self.work.damages.fetch_add(1, Ordering::Release);
            tracing::error!(code = "database_damaged", %error, "the database is damaged");
        }
        error
    }
}

impl Inner {
    pub(crate) fn usable(&self) -> Result<(), DatabaseError> {
        self.broken.clone().map_or(Ok(()), Err)
    }

    /// The open group; it begins with the first write.
    pub(crate) fn group(&mut self) -> rusqlite::Result<Arc<Group>> {
        if let Some(group) = &self.open {
            return Ok(group.clone());
        }
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let group = Arc::new(Group::default());
        self.open = Some(group.clone());
        Ok(group)
    }

    /// Runs a change within the open transaction; undoes it alone when it fails.
    pub(crate) fn attempt<R>(
        &self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<R>,
    ) -> rusqlite::Result<R> {
        let file = &self.connection;
        file.prepare_cached("SAVEPOINT one")?.execute([])?;
        let done = change(file);
        if done.is_err() && !file.is_autocommit() {
            file.prepare_cached("ROLLBACK TO one")?.execute([])?;
        }
        if !file.is_autocommit() {
            file.prepare_cached("RELEASE one")?.execute([])?;
        }
        done
    }

    pub(crate) fn commit_in_memory(&mut self) -> rusqlite::Result<()> {
        self.open = None;
        self.connection.prepare_cached("COMMIT")?.execute([]).map(|_| ())
    }

    /// SQLite rolls the whole transaction back for some errors, as on a full disk or a damaged page, also of a read. Then
    /// the open group is lost.
    pub(crate) fn lose_rolled_back(&mut self, error: &DatabaseError, work: &Work) {
        if self.open.is_some() && self.connection.is_autocommit() {
            self.lose_open(error, work);
        }
    }

    /// Tells all writers of the open group that nothing of it was written.
    pub(crate) fn lose_open(&mut self, error: &DatabaseError, work: &Work) {
        if let Some(group) = self.open.take() {
            work.failures.fetch_add(1, Ordering::Release);
            work.note(error);
            group.settle(Err(error.clone()));
        }
    }
}
