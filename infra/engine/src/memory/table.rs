//! A table with its indexes and its stream, and the one function that changes it.

use std::collections::BTreeMap;

use super::{
    capacity::{WriteCost, write_units},
    definition::{CreateTable, IndexDefinition, ProjectionType, TimeToLive},
    error::{Refusal, invalid},
    key::{Key, KeySchema, Place, PrimaryKey, Tree},
    log::{Changed, Entry},
    records::Stream,
    value::{Attributes, Image, Value, only, size_of_item},
};

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) definition: CreateTable,
    pub(crate) schema: KeySchema,
    pub(crate) time_to_live: Option<TimeToLive>,
    pub(crate) stream: Option<Stream>,
    items: Tree,
    indexes: Vec<Index>,
}

#[derive(Debug)]
struct Index {
    definition: IndexDefinition,
    items: Tree,
}

/// A checked change of one item, from `old` to `new`.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) key: PrimaryKey,
    pub(crate) old: Option<Image>,
    pub(crate) new: Option<Image>,
}

/// A table, or one of its indexes, to read from.
pub(crate) struct View<'a> {
    pub(crate) items: &'a Tree,
    /// The key by which the view is sorted.
    pub(crate) schema: &'a KeySchema,
    /// The table's own key.
    pub(crate) primary: &'a KeySchema,
    /// The index's projection, if it is one.
    pub(crate) projection: Option<ProjectionType>,
}

impl Table {
    pub(crate) fn try_new(definition: CreateTable, now: i64) -> Result<Self, Refusal> {
        let schema = definition.schema()?;
        let indexes = definition.indexes()?;
        let indexes =
            indexes.into_iter().map(|definition| Index { definition, items: Tree::new() }).collect();
        let stream = definition.has_stream().then(|| Stream::new(&definition.table_name, now));
        Ok(Self { definition, schema, time_to_live: None, stream, items: Tree::new(), indexes })
    }

    pub(crate) fn get(&self, key: &PrimaryKey) -> Option<&Image> {
        self.items.get(&key.hash)?.get(&key.place())
    }

    pub(crate) fn item_count(&self) -> usize {
        self.items.values().map(BTreeMap::len).sum()
    }

    pub(crate) fn view(&self, index: Option<&str>) -> Result<View<'_>, Refusal> {
        let primary = &self.schema;
        let Some(name) = index else {
            return Ok(View { items: &self.items, schema: primary, primary, projection: None });
        };
        match self.indexes.iter().find(|index| index.definition.name == name) {
            Some(Index { definition, items }) => Ok(View {
                items,
                schema: &definition.schema,
                primary,
                projection: Some(definition.projection),
            }),
            None => invalid(format!("The table does not have the specified index: {name}")),
        }
    }

    /// Refuses an item that an index does not allow.
    pub(crate) fn check_index_keys(&self, item: &Attributes) -> Result<(), Refusal> {
        self.indexes
            .iter()
            .try_for_each(|index| index.definition.schema.check_index_key(item, &index.definition.name))
    }

    /// Items that are expired by their TTL attribute.
    pub(crate) fn expired(&self, now: i64) -> Vec<Change> {
        let Some(ttl) = self.time_to_live.as_ref().filter(|ttl| ttl.enabled) else { return Vec::new() };
        let expired = |item: &Image| match item.get(ttl.attribute_name.as_str()) {
            Some(Value::N(at)) => at.whole().is_some_and(|at| at < now),
            _ => false,
        };
        let items = self
            .items
            .iter()
            .flat_map(|(hash, partition)| partition.iter().map(move |(place, item)| (hash, place, item)));
        items
            .filter(|(_, _, item)| expired(item))
            .map(|(hash, place, item)| Change {
                key: PrimaryKey { hash: hash.clone(), range: place.range.clone() },
                old: Some(item.clone()),
                new: None,
            })
            .collect()
    }

    /// The table without its items, as an entry for the file.
    pub(crate) fn head(&self) -> Entry {
        Entry::Table {
            definition: self.definition.clone(),
            time_to_live: self.time_to_live.clone(),
            arn: self.stream.as_ref().map(|stream| stream.arn.clone()),
            last: self.stream.as_ref().map_or(0, Stream::last),
        }
    }

    /// The table and its items, as entries for the file.
    pub(crate) fn entries(&self, name: &str) -> impl Iterator<Item = Entry> {
        let items = self.items.values().flat_map(BTreeMap::values);
        let items = items.map(|item| Entry::Item { table: name.to_owned(), item: item.clone() });
        let records = self.stream.iter().flat_map(Stream::records);
        let records = records.map(|record| Entry::Record { table: name.to_owned(), record: record.clone() });
        std::iter::once(self.head()).chain(items).chain(records)
    }

    /// Restores an item from the file. It makes no stream record: the stream has it already, or has deleted it.
    pub(crate) fn restore(&mut self, item: Image) -> Result<(), Refusal> {
        let key = self.schema.of_item(&item)?;
        let stream = self.stream.take();
        self.apply(Change { key, old: None, new: Some(item) }, 0, false);
        self.stream = stream;
        Ok(())
    }

    /// Makes the change. Nothing else changes items, indexes and the stream.
    pub(crate) fn apply(&mut self, change: Change, now: i64, by_ttl: bool) -> WriteCost {
        let size = |image: &Option<Image>| image.as_ref().map(|image| size_of_item(image));
        let bytes = size(&change.old).max(size(&change.new)).unwrap_or(0);
        let mut cost = WriteCost { table: write_units(bytes), indexes: 0, bytes };
        if change.old == change.new {
            return cost;
        }
        let place = change.key.place();
        match &change.new {
            Some(new) => insert(&mut self.items, change.key.hash.clone(), place, new.clone()),
            None => remove(&mut self.items, &change.key.hash, &place),
        }
        for index in &mut self.indexes {
            cost.indexes += index.apply(&change, &self.schema);
        }
        if let Some(stream) = &mut self.stream {
            stream.push(&self.schema, change.old, change.new, now, by_ttl);
        }
        cost
    }
}

