//! The tables on a file: every change is appended before it is made, and replayed at the next start.
//!
//! A frame is the length and the CRC-32 of what follows, four bytes each, and an [`Entry`] as JSON. A
//! transaction is one frame and one `write(2)`: a killed process leaves it whole or not at all. An incomplete frame
//! that a kill or a power loss has left at the end is removed at the next start.
//!
//! A snapshot is a file of the same kind that holds only the present state. It is written beside the log and then
//! renamed to its name.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    STREAM_SECONDS, Tables,
    definition::{CreateTable, TimeToLive},
    error::Refusal,
    records::Record,
    table::{Change, Table},
    value::{Attributes, Image},
};
use crate::{error::EngineError, options::SyncPolicy};

/// The first bytes of the file: its kind and the format's version.
const MAGIC: &[u8; 8] = b"GUERDON1";
/// Bytes before a frame's content.
const FRAME: usize = 8;
/// A log is rewritten when it has grown to four times its last snapshot, but not before it has this size.
const MIN_REWRITE: u64 = 64 * 1024 * 1024;

/// The content of a frame.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Entry {
    /// A table as it is created, or as a snapshot finds it, without its items.
    Table { definition: CreateTable, time_to_live: Option<TimeToLive>, arn: Option<String>, last: u64 },
    /// A table's TTL attribute changes.
    TimeToLive { table: String, time_to_live: TimeToLive },
    /// Items change, all of them at once.
    Commit { at: i64, by_ttl: bool, changes: Vec<Changed> },
    /// An item, in a snapshot.
    Item { table: String, item: Image },
    /// A stream record, in a snapshot.
    Record { table: String, record: Record },
}

/// One item's change: the new item, or the key of the deleted one.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Changed {
    Put { table: String, item: Image },
    Delete { table: String, key: Attributes },
}

/// The open file.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: Arc<File>,
    policy: SyncPolicy,
    /// Bytes of whole frames in the file.
    length: u64,
    /// Bytes that the last snapshot had.
    snapshot: u64,
    flusher: Arc<Flusher>,
}

/// Waits for the disk. One wait also covers what others have written meanwhile.
#[derive(Debug, Default)]
pub(super) struct Flusher {
    written: AtomicU64,
    flushed: Mutex<u64>,
}

impl Flusher {
    /// Returns when everything that was written up to now is on the disk.
    pub(super) fn flush(&self, file: &File) -> io::Result<()> {
        let wanted = self.written.load(Ordering::SeqCst);
        let mut flushed = self.flushed.lock().unwrap_or_else(PoisonError::into_inner);
        if *flushed < wanted {
            let written = self.written.load(Ordering::SeqCst);
            file.sync_data()?;
            *flushed = written;
        }
        Ok(())
    }
}

/// Locks a file for this process. It tries for a while: the process that had the lock may be ending, and a child that
/// one of our threads is just starting holds all our locks until it runs its own program.
fn lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            locked => return locked,
        }
    }
    file.try_lock()
}

/// Options under which a new file is its owner's alone: it holds names and balances.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

impl Log {
    /// Opens or creates the file, and returns its entries.
    fn open(path: &Path, policy: SyncPolicy) -> Result<(Self, Vec<Entry>), EngineError> {
        let mut file = private().read(true).append(true).create(true).open(path)?;
        lock(&file).map_err(|error| damaged(path, &format!("is in use: {error}")))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        if MAGIC.starts_with(&bytes) {
            file.set_len(0)?;
            file.write_all(MAGIC)?;
            bytes = MAGIC.to_vec();
        }
        let Some(frames) = bytes.strip_prefix(MAGIC) else {
            return Err(damaged(path, "is no table file of this version"));
        };
        let (entries, whole) = read(frames).map_err(|what| damaged(path, &what))?;
        let length = (MAGIC.len() + whole) as u64;
        if length < bytes.len() as u64 {
            file.set_len(length)?;
        }
        let (file, flusher) = (Arc::new(file), Arc::default());
        Ok((Self { path: path.to_owned(), file, policy, length, snapshot: length, flusher }, entries))
    }

    fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let mut frame = Vec::with_capacity(512);
        push(&mut frame, entry)?;
        let mut file = self.file.as_ref();
        if let Err(error) = file.write_all(&frame) {
            // An incomplete frame, as after a full disk, must not be in front of the next one.
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += frame.len() as u64;
        self.flusher.written.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// Replaces the file by one with these entries.
    fn rewrite(&mut self, entries: impl Iterator<Item = Entry>) -> io::Result<()> {
        let beside = self.path.with_extension("new");
        let mut file = private().append(true).create(true).open(&beside)?;
        file.set_len(0)?;
        lock(&file)?;
        let mut bytes = MAGIC.to_vec();
        let mut length = 0;
        for entry in entries {
            push(&mut bytes, &entry)?;
            if bytes.len() > 1 << 20 {
                file.write_all(&bytes)?;
                length += bytes.len() as u64;
                bytes.clear();
            }
        }
        file.write_all(&bytes)?;
        length += bytes.len() as u64;
        file.sync_all()?;
        std::fs::rename(&beside, &self.path)?;
        (self.file, self.length, self.snapshot) = (Arc::new(file), length, length);
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// The wait that is needed before an answer is given, if one is.
    pub(super) fn pending(&self) -> Option<(Arc<Flusher>, Arc<File>)> {
        (self.policy == SyncPolicy::Always).then(|| (self.flusher.clone(), self.file.clone()))
    }
}

fn damaged(path: &Path, what: &str) -> EngineError {
    EngineError::Database(format!("{} {what}", path.display()))
}

fn push(frames: &mut Vec<u8>, entry: &Entry) -> io::Result<()> {
    let start = frames.len();
    frames.extend_from_slice(&[0; FRAME]);
    serde_json::to_writer(&mut *frames, entry)?;
    let content = &frames[start + FRAME..];
    let length = u32::try_from(content.len()).map_err(io::Error::other)?;
    let checksum = crc32fast::hash(content);
    frames[start..start + 4].copy_from_slice(&length.to_le_bytes());
    frames[start + 4..start + FRAME].copy_from_slice(&checksum.to_le_bytes());
    Ok(())
}

/// Splits off the first frame, if it is complete: its content and the rest. None also when there are no bytes.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (checksum, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length > 0)?;
    let (content, rest) = rest.split_at_checked(length)?;
    (crc32fast::hash(content) == u32::from_le_bytes(*checksum)).then_some((content, rest))
}

/// Reads all complete frames and counts their bytes. The rest is an incomplete frame, unless a complete frame follows
/// directly after a bad one: then the file was damaged later, and nothing may be removed.
fn read(mut frames: &[u8]) -> Result<(Vec<Entry>, usize), String> {
    let all = frames.len();
    let mut entries = Vec::new();
    while let Some((content, rest)) = split(frames) {
        let entry = serde_json::from_slice(content);
        entries.push(entry.map_err(|error| format!("holds something unknown: {error}"))?);
        frames = rest;
    }
    let whole = all - frames.len();
    if let Some((length, rest)) = frames.split_first_chunk::<4>() {
        let behind =
            usize::try_from(u32::from_le_bytes(*length)).ok().and_then(|length| length.checked_add(4));
        if behind.and_then(|behind| rest.get(behind..)).is_some_and(|rest| split(rest).is_some()) {
            return Err(format!("is damaged {} bytes after its beginning", MAGIC.len() + whole));
        }
    }
    Ok((entries, whole))
}

impl Tables {
    /// Opens the tables of a file; further changes are written to it.
    pub(super) fn open(path: &Path, policy: SyncPolicy, now: i64) -> Result<Self, EngineError> {
        let (log, entries) = Log::open(path, policy)?;
        let mut tables = Self::default();
        for entry in entries {
            tables.replay(entry).map_err(|refusal| {
                damaged(path, &format!("contradicts itself: {}", refusal.answer().body))
            })?;
        }
        let oversized = log.length > MIN_REWRITE;
        tables.log = Some(log);
        if oversized {
            tables.rewrite(now)?;
        }
        Ok(tables)
    }

