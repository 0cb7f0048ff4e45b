//! The file of format 1, to move its content into a database: a log of frames, each the length and the CRC-32 of what
//! follows, four bytes each, and an [`Entry`] as JSON.

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    path::Path,
};

use guerdon_database::{database::Database, error::DatabaseError};
use serde::Deserialize;

use super::{
    definition::{CreateTable, TimeToLive},
    error::Refusal,
    key::PrimaryKey,
    records::Record,
    storage::{Changes, Storage, disk::Disk},
    table::{Change, Head, Table},
    value::{Attributes, Image},
};

const MAGIC: &[u8] = b"GUERDON1";
/// Bytes before a frame's content.
const FRAME: usize = 8;
/// Items that are written to the database at once.
const BATCH: usize = 1000;

/// The content of a frame.
#[derive(Debug, Deserialize)]
enum Entry {
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
#[derive(Debug, Deserialize)]
enum Changed {
    Put { table: String, item: Image },
    Delete { table: String, key: Attributes },
}

/// A table that was read from the file.
struct Old {
    table: Table,
    items: BTreeMap<PrimaryKey, Image>,
    records: VecDeque<Record>,
}

/// Copies the content of the file `from` into `database`, which has no tables yet. `progress` gets the items that are
/// copied and how many there are. Returns how many there are.
pub(crate) fn copy(
    from: &Path,
    database: Database,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<usize, DatabaseError> {
    let bytes = fs::read(from).map_err(|error| DatabaseError::refused(from, &error))?;
    let damaged = |problem: String| DatabaseError::damaged(from, problem);
    let frames =
        bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("is no table file of format 1".to_owned()))?;
    let mut tables = Vec::new();
    for entry in read(frames).map_err(damaged)? {
        replay(&mut tables, entry)
            .map_err(|refusal| damaged(format!("contradicts itself: {}", refusal.answer().body)))?;
    }
    let all = tables.iter().map(|old| old.items.len()).sum();
    let mut disk = Disk::new(database);
    let mut done = 0;
    for old in tables {
        write(&mut disk, old, &mut |batch| {
            done += batch;
            progress(done, all);
        })
        .map_err(|refusal| DatabaseError::Failed(refusal.answer().body))?;
    }
    disk.tickets().iter().try_for_each(guerdon_database::group::Ticket::wait)?;
    Ok(all)
}

/// Splits off the first frame, if it is complete: its content and the rest. None also when there are no bytes.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (checksum, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length > 0)?;
    let (content, rest) = rest.split_at_checked(length)?;
    (crc32fast::hash(content) == u32::from_le_bytes(*checksum)).then_some((content, rest))
}

/// Reads all frames. Bytes at the end that are no frame are what a power cut has left of one, unless a whole frame
/// follows anywhere behind them: then the file was damaged, and nothing of it is used.
fn read(mut frames: &[u8]) -> Result<Vec<Entry>, String> {
    let all = frames.len();
    let mut entries = Vec::new();
    while let Some((content, rest)) = split(frames) {
        let entry = serde_json::from_slice(content);
        entries.push(entry.map_err(|error| format!("holds something unknown: {error}"))?);
        frames = rest;
    }
    let place = MAGIC.len() + all - frames.len();
    // A frame's content begins with a brace: other places need no look at the checksum.
    let begins = |at: &usize| frames.get(at + FRAME) == Some(&b'{');
    let follows = (1..frames.len()).filter(begins).any(|at| split(&frames[at..]).is_some());
    if follows {
        return Err(format!("is damaged {place} bytes after its beginning, and whole entries follow"));
    }
    Ok(entries)
}

fn replay(tables: &mut Vec<Old>, entry: Entry) -> Result<(), Refusal> {
    match entry {
        Entry::Table { definition, time_to_live, arn, last } => {
            let id =
                u16::try_from(tables.len()).map_err(|_| Refusal::Failed("too many tables".to_owned()))?;
            let table = Table::restored(id, Head { definition, time_to_live, arn, last })?;
            tables.push(Old { table, items: BTreeMap::new(), records: VecDeque::new() });
        }
        Entry::TimeToLive { table, time_to_live } => {
            find(tables, &table)?.table.time_to_live = Some(time_to_live);
        }
        Entry::Commit { at, by_ttl, changes } => {
            for change in changes {
                commit(tables, change, at, by_ttl)?;
            }
        }
        Entry::Item { table, item } => {
            let old = find(tables, &table)?;
            old.items.insert(old.table.schema.of_item(&item)?, item);
        }
        Entry::Record { table, record } => find(tables, &table)?.records.push_back(record),
    }
    Ok(())
}

fn find<'a>(tables: &'a mut [Old], name: &str) -> Result<&'a mut Old, Refusal> {
    let found = tables.iter_mut().find(|old| old.table.definition.table_name == name);
    found.ok_or_else(|| Refusal::NoTable(name.to_owned()))
}

