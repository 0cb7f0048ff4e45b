//! A table: its definition, its stream's head, and what a change of an item changes beside it.

use serde::{Deserialize, Serialize};

use super::{
    capacity::{WriteCost, write_units},
    definition::{CreateTable, IndexDefinition, ProjectionType, TimeToLive},
    error::{Refusal, invalid},
    key::{Key, KeySchema, Place, PrimaryKey},
    records::Stream,
    storage::{Changes, Entry, Storage, TableId, View, Written},
    value::{Attributes, Image, Value, only, size_of_item},
};

/// A table without its items, which the storage holds.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) id: TableId,
    pub(crate) definition: CreateTable,
    pub(crate) schema: KeySchema,
    pub(crate) time_to_live: Option<TimeToLive>,
    pub(crate) stream: Option<Stream>,
    indexes: Vec<IndexDefinition>,
}

/// What is kept of a table beside its items.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) definition: CreateTable,
    pub(crate) time_to_live: Option<TimeToLive>,
    /// The stream's name.
    pub(crate) arn: Option<String>,
    /// The number of the stream's last record.
    #[serde(skip)]
    pub(crate) last: u64,
}

/// A checked change of one item, from `old` to `new`.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) key: PrimaryKey,
    pub(crate) old: Option<Image>,
    pub(crate) new: Option<Image>,
}

impl Table {
    pub(crate) fn try_new(id: TableId, definition: CreateTable, now: i64) -> Result<Self, Refusal> {
        let schema = definition.schema()?;
        let indexes = definition.indexes()?;
        let stream = definition.has_stream().then(|| Stream::new(&definition.table_name, now));
        Ok(Self { id, definition, schema, time_to_live: None, stream, indexes })
    }

    /// The table that a storage has kept.
    pub(crate) fn restored(id: TableId, head: Head) -> Result<Self, Refusal> {
        let mut table = Self::try_new(id, head.definition, 0)?;
        table.time_to_live = head.time_to_live;
        if let (Some(stream), Some(arn)) = (&mut table.stream, head.arn) {
            stream.restore(arn, head.last);
        }
        Ok(table)
    }

    pub(crate) fn head(&self) -> Head {
        Head {
            definition: self.definition.clone(),
            time_to_live: self.time_to_live.clone(),
            arn: self.stream.as_ref().map(|stream| stream.arn.clone()),
            last: self.stream.as_ref().map_or(0, Stream::last),
        }
    }