    fn replay(&mut self, entry: Entry) -> Result<(), Refusal> {
        match entry {
            Entry::Table { definition, time_to_live, arn, last } => {
                let name = definition.table_name.clone();
                let mut table = Table::try_new(definition, 0)?;
                table.time_to_live = time_to_live;
                if let (Some(stream), Some(arn)) = (&mut table.stream, arn) {
                    stream.restore(arn, last);
                }
                self.tables.insert(name, table);
            }
            Entry::TimeToLive { table, time_to_live } => {
                self.table_mut(&table)?.time_to_live = Some(time_to_live);
            }
            Entry::Commit { at, by_ttl, changes } => {
                for change in changes {
                    let (name, key, new) = match change {
                        Changed::Put { table, item } => {
                            let key = self.table(&table)?.schema.of_item(&item)?;
                            (table, key, Some(item))
                        }
                        Changed::Delete { table, key } => {
                            let key = self.table(&table)?.schema.of_key(&key)?;
                            (table, key, None)
                        }
                    };
                    let table = self.table_mut(&name)?;
                    let old = table.get(&key).cloned();
                    table.apply(Change { key, old, new }, at, by_ttl);
                }
            }
            Entry::Item { table, item } => self.table_mut(&table)?.restore(item)?,
            Entry::Record { table, record } => {
                if let Some(stream) = &mut self.table_mut(&table)?.stream {
                    stream.restore_record(record);
                }
            }
        }
        Ok(())
    }

    /// Appends a change to the file before it is made.
    pub(super) fn append(&mut self, entry: impl FnOnce() -> Entry) -> Result<(), Refusal> {
        match &mut self.log {
            Some(log) => log.append(&entry()).map_err(|error| Refusal::Failed(error.to_string())),
            None => Ok(()),
        }
    }

    /// Rewrites a log that has grown too long.
    pub(super) fn rewrite_if_long(&mut self, now: i64) {
        let long = |log: &Log| log.length > MIN_REWRITE.max(4 * log.snapshot);
        if !self.log.as_ref().is_some_and(long) || self.rewrite(now).is_ok() {
            return;
        }
        // The old file is still complete and remains in use; the next try is after it has grown as much again.
        if let Some(log) = &mut self.log {
            log.snapshot = log.length;
        }
    }

