//! The database: its one writer, and what may be asked of it.

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    thread::JoinHandle,
};

use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    checkpoint, commit,
    error::DatabaseError,
    group::Ticket,
    open,
    shared::{Inner, Kind, Shared, Wake, Work},
    witness::{Identity, Witness},
};

/// An open database. Clones share it.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
    /// The threads that commit and that checkpoint; they end with the last clone.
    _threads: Arc<Threads>,
}

struct Threads {
    shared: Arc<Shared>,
    running: Mutex<Vec<JoinHandle<()>>>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.shared.path).finish()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.wake.stop();
        let running = self.running.get_mut().unwrap_or_else(PoisonError::into_inner);
        for thread in running.drain(..) {
            thread.join().ok();
        }
    }
}

impl Database {
    /// Makes a database in memory, with the tables of `schema`. Nothing of it is ever synced.
    ///
    /// # Errors
    /// [`DatabaseError`] for a schema that is no SQL.
    pub fn memory(schema: &[&str]) -> Result<Self, DatabaseError> {
        let path = Path::new(":memory:");
        let connection = open::memory(schema).map_err(|error| DatabaseError::of(&error, path))?;
        Ok(Self::start(path, [0; 16], connection, 0, None, Kind::Memory))
    }

    /// Opens the database at `path`, or makes it with the tables of `schema`. It is locked for this process.
    ///
    /// # Errors
    /// [`DatabaseError`] when it is damaged, in use, of another format, or missing although it was there. Then nothing
    /// was changed.
    pub fn open(path: &Path, schema: &[&str]) -> Result<Self, DatabaseError> {
        // SQLite puts its log beside the file itself, not beside a link to it.
        let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let open::Opened { connection, identity, commits, witness } = open::file(path, schema)?;
        let this = Self::start(path, identity, connection, commits, Some(witness), Kind::File);
        let threads = [commit::start(this.shared.clone())?, checkpoint::start(this.shared.clone())?];
        this._threads.running.lock().unwrap_or_else(PoisonError::into_inner).extend(threads);
        Ok(this)
    }

    /// Opens the database at `path` for reading, also beside a process that writes. All reads see one moment.
    ///
    /// # Errors
    /// Those of [`Self::open`], without [`DatabaseError::InUse`].
    pub fn reader(path: &Path) -> Result<Self, DatabaseError> {
        let open::Snapshot { connection, identity, commits } = open::reader(path)?;
        Ok(Self::start(path, identity, connection, commits, None, Kind::Reader))
    }

    fn start(
        path: &Path,
        identity: Identity,
        connection: Connection,
        commits: u64,
        witness: Option<Witness>,
        kind: Kind,
    ) -> Self {
        connection.set_prepared_statement_cache_capacity(64);
        let inner = Inner { connection, open: None, syncing: None, commits, broken: None, long_log: false };
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            identity,
            inner: Mutex::new(inner),
            wake: Wake::default(),
            work: Work::default(),
            witness,
            kind,
        });
        let threads = Threads { shared: shared.clone(), running: Mutex::default() };
        Self { shared, _threads: Arc::new(threads) }
    }

    /// Writes: all of `change` or, when it fails, nothing of it. The ticket says when it is on the disk; before that a
    /// failed commit can undo it.
    ///
    /// # Errors
    /// [`DatabaseError`]. Nothing of `change` was done.
    pub fn write<R>(
        &self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<R>,
    ) -> Result<(R, Ticket), DatabaseError> {
        let mut inner = self.shared.lock();
        inner.usable()?;
        if self.shared.kind == Kind::Reader {
            return Err(DatabaseError::ReadOnly);
        }
        let group = inner.group().map_err(|error| self.shared.error(&error))?;
        match inner.attempt(change) {
            Ok(done) => {
                self.shared.work.writes.fetch_add(1, Ordering::Relaxed);
                let ticket = match self.shared.kind {
                    Kind::File => Ticket(Some(group)),
                    _ => inner
                        .commit_in_memory()
                        .map(|()| Ticket::SETTLED)
                        .map_err(|e| self.shared.error(&e))?,
                };
                drop(inner);
                if !ticket.is_settled() {
                    self.shared.wake.commit();
                }
                Ok((done, ticket))
            }
            Err(error) => {
                let error = self.shared.error(&error);
                self.shared.work.note(&error);
                inner.lose_rolled_back(&error, &self.shared.work);
                Err(error)
            }
        }
    }

    /// Reads. The ticket says when all that was seen is on the disk.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn read<R>(
        &self,
        look: impl FnOnce(&Connection) -> rusqlite::Result<R>,
    ) -> Result<(R, Ticket), DatabaseError> {
        let mut inner = self.shared.lock();
        inner.usable()?;
        let seen = look(&inner.connection).map_err(|error| self.shared.error(&error));
        if let Err(error) = &seen {
            inner.lose_rolled_back(error, &self.shared.work);
        }
        let seen = seen?;
        Ok((seen, Ticket(inner.open.clone().or_else(|| inner.syncing.clone()))))
    }

    /// Groups that were not written after all. When it has changed, what was remembered of writes may be wrong.
    pub fn failures(&self) -> u64 {
        self.shared.work.failures.load(Ordering::Acquire)
    }

    /// Writes that failed because the disk was full.
    pub fn shortages(&self) -> u64 {
        self.shared.work.shortages.load(Ordering::Acquire)
    }

    /// Reads and writes that met a damaged page.
    pub fn damages(&self) -> u64 {
        self.shared.work.damages.load(Ordering::Acquire)
    }

    /// What was done since it was opened.
    pub fn work(&self) -> &Work {
        &self.shared.work
    }

    /// Returns whether writes wait for a disk.
    pub fn is_on_disk(&self) -> bool {
        self.shared.kind == Kind::File
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Commits that were made to it, ever.
    pub fn commits(&self) -> u64 {
        self.shared.lock().commits
    }

    /// A small fact of that name, such as the preset under which the data was written.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn fact(&self, name: &str) -> Result<Option<String>, DatabaseError> {
        let sql = "SELECT value FROM facts WHERE name = ?1";
        let found =
            self.read(|file| file.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional());
        found.map(|(value, _)| value)
    }

    /// Remembers a fact.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn set_fact(&self, name: &str, value: &str) -> Result<Ticket, DatabaseError> {
        let sql = "INSERT INTO facts (name, value) VALUES (?1, ?2)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let written = self.write(|file| file.prepare_cached(sql)?.execute(params![name, value]));
        written.map(|(_, ticket)| ticket)
    }
}
