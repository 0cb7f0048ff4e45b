//! Opening and making the file: what is looked at before the first write.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, config::DbConfig, params};

use crate::{
    checksums,
    error::DatabaseError,
    witness::{self, Identity, Testimony, Witness},
};

/// The format of the file. A later version that changes it raises the number and upgrades in place.
const FORMAT: i64 = 2;
/// The first bytes of the table's file in format 1, which was our own.
const FORMAT_1: &[u8] = b"GUERDON1";
const SQLITE: &[u8] = b"SQLite format 3\0";
/// Pages that are kept in memory: 64 MB.
const CACHE_KIB: i64 = 64 * 1024;

/// The tables of the database itself. The caller's come beside them.
const SCHEMA: &str = "
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE commits (one INTEGER PRIMARY KEY CHECK (one = 1), count INTEGER NOT NULL);
    INSERT INTO commits (one, count) VALUES (1, 0);";

const PUT_BACK: &str = "Keep the folder as it is, and restore the newest backup into another one with 'guerdon restore'. A \
                        copy that is put into the place of table.db by hand is mixed with the log beside it";

/// A file that is open for writing.
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    pub(crate) identity: Identity,
    pub(crate) commits: u64,
    pub(crate) witness: Witness,
}

/// A file that is open for reading, at one moment.
pub(crate) struct Snapshot {
    pub(crate) connection: Connection,
    pub(crate) identity: Identity,
    pub(crate) commits: u64,
}

pub(crate) fn memory(schema: &[&str]) -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(SCHEMA)?;
    schema.iter().try_for_each(|sql| connection.execute_batch(sql))?;
    Ok(connection)
}

pub(crate) fn file(path: &Path, schema: &[&str]) -> Result<Opened, DatabaseError> {
    register(path)?;
    let (witness, testimony) = Witness::open(&witness::path_of(path))?;
    if look(path, testimony)? == Found::Nothing {
        make(path, schema)?;
    }
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let Head { identity, commits } = check(&connection, path)?;
    testify(path, testimony, &identity, commits)?;
    let set = || -> rusqlite::Result<()> {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        // The thread that commits syncs the log itself, for a whole group and outside of the lock.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        // Everybody waits for this connection, so it waits for nobody.
        connection.busy_timeout(Duration::ZERO)
    };
    set().map_err(|error| DatabaseError::of(&error, path))?;
    Ok(Opened { connection, identity, commits, witness })
}

pub(crate) fn reader(path: &Path) -> Result<Snapshot, DatabaseError> {
    register(path)?;
    // First the witness, then the file: meanwhile another process may go on.
    let testimony = Testimony::read(&witness::path_of(path));
    if look(path, testimony)? == Found::Nothing {
        let error = io::Error::from(io::ErrorKind::NotFound);
        return Err(DatabaseError::refused(path, &error));
    }
    let snapshot = moment(path)?;
    testify(path, testimony, &snapshot.identity, snapshot.commits)?;
    Ok(snapshot)
}

/// One moment of a database that this process has open. Its file must not be opened and closed otherwise here: that
/// drops the locks that SQLite has on it for this whole process.
pub(crate) fn moment(path: &Path) -> Result<Snapshot, DatabaseError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.execute_batch("BEGIN").map_err(|error| DatabaseError::of(&error, path))?;
    let Head { identity, commits } = check(&connection, path)?;
    Ok(Snapshot { connection, identity, commits })
}

/// One more connection of this process, for the thread that checkpoints.
pub(crate) fn beside(path: &Path) -> Result<Connection, DatabaseError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection
        .pragma_update(None, "synchronous", "NORMAL")
        .map_err(|error| DatabaseError::of(&error, path))?;
    Ok(connection)
}

fn register(path: &Path) -> Result<(), DatabaseError> {
    let problem = |code| DatabaseError::Failed(format!("{}: no checksums (SQLite's {code})", path.display()));
    checksums::register().map_err(problem)
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Database,
}

/// Looks at the file's first bytes, before SQLite does.
fn look(path: &Path, testimony: Option<Testimony>) -> Result<Found, DatabaseError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match testimony {
                // SQLite would play the log of a lost database into the new one.
                None if has_log(path) => {
                    Err(DatabaseError::damaged(path, "is missing, though its log (-wal) is there"))
                }
                None => Ok(Found::Nothing),
                Some(Testimony { commits, .. }) => {
                    let problem = format!("is missing, though {commits} commits were made to it");
                    Err(DatabaseError::damaged(path, problem))
                }
            };
        }
        Err(error) => return Err(DatabaseError::refused(path, &error)),
    };
    let mut first = Vec::new();
    let read = file.by_ref().take(SQLITE.len() as u64).read_to_end(&mut first);
    read.map_err(|error| DatabaseError::refused(path, &error))?;
    match first.as_slice() {
        [] => Err(DatabaseError::damaged(path, "is empty, which no database is")),
        first if first.starts_with(FORMAT_1) => Err(DatabaseError::EarlierFormat(path.to_owned())),
        first if first == SQLITE => Ok(Found::Database),
        _ => Err(DatabaseError::damaged(path, "does not begin as a database does")),
    }
}