    fn rewrite(&mut self, now: i64) -> io::Result<()> {
        let Some(mut log) = self.log.take() else { return Ok(()) };
        for stream in self.tables.values_mut().filter_map(|table| table.stream.as_mut()) {
            stream.forget_before(now - STREAM_SECONDS);
        }
        let done = log.rewrite(self.tables.iter().flat_map(|(name, table)| table.entries(name)));
        // When it failed the old file is still the log.
        self.log = Some(log);
        done
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{memory::Memory, options::Clock, stream::StreamPosition};

    const TABLE: &str = "log";

    fn open(path: &Path, now: i64) -> Memory {
        let clock: Clock = Arc::new(move || now);
        Memory::open(path, SyncPolicy::Always, clock).unwrap()
    }

    fn call(memory: &Memory, operation: &str, body: serde_json::Value) -> serde_json::Value {
        let answer = memory.dispatch(operation, body.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    fn create(memory: &Memory) {
        let request = json!({
            "TableName": TABLE,
            "AttributeDefinitions": [
                { "AttributeName": "pk", "AttributeType": "S" },
                { "AttributeName": "by", "AttributeType": "N" },
            ],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "GlobalSecondaryIndexes": [{
                "IndexName": "by",
                "KeySchema": [{ "AttributeName": "by", "KeyType": "HASH" }],
                "Projection": { "ProjectionType": "ALL" },
            }],
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
        });
        call(memory, "CreateTable", request);
        let ttl = json!({ "AttributeName": "ttl", "Enabled": true });
        call(memory, "UpdateTimeToLive", json!({ "TableName": TABLE, "TimeToLiveSpecification": ttl }));
    }

    fn put(memory: &Memory, n: u32) {
        let item = json!({ "pk": { "S": n.to_string() }, "by": { "N": "7" }, "b": { "B": "AAE=" } });
        call(memory, "PutItem", json!({ "TableName": TABLE, "Item": item }));
    }

    /// All visible state: table, index, description, stream.
    fn seen(memory: &Memory) -> (serde_json::Value, crate::stream::StreamPage) {
        let whole = call(memory, "Scan", json!({ "TableName": TABLE }));
        let index = call(memory, "Scan", json!({ "TableName": TABLE, "IndexName": "by" }));
        let description = call(memory, "DescribeTable", json!({ "TableName": TABLE }));
        let stream = memory.read_stream(TABLE, &StreamPosition::default(), 1000).unwrap();
        (json!([whole, index, description]), stream)
    }

    #[test]
    fn a_torn_end_is_cut_off_wherever_it_is_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("whole");
        let memory = open(&path, 1);
        create(&memory);
        put(&memory, 1);
        let before = (std::fs::read(&path).unwrap(), seen(&memory));
        put(&memory, 2);
        let after = (std::fs::read(&path).unwrap(), seen(&memory));
        drop(memory);
        for end in before.0.len()..=after.0.len() {
            let torn = folder.path().join(format!("torn-{end}"));
            std::fs::write(&torn, &after.0[..end]).unwrap();
            let memory = open(&torn, 2);
            let expect = if end == after.0.len() { &after.1 } else { &before.1 };
            assert_eq!(seen(&memory), *expect, "{end}");
            put(&memory, 3);
            let with_three = seen(&memory);
            drop(memory);
            assert_eq!(seen(&open(&torn, 3)), with_three);
        }
        // Pages that never reached the disk are zeros.
        std::fs::write(&path, [before.0.as_slice(), &[0; 100]].concat()).unwrap();
        assert_eq!(seen(&open(&path, 2)), before.1);
    }

    #[test]
    fn damage_in_the_middle_and_strange_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table");
        let memory = open(&path, 1);
        create(&memory);
        let first = std::fs::read(&path).unwrap().len();
        put(&memory, 1);
        put(&memory, 2);
        assert!(Tables::open(&path, SyncPolicy::Never, 1).is_err(), "two at once");
        drop(memory);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[first + 20] ^= 1;
        for content in [bytes.as_slice(), b"SQLite format 3\0"] {
            std::fs::write(&path, content).unwrap();
            assert!(Tables::open(&path, SyncPolicy::Never, 1).is_err());
            assert_eq!(std::fs::read(&path).unwrap(), content, "left as it was");
        }
    }

    /// A table that was written to, with an item that was deleted again.
    fn written(path: &Path) -> Memory {
        let memory = open(path, 1);
        create(&memory);
        for n in [1, 2, 3, 1, 2] {
            put(&memory, n);
        }
        let key = json!({ "pk": { "S": "3" } });
        call(&memory, "DeleteItem", json!({ "TableName": TABLE, "Key": key }));
        memory
    }

    #[test]
    fn a_rewritten_log_says_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table");
        let memory = written(&path);
        let (table, stream) = seen(&memory);
        memory.lock().rewrite(1).unwrap();
        put(&memory, 4);
        let after = seen(&memory);
        assert_eq!(after.1.records[..stream.records.len()], stream.records);
        drop(memory);
        let memory = open(&path, 2);
        assert_eq!(seen(&memory), after);
        assert_ne!(after.0, table);
        memory.forget_read(TABLE, &after.1.position).unwrap();
        assert_eq!(seen(&memory), after, "what has been read is kept for a week");
        // A week later the records are gone, but not their numbers.
        memory.lock().rewrite(STREAM_SECONDS + 2).unwrap();
        drop(memory);
        let memory = open(&path, STREAM_SECONDS + 2);
        put(&memory, 5);
        let rest = memory.read_stream(TABLE, &after.1.position, 10).unwrap();
        assert_eq!(rest.records.len(), 1);
        assert_eq!(seen(&memory).1.records, rest.records);
        let much_later = open(&folder.path().join("none"), 1);
        assert!(much_later.forget_read(TABLE, &after.1.position).is_err(), "there is no such table");
        assert!(rest.position.0 > after.1.position.0);
    }
}