fn commit(tables: &mut [Old], change: Changed, at: i64, by_ttl: bool) -> Result<(), Refusal> {
    let (name, key, new) = match change {
        Changed::Put { table, item } => (table, None, Some(item)),
        Changed::Delete { table, key } => (table, Some(key), None),
    };
    let Old { table, items, records } = find(tables, &name)?;
    let key = match (&new, key) {
        (Some(item), _) => table.schema.of_item(item)?,
        (None, Some(key)) => table.schema.of_key(&key)?,
        (None, None) => return Ok(()),
    };
    let old = match &new {
        Some(item) => items.insert(key, item.clone()),
        None => items.remove(&key),
    };
    if old != new
        && let Some(stream) = &mut table.stream
    {
        records.extend(stream.record(&table.schema, old, new, at, by_ttl));
    }
    Ok(())
}

/// Writes a table, its items and its stream. The items make no records: the stream has them, or has forgotten them.
fn write(disk: &mut Disk, old: Old, done: &mut dyn FnMut(usize)) -> Result<(), Refusal> {
    let Old { mut table, items, records } = old;
    disk.keep_head(table.id, &table.head())?;
    let stream = table.stream.take();
    let mut items = items.into_iter().peekable();
    while items.peek().is_some() {
        let mut changes = Changes::default();
        let batch = items.by_ref().take(BATCH).map(|(key, item)| {
            table.add(Change { key, old: None, new: Some(item) }, 0, false, &mut changes);
        });
        let written = batch.count();
        disk.write(changes)?;
        done(written);
    }
    let records = records.into_iter().map(|record| (table.id, record)).collect();
    let last = stream.iter().map(|stream| (table.id, stream.last())).collect();
    disk.write(Changes { entries: Vec::new(), records, last })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        engine::{Engine, SCHEMA},
        stream::StreamPosition,
    };

    const TABLE: &str = "log";

    fn frame(bytes: &mut Vec<u8>, entry: &Value) {
        let content = entry.to_string();
        bytes.extend_from_slice(&u32::try_from(content.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(content.as_bytes()).to_le_bytes());
        bytes.extend_from_slice(content.as_bytes());
    }

    fn put(n: u32) -> Value {
        let item = json!({ "pk": { "S": n.to_string() }, "by": { "N": "7" }, "b": { "B": "AAE=" } });
        json!({ "Commit": { "at": 100 + n, "by_ttl": false, "changes": [{ "Put": { "table": TABLE, "item": item } }] } })
    }

    fn file() -> Vec<u8> {
        let definition = json!({
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
        let mut bytes = MAGIC.to_vec();
        frame(
            &mut bytes,
            &json!({ "Table": { "definition": definition, "time_to_live": null, "arn": "arn:x", "last": 5 } }),
        );
        (1..=3).for_each(|n| frame(&mut bytes, &put(n)));
        let delete = json!({ "Delete": { "table": TABLE, "key": { "pk": { "S": "2" } } } });
        frame(&mut bytes, &json!({ "Commit": { "at": 200, "by_ttl": true, "changes": [delete] } }));
        bytes
    }

    fn copied(bytes: &[u8]) -> Result<Engine, DatabaseError> {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("old");
        fs::write(&from, bytes).unwrap();
        let database = Database::memory(&[SCHEMA])?;
        copy(&from, database.clone(), &mut |_, _| {})?;
        Ok(Engine::on(database).unwrap())
    }

    #[test]
    fn items_indexes_and_stream_are_copied_and_the_stream_goes_on() {
        let engine = copied(&file()).unwrap();
        for index in [json!(null), json!("by")] {
            let scan = engine.call("Scan", &json!({ "TableName": TABLE, "IndexName": index })).unwrap().1;
            assert_eq!(scan["Count"], 2, "{scan}");
        }
        let put = json!({ "TableName": TABLE, "Item": { "pk": { "S": "9" } } });
        assert_eq!(engine.call("PutItem", &put).unwrap().0, 200);
        let page = engine.read_stream(TABLE, &StreamPosition::default(), 100).unwrap();
        let names: Vec<_> = page.records.iter().map(|record| record["eventName"].as_str().unwrap()).collect();
        assert_eq!(names, ["INSERT", "INSERT", "INSERT", "REMOVE", "INSERT"]);
        assert_eq!(page.records[4]["dynamodb"]["SequenceNumber"], "100000000000000000010");
        assert_eq!(page.arn, "arn:x");
    }

    #[test]
    fn a_torn_end_is_left_out_and_damage_before_whole_entries_is_refused() {
        let whole = file();
        let torn = &whole[..whole.len() - 3];
        assert_eq!(copied(torn).unwrap().call("Scan", &json!({ "TableName": TABLE })).unwrap().1["Count"], 3);
        // The length of the first commit's frame: the old reader took all that follows for a torn end.
        let at = MAGIC.len() + FRAME + u32::from_le_bytes(whole[8..12].try_into().unwrap()) as usize;
        for (place, bit) in [(at, 1), (at + 2, 0x40), (at + 5, 8), (at + 20, 2)] {
            let mut flipped = whole.clone();
            flipped[place] ^= bit;
            let refused = copied(&flipped).map(|_| ()).unwrap_err().to_string();
            assert!(refused.contains("is damaged"), "at {place}: {refused}");
        }
    }
}