/// The file that SQLite keeps beside a database under this ending.
pub(crate) fn beside_with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn has_log(path: &Path) -> bool {
    fs::metadata(beside_with(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

fn connect(path: &Path, mode: OpenFlags) -> Result<Connection, DatabaseError> {
    let connect = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        // Until it is checked, closing it must not copy a log that may be damaged.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        Ok(connection)
    };
    connect().map_err(|error| DatabaseError::of(&error, path))
}

/// What the file says of itself.
struct Head {
    identity: Identity,
    commits: u64,
}

/// Compares the file with this version. Nothing is written.
fn check(connection: &Connection, path: &Path) -> Result<Head, DatabaseError> {
    let error = |error: rusqlite::Error| DatabaseError::of(&error, path);
    let fact = |name: &str| -> Result<Option<String>, DatabaseError> {
        let sql = "SELECT value FROM facts WHERE name = ?1";
        connection.query_row(sql, [name], |row| row.get(0)).optional().map_err(error)
    };
    let foreign = || DatabaseError::damaged(path, "is a database, but not one of this product");
    let ours: bool = connection
        .query_row("SELECT COUNT(*) FROM sqlite_schema WHERE name IN ('facts', 'commits')", [], |row| {
            row.get::<_, i64>(0).map(|count| count == 2)
        })
        .map_err(error)?;
    if !ours {
        return Err(foreign());
    }
    let verifies: bool = connection
        .query_row("PRAGMA checksum_verification", [], |row| row.get::<_, String>(0).map(|text| text == "1"))
        .map_err(error)?;
    let format = fact("format")?.and_then(|text| text.parse::<i64>().ok()).unwrap_or_default();
    if format > FORMAT {
        return Err(DatabaseError::LaterFormat { file: path.to_owned(), found: format, known: FORMAT });
    }
    let identity = fact("identity")?.and_then(|text| identity_of(&text));
    let (Some(identity), FORMAT, true) = (identity, format, verifies) else {
        return Err(foreign());
    };
    let commits: i64 =
        connection.query_row("SELECT count FROM commits", [], |row| row.get(0)).map_err(error)?;
    let commits = u64::try_from(commits).unwrap_or_default();
    Ok(Head { identity, commits })
}

/// Compares the file with its witness.
fn testify(
    path: &Path,
    testimony: Option<Testimony>,
    identity: &Identity,
    commits: u64,
) -> Result<(), DatabaseError> {
    match testimony {
        Some(known) if known.identity != *identity => {
            let problem = "is another database than the one that was here".to_owned();
            Err(DatabaseError::Damaged { file: path.to_owned(), problem, advice: PUT_BACK })
        }
        Some(known) if known.commits > commits => {
            let problem = format!(
                "or its log (-wal) is damaged: {} commits were acknowledged, and only {commits} can be read",
                known.commits
            );
            Err(DatabaseError::Damaged { file: path.to_owned(), problem, advice: PUT_BACK })
        }
        _ => Ok(()),
    }
}

fn identity_of(text: &str) -> Option<Identity> {
    text.parse::<u128>().ok().map(u128::to_le_bytes)
}

/// Makes the file beside its place and moves it there: a crash leaves a whole one or none.
fn make(path: &Path, schema: &[&str]) -> Result<(), DatabaseError> {
    let beside = path.with_extension("new");
    let refused = |error: io::Error| DatabaseError::refused(&beside, &error);
    empty(&beside).map_err(refused)?;
    let identity = new_identity(path)?;
    fill(&beside, schema, identity).map_err(|error| DatabaseError::of(&error, &beside))?;
    fs::rename(&beside, path).map_err(refused)?;
    sync_folder_of(path).map_err(refused)
}

/// Makes an empty file that only its owner reads, and removes what an earlier try has left: SQLite would take its journal
/// for that of the new file. SQLite gives its own files the permissions of this one.
pub(crate) fn empty(path: &Path) -> io::Result<()> {
    for end in ["", "-journal", "-wal", "-shm"] {
        match fs::remove_file(beside_with(path, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ())
}

fn fill(beside: &Path, schema: &[&str], identity: Identity) -> rusqlite::Result<()> {
    let connection = Connection::open(beside)?;
    connection.pragma_update(None, "page_size", 4096)?;
    connection.query_row("SELECT reserve_checksums('main')", [], |_| Ok(()))?;
    connection.execute_batch("BEGIN")?;
    connection.execute_batch(SCHEMA)?;
    let insert = "INSERT INTO facts (name, value) VALUES (?1, ?2)";
    connection.execute(insert, params!["format", FORMAT.to_string()])?;
    connection.execute(insert, params!["identity", u128::from_le_bytes(identity).to_string()])?;
    schema.iter().try_for_each(|sql| connection.execute_batch(sql))?;
    connection.execute_batch("COMMIT")?;
    // After the first write: only then are the pages' sizes fixed.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)
}

#[expect(clippy::disallowed_methods, reason = "the one random number of a new database")]
pub(crate) fn new_identity(path: &Path) -> Result<Identity, DatabaseError> {
    let mut identity = [0; 16];
    let problem = |error: getrandom::Error| DatabaseError::Failed(format!("{}: {error}", path.display()));
    getrandom::fill(&mut identity).map_err(problem)?;
    Ok(identity)
}

/// Makes a rename in the file's folder last.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