impl Change {
    /// The change as an entry for the file; none when it changes nothing.
    pub(crate) fn entry(&self, table: &str, schema: &KeySchema) -> Option<Changed> {
        let table = table.to_owned();
        match (&self.old, &self.new) {
            (old, new) if old == new => None,
            (_, Some(item)) => Some(Changed::Put { table, item: item.clone() }),
            (None, None) => None,
            (Some(old), None) => Some(Changed::Delete { table, key: schema.key_of(old) }),
        }
    }
}

impl Index {
    /// Updates the index for the change and returns the cost: nothing for an entry that stays the same, two writes for
    /// one that moves.
    fn apply(&mut self, change: &Change, primary: &KeySchema) -> u64 {
        let old = change.old.as_ref().and_then(|image| self.entry(image, &change.key, primary));
        let new = change.new.as_ref().and_then(|image| self.entry(image, &change.key, primary));
        let units = |entry: &IndexEntry| write_units(size_of_item(&entry.2));
        let cost = match (&old, &new) {
            (None, None) => return 0,
            (Some(old), Some(new)) if old == new => return 0,
            (Some(old), Some(new)) if (&old.0, &old.1) == (&new.0, &new.1) => units(old).max(units(new)),
            (old, new) => old.as_ref().map_or(0, units) + new.as_ref().map_or(0, units),
        };
        if let Some((hash, place, _)) = old {
            remove(&mut self.items, &hash, &place);
        }
        if let Some((hash, place, image)) = new {
            insert(&mut self.items, hash, place, image);
        }
        cost
    }

    /// The index's entry for an item and its place; none if the item lacks a key attribute.
    fn entry(&self, image: &Image, key: &PrimaryKey, primary: &KeySchema) -> Option<IndexEntry> {
        let (hash, place) = self.definition.schema.place(image, key)?;
        let projected = match self.definition.projection {
            ProjectionType::All => image.clone(),
            ProjectionType::KeysOnly => {
                let names = self.definition.schema.attributes().chain(primary.attributes());
                Image::new(only(image, names.map(|attribute| attribute.name.as_str())))
            }
        };
        Some((hash, place, projected))
    }
}

/// An index's entry: partition, place, and what it holds.
type IndexEntry = (Key, Place, Image);

fn insert(tree: &mut Tree, hash: Key, place: Place, image: Image) {
    tree.entry(hash).or_default().insert(place, image);
}

fn remove(tree: &mut Tree, hash: &Key, place: &Place) {
    if let Some(partition) = tree.get_mut(hash) {
        partition.remove(place);
        if partition.is_empty() {
            tree.remove(hash);
        }
    }
}
