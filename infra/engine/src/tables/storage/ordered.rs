//! Ordered maps in memory: for worlds, tests, and a stack whose data goes with the process.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
};

use super::{Changes, Entry, Start, Storage, TableId, View, Written};
use crate::tables::{
    error::Refusal,
    expression::KeyRange,
    key::{Key, Place, PrimaryKey},
    records::Record,
    table::Head,
    value::{Image, Value},
};

/// Items by partition and place.
type Tree = BTreeMap<Key, BTreeMap<Place, Image>>;

/// All tables, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Ordered {
    tables: Vec<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// The table, then its indexes.
    views: Vec<Tree>,
    records: VecDeque<Record>,
}

impl Ordered {
    fn view(&self, table: TableId, index: u8) -> Option<&Tree> {
        self.tables.get(usize::from(table))?.views.get(usize::from(index))
    }

    fn view_mut(&mut self, table: TableId, index: u8) -> &mut Tree {
        let views = &mut self.table_mut(table).views;
        let index = usize::from(index);
        if views.len() <= index {
            views.resize_with(index + 1, Tree::new);
        }
        &mut views[index]
    }

    fn table_mut(&mut self, table: TableId) -> &mut Held {
        let table = usize::from(table);
        if self.tables.len() <= table {
            self.tables.resize_with(table + 1, Held::default);
        }
        &mut self.tables[table]
    }

    fn put(&mut self, entry: Entry) {
        let tree = self.view_mut(entry.table, entry.index);
        match entry.written {
            Written::New(image) | Written::Replaced(image) => {
                tree.entry(entry.hash).or_default().insert(entry.place, image);
            }
            Written::Removed => {
                if let Some(partition) = tree.get_mut(&entry.hash) {
                    partition.remove(&entry.place);
                    if partition.is_empty() {
                        tree.remove(&entry.hash);
                    }
                }
            }
        }
    }
}

impl Storage for Ordered {
    fn heads(&self) -> Result<Vec<Head>, Refusal> {
        Ok(Vec::new())
    }

    fn keep_head(&mut self, table: TableId, _: &Head) -> Result<(), Refusal> {
        self.table_mut(table);
        Ok(())
    }

    fn get(&self, table: TableId, key: &PrimaryKey) -> Result<Option<Image>, Refusal> {
        let partition = self.view(table, 0).and_then(|tree| tree.get(&key.hash));
        Ok(partition.and_then(|partition| partition.get(&key.place())).cloned())
    }

    fn partition(
        &self,
        view: View<'_>,
        range: &KeyRange,
        forward: bool,
        limit: usize,
    ) -> Result<Vec<Image>, Refusal> {
        let partition = self.view(view.table, view.index).and_then(|tree| tree.get(&range.hash));
        let found = partition.into_iter().flat_map(|partition| within(partition, range));
        Ok(if forward {
            found.take(limit).cloned().collect()
        } else {
            found.rev().take(limit).cloned().collect()
        })
    }

    fn scan(
        &self,
        view: View<'_>,
        start: Option<&Start>,
        limit: usize,
    ) -> Result<Vec<(Key, Image)>, Refusal> {
        let Some(tree) = self.view(view.table, view.index) else { return Ok(Vec::new()) };
        let rest = match start {
            Some(start) => (Bound::Excluded(&start.hash), Bound::Unbounded),
            None => (Bound::Unbounded, Bound::Unbounded),
        };
        let begun = start.and_then(|start| {
            let (hash, partition) = tree.get_key_value(&start.hash)?;
            let rest = partition.range((Bound::Excluded(&start.place), Bound::Unbounded));
            Some(rest.map(move |(_, item)| (hash, item)))
        });
        let others = tree.range::<Key, _>(rest);
        let others = others.flat_map(|(hash, partition)| partition.values().map(move |item| (hash, item)));
        let found = begun.into_iter().flatten().chain(others).take(limit);
        Ok(found.map(|(hash, item)| (hash.clone(), item.clone())).collect())
    }

    fn expired(
        &self,
        view: View<'_>,
        attribute: &str,
        now: i64,
        limit: usize,
    ) -> Result<Vec<Image>, Refusal> {
        let expired = |item: &&Image| match item.get(attribute) {
            Some(Value::N(at)) => at.whole().is_some_and(|at| at < now),
            _ => false,
        };
        let items =
            self.view(view.table, 0).into_iter().flat_map(|tree| tree.values().flat_map(BTreeMap::values));
        Ok(items.filter(expired).take(limit).cloned().collect())
    }

    fn count(&self, table: TableId) -> Result<usize, Refusal> {
        Ok(self.view(table, 0).map_or(0, |tree| tree.values().map(BTreeMap::len).sum()))
    }

    fn records(&self, table: TableId, behind: u64, limit: usize) -> Result<Vec<Record>, Refusal> {
        let Some(held) = self.tables.get(usize::from(table)) else { return Ok(Vec::new()) };
        let start = held.records.partition_point(|record| record.sequence <= behind);
        Ok(held.records.range(start..).take(limit).cloned().collect())
    }

    fn count_records(&self, table: TableId, behind: u64) -> Result<u64, Refusal> {
        let Some(held) = self.tables.get(usize::from(table)) else { return Ok(0) };
        let start = held.records.partition_point(|record| record.sequence <= behind);
        Ok((held.records.len() - start) as u64)
    }

    fn forget(&mut self, table: TableId, upto: u64) -> Result<(), Refusal> {
        let records = &mut self.table_mut(table).records;
        while records.front().is_some_and(|record| record.sequence <= upto) {
            records.pop_front();
        }
        Ok(())
    }

    fn write(&mut self, changes: Changes) -> Result<(), Refusal> {
        changes.entries.into_iter().for_each(|entry| self.put(entry));
        for (table, record) in changes.records {
            self.table_mut(table).records.push_back(record);
        }
        Ok(())
    }
}

/// The items of a partition that are within the range.
fn within<'a>(
    items: &'a BTreeMap<Place, Image>,
    range: &KeyRange,
) -> impl DoubleEndedIterator<Item = &'a Image> {
    // A map's own range panics when its start is after its end, which an impossible condition can cause.
    let found = (!range.is_crossed())
        .then(|| items.range::<Place, _>((range.from.as_ref(), range.to.as_ref())).map(|(_, item)| item));
    found.into_iter().flatten()
}