    pub(crate) fn view(&self, index: Option<&str>) -> Result<View<'_>, Refusal> {
        let primary = &self.schema;
        let Some(name) = index else {
            return Ok(View { table: self.id, index: 0, schema: primary, primary, projection: None });
        };
        match (1..).zip(&self.indexes).find(|(_, index)| index.name == name) {
            Some((number, IndexDefinition { schema, projection, .. })) => {
                Ok(View { table: self.id, index: number, schema, primary, projection: Some(*projection) })
            }
            None => invalid(format!("The table does not have the specified index: {name}")),
        }
    }

    /// Refuses an item that an index does not allow.
    pub(crate) fn check_index_keys(&self, item: &Attributes) -> Result<(), Refusal> {
        self.indexes.iter().try_for_each(|index| index.schema.check_index_key(item, &index.name))
    }

    /// Up to `limit` removals of items that are expired by their TTL attribute.
    pub(crate) fn expired(
        &self,
        storage: &dyn Storage,
        now: i64,
        limit: usize,
    ) -> Result<Vec<Change>, Refusal> {
        let Some(ttl) = self.time_to_live.as_ref().filter(|ttl| ttl.enabled) else { return Ok(Vec::new()) };
        let items = storage.expired(self.view(None)?, &ttl.attribute_name, now, limit)?;
        let removal =
            |item: Image| Ok(Change { key: self.schema.of_item(&item)?, old: Some(item), new: None });
        items.into_iter().map(removal).collect()
    }

    /// The time after which an item may be deleted.
    pub(crate) fn expiry(&self, item: &Image) -> Option<i64> {
        let ttl = self.time_to_live.as_ref().filter(|ttl| ttl.enabled)?;
        match item.get(ttl.attribute_name.as_str()) {
            Some(Value::N(at)) => at.whole(),
            _ => None,
        }
    }

    /// Adds what a change of an item means for the table, its indexes and its stream. Nothing else changes them.
    pub(crate) fn add(&mut self, change: Change, now: i64, by_ttl: bool, changes: &mut Changes) -> WriteCost {
        let size = |image: &Option<Image>| image.as_ref().map(|image| size_of_item(image));
        let bytes = size(&change.old).max(size(&change.new)).unwrap_or(0);
        let mut cost = WriteCost { table: write_units(bytes), indexes: 0, bytes };
        if change.old == change.new {
            return cost;
        }
        changes.entries.push(self.entry(&change));
        for (number, index) in (1..).zip(&self.indexes) {
            cost.indexes += add_index(index, (self.id, number), &change, &self.schema, &mut changes.entries);
        }
        if let Some(stream) = &mut self.stream {
            let record = stream.record(&self.schema, change.old, change.new, now, by_ttl);
            changes.records.extend(record.map(|record| (self.id, record)));
            changes.last.insert(self.id, stream.last());
        }
        cost
    }

    fn entry(&self, change: &Change) -> Entry {
        Entry {
            table: self.id,
            index: 0,
            projection: None,
            hash: change.key.hash.clone(),
            place: change.key.place(),
            expires: change.new.as_ref().and_then(|item| self.expiry(item)),
            written: match (&change.old, &change.new) {
                (_, None) => Written::Removed,
                (None, Some(new)) => Written::New(new.clone()),
                (Some(_), Some(new)) => Written::Replaced(new.clone()),
            },
        }
    }
}

/// Adds what a change means for an index, and returns the cost: nothing for an entry that stays the same, two writes for
/// one that moves.
fn add_index(
    index: &IndexDefinition,
    (table, number): (TableId, u8),
    change: &Change,
    primary: &KeySchema,
    entries: &mut Vec<Entry>,
) -> u64 {
    let old = change.old.as_ref().and_then(|image| index_entry(index, image, &change.key, primary));
    let new = change.new.as_ref().and_then(|image| index_entry(index, image, &change.key, primary));
    let units = |entry: &IndexEntry| write_units(size_of_item(&entry.2));
    let stays = matches!((&old, &new), (Some(old), Some(new)) if (&old.0, &old.1) == (&new.0, &new.1));
    let cost = match (&old, &new) {
        (None, None) => return 0,
        (Some(old), Some(new)) if old == new => return 0,
        (Some(old), Some(new)) if stays => units(old).max(units(new)),
        (old, new) => old.as_ref().map_or(0, units) + new.as_ref().map_or(0, units),
    };
    let projection = Some(index.projection);
    let entry = |hash, place, written| Entry {
        table,
        index: number,
        hash,
        place,
        written,
        projection,
        expires: None,
    };
    if let Some((hash, place, _)) = old.filter(|_| !stays) {
        entries.push(entry(hash, place, Written::Removed));
    }
    if let Some((hash, place, image)) = new {
        let written = if stays { Written::Replaced(image) } else { Written::New(image) };
        entries.push(entry(hash, place, written));
    }
    cost
}

/// The index's entry for an item and its place; none if the item lacks a key attribute.
fn index_entry(
    index: &IndexDefinition,
    image: &Image,
    key: &PrimaryKey,
    primary: &KeySchema,
) -> Option<IndexEntry> {
    let (hash, place) = index.schema.place(image, key)?;
    let projected = match index.projection {
        ProjectionType::All => image.clone(),
        ProjectionType::KeysOnly => {
            let names = index.schema.attributes().chain(primary.attributes());
            Image::new(only(image, names.map(|attribute| attribute.name.as_str())))
        }
    };
    Some((hash, place, projected))
}

/// An index's entry: partition, place, and what it holds.
type IndexEntry = (Key, Place, Image);
