//! Errors of the database, each with what to do.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// The database could not be opened, read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// The disk, or the share of it that is allowed, is full. Nothing was written, and the next write may succeed.
    #[error("the disk is full, so nothing was written; make room, and it goes on by itself")]
    Full,
    /// The file is damaged. It was left as it is.
    #[error("{} {problem}. Nothing was changed. {advice}", file.display())]
    Damaged {
        /// The damaged file.
        file: PathBuf,
        /// The damage, and what is still readable.
        problem: String,
        /// What to do.
        advice: &'static str,
    },
    /// Another process works on it.
    #[error("{} is in use by another process; stop that one first", .0.display())]
    InUse(PathBuf),
    /// The file has the format of an earlier version.
    #[error("{} has the format of an earlier version; start guerdon once to upgrade it", .0.display())]
    EarlierFormat(PathBuf),
    /// The file has the format of a later version.
    #[error("{file} has format {found}, and this version knows {known}; use the version that wrote it", file = file.display())]
    LaterFormat {
        /// The file.
        file: PathBuf,
        /// Its format.
        found: i64,
        /// The one that is known here.
        known: i64,
    },
    /// The system refuses access to a file.
    #[error("{} cannot be used: {problem}", file.display())]
    Refused {
        /// The file.
        file: PathBuf,
        /// The system's words.
        problem: String,
    },
    /// A sync failed: what the disk holds is not known, so nothing is read or written any more.
    #[error("the disk failed to keep what was written ({0}); check the disk, then start again")]
    DiskFailed(String),
    /// The database was opened to be read.
    #[error("the database is open for reading only")]
    ReadOnly,
    /// Anything else that SQLite says.
    #[error("the database failed: {0}")]
    Failed(String),
}

/// Advice for a damaged file.
pub(crate) const RESTORE: &str =
    "Check the disk, keep the damaged folder, and restore the newest backup with 'guerdon restore'";

impl DatabaseError {
    /// An error of SQLite while it worked on `file`.
    pub(crate) fn of(error: &rusqlite::Error, file: &Path) -> Self {
        let rusqlite::Error::SqliteFailure(failure, message) = error else {
            return Self::Failed(error.to_string());
        };
        let text = || message.clone().unwrap_or_else(|| failure.to_string());
        let damaged = |problem: &str| Self::damaged(file, problem);
        match (failure.code, failure.extended_code) {
            (ErrorCode::DiskFull, _) => Self::Full,
            (_, rusqlite::ffi::SQLITE_IOERR_DATA) => {
                damaged("has a page whose checksum is wrong: it is damaged, or another program wrote to it")
            }
            (ErrorCode::DatabaseCorrupt, _) => damaged("has a page that contradicts others"),
            (ErrorCode::NotADatabase, _) => damaged("does not begin as a database does"),
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Self::InUse(file.to_owned()),
            (ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly, _) => {
                Self::Refused { file: file.to_owned(), problem: text() }
            }
            _ => Self::Failed(text()),
        }
    }

    /// The refusal of a damaged file.
    pub fn damaged(file: &Path, problem: impl Into<String>) -> Self {
        Self::Damaged { file: file.to_owned(), problem: problem.into(), advice: RESTORE }
    }

    /// The system's refusal of a file.
    pub fn refused(file: &Path, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Refused { file: file.to_owned(), problem: error.to_string() },
        }
    }
}
