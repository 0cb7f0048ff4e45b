//! The witness: a small file beside the database that says how many commits are on the disk.
//!
//! SQLite takes a damaged frame of its write-ahead log for the end of that log. The witness tells the two apart: it is
//! written after each sync, so it never promises more than the disk holds, and a log that yields less was damaged. A lock
//! on a file of its own lets one process write.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::error::DatabaseError;

/// The name of the database, given to it when it was made: 16 random bytes.
pub(crate) type Identity = [u8; 16];

const MAGIC: &[u8; 8] = b"GUERDONW";
const LENGTH: usize = 8 + 16 + 8 + 4;
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The open file.
#[derive(Debug)]
pub(crate) struct Witness {
    file: File,
    /// Locked while it is open.
    _lock: File,
}

/// What the witness says: the database, and its commits that are on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Testimony {
    pub(crate) identity: Identity,
    pub(crate) commits: u64,
}

/// The path of the witness of a database.
pub(crate) fn path_of(database: &Path) -> PathBuf {
    database.with_extension("mark")
}

impl Witness {
    /// Opens or makes the file, and locks the database for this process.
    pub(crate) fn open(path: &Path) -> Result<(Self, Option<Testimony>), DatabaseError> {
        let lock = locked(&path.with_extension("lock"))?;
        let mut file = options().open(path).map_err(|error| DatabaseError::refused(path, &error))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| DatabaseError::refused(path, &error))?;
        Ok((Self { file, _lock: lock }, Testimony::parse(&bytes)))
    }

    /// Writes it, without waiting for the disk: an older one is as true, it only says less.
    pub(crate) fn write(&self, testimony: Testimony) -> std::io::Result<()> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&testimony.bytes())
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Opens or makes a file and locks it for this process. It tries for a while: a process that had the lock may be ending,
/// and a child that one of our threads is just starting holds all our locks until it runs its own program.
fn locked(path: &Path) -> Result<File, DatabaseError> {
    let file = options().open(path).map_err(|error| DatabaseError::refused(path, &error))?;
    for tried in 0..=LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if tried < LOCK_TRIES => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => return Err(DatabaseError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(DatabaseError::refused(path, &error)),
        }
    }
    Ok(file)
}

impl Testimony {
    /// Reads the witness without locking it.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        Self::parse(&std::fs::read(path).ok()?)
    }

    /// None for a file that is new, torn or damaged: then there is nothing to compare with.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; LENGTH] = bytes.try_into().ok()?;
        let (content, checksum) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(content) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let (identity, commits) = content.strip_prefix(MAGIC)?.split_last_chunk::<8>()?;
        Some(Self { identity: identity.try_into().ok()?, commits: u64::from_le_bytes(*commits) })
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.identity);
        bytes.extend_from_slice(&self.commits.to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_that_is_torn_or_flipped_says_nothing() {
        let testimony = Testimony { identity: [7; 16], commits: 1327 };
        let bytes = testimony.bytes();
        assert_eq!(Testimony::parse(&bytes), Some(testimony));
        for place in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[place] ^= 4;
            assert_eq!(Testimony::parse(&flipped), None, "at {place}");
            assert_eq!(Testimony::parse(&bytes[..place]), None, "torn at {place}");
        }
    }
}
