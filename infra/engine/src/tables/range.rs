//! Reads of ranges: `Query` and `Scan`, in pages.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    ops::Bound,
};

use serde::Serialize;

use super::{
    Tables,
    capacity::{Consumed, read_halves},
    definition::ProjectionType,
    error::{Refusal, invalid},
    expression::{Bindings, Condition, KeyRange, Uses},
    key::{Key, KeySchema},
    requests::{Query, Scan, Select},
    storage::{Start, View},
    value::{Attributes, Image, only, size_of_item},
};

/// Bytes after which a page ends.
const PAGE_BYTES: usize = 1024 * 1024;

/// Answer of `Query` and `Scan`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Page {
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<Image>>,
    count: usize,
    scanned_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_evaluated_key: Option<Attributes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_capacity: Option<Consumed>,
}

/// The selection of a page's items: filter, limit, and whether they are only counted.
struct Paging<'a> {
    filter: Option<(&'a Condition, Bindings<'a>)>,
    limit: Option<usize>,
    count_only: bool,
}

impl Tables {
    /// `Query`.
    pub(crate) fn query(&mut self, mut request: Query) -> Result<Page, Refusal> {
        let placeholders = request.placeholders();
        let condition = self.expressions.condition(&request.key_condition_expression)?;
        let filter = request.filter_expression.as_deref().map(|text| self.expressions.condition(text));
        let filter = filter.transpose()?;
        let mut expressions: Vec<&dyn Uses> = vec![condition.as_ref()];
        expressions.extend(filter.iter().map(|filter| filter.as_ref() as &dyn Uses));
        placeholders.check_used(&expressions)?;
        let table = self.table(&request.table_name)?;
        let view = table.view(request.index_name.as_deref())?;
        view.check_read(request.consistent_read, request.select)?;
        let bindings = condition.bind(&placeholders)?;
        condition.tree.check(&bindings)?;
        let mut range = condition.key_range(view.schema, &bindings)?;
        if let Some(start) = &request.exclusive_start_key {
            view.start(start)?.restrict(&mut range, request.scan_index_forward)?;
        }
        let filter = match &filter {
            Some(filter) => {
                let bindings = filter.bind(&placeholders)?;
                filter.tree.check(&bindings)?;
                filter.tree.check_filter(view.schema, &bindings)?;
                Some((&filter.tree, bindings))
            }
            None => None,
        };
        let paging = Paging {
            filter,
            limit: limit(request.limit)?,
            count_only: request.select == Some(Select::Count),
        };
        let storage = self.storage.as_ref();
        let forward = request.scan_index_forward;
        let (mut page, bytes) = paging.collect(&view, || {
            let items = storage.partition(view, &range, forward, paging.chunk())?;
            let more = items.len() == paging.chunk();
            if let Some(last) = items.last().filter(|_| more) {
                view.place_of(last)?.restrict(&mut range, forward)?;
            }
            Ok((items, more))
        })?;
        let halves = read_halves(bytes, request.consistent_read);
        page.consumed_capacity = Consumed::new(request.return_consumed_capacity, &request.table_name, halves);
        Ok(page)
    }

    /// `Scan`.
    pub(crate) fn scan(&mut self, mut request: Scan) -> Result<Page, Refusal> {
        let placeholders = request.placeholders();
        let filter = request.filter_expression.as_deref().map(|text| self.expressions.condition(text));
        let filter = filter.transpose()?;
        let expressions: Vec<&dyn Uses> = filter.iter().map(|filter| filter.as_ref() as &dyn Uses).collect();
        placeholders.check_used(&expressions)?;
        let table = self.table(&request.table_name)?;
        let view = table.view(request.index_name.as_deref())?;
        view.check_read(request.consistent_read, request.select)?;
        let mut start = request.exclusive_start_key.as_ref().map(|start| view.start(start)).transpose()?;
        let filter = match &filter {
            Some(filter) => {
                let bindings = filter.bind(&placeholders)?;
                filter.tree.check(&bindings)?;
                Some((&filter.tree, bindings))
            }
            None => None,
        };
        let paging = Paging {
            filter,
            limit: limit(request.limit)?,
            count_only: request.select == Some(Select::Count),
        };
        let segment = segment(&request)?;
        let storage = self.storage.as_ref();
        let (mut page, bytes) = paging.collect(&view, || {
            let found = storage.scan(view, start.as_ref(), paging.chunk())?;
            let more = found.len() == paging.chunk();
            if let Some((_, last)) = found.last().filter(|_| more) {
                start = Some(view.place_of(last)?);
            }
            let wanted = found.into_iter().filter(|(hash, _)| segment.is_none_or(|of| is_in(of, hash)));
            Ok((wanted.map(|(_, item)| item).collect(), more))
        })?;
        let halves = read_halves(bytes, request.consistent_read);
        page.consumed_capacity = Consumed::new(request.return_consumed_capacity, &request.table_name, halves);
        Ok(page)
    }
}

/// Items that are asked of the storage at once.
const CHUNK: usize = 128;

impl Paging<'_> {
    /// The most items that are asked of the storage at once.
    fn chunk(&self) -> usize {
        self.limit.map_or(CHUNK, |limit| limit.min(CHUNK))
    }

    /// Reads a page and counts the bytes that were read. `next` gives the following items, and whether there may be more.
    fn collect(
        &self,
        view: &View<'_>,
        mut next: impl FnMut() -> Result<(Vec<Image>, bool), Refusal>,
    ) -> Result<(Page, usize), Refusal> {
        let (mut found, mut count, mut scanned, mut bytes) = (Vec::new(), 0, 0, 0);
        let (mut last, mut ended_early): (Option<Image>, _) = (None, false);
        'page: loop {
            let (items, more) = next()?;
            for item in items {
                let size = size_of_item(&item);
                if scanned > 0 && bytes + size > PAGE_BYTES {
                    ended_early = true;
                    break 'page;
                }
                (scanned, bytes) = (scanned + 1, bytes + size);
                let wanted =
                    self.filter.as_ref().is_none_or(|(filter, bindings)| filter.holds(&item, bindings));
                if wanted {
                    count += 1;
                    found.extend((!self.count_only).then(|| item.clone()));
                }
                last = Some(item);
                // The service does not check whether anything follows the last item that it may read.
                if self.limit.is_some_and(|limit| scanned >= limit) {
                    ended_early = true;
                    break 'page;
                }
            }
            if !more {
                break;
            }
        }
        let page = Page {
            items: (!self.count_only).then_some(found),
            count,
            scanned_count: scanned,
            last_evaluated_key: last.filter(|_| ended_early).map(|item| view.key_of(&item)),
            consumed_capacity: None,
        };
        Ok((page, bytes))
    }
}

impl Start {
    /// Makes the range begin after the place.
    fn restrict(self, range: &mut KeyRange, forward: bool) -> Result<(), Refusal> {
        let behind_start = match &range.from {
            Bound::Included(from) => self.place >= *from,
            Bound::Excluded(from) => self.place > *from,
            Bound::Unbounded => true,
        };
        let before_end = match &range.to {
            Bound::Included(to) => self.place <= *to,
            Bound::Excluded(to) => self.place < *to,
            Bound::Unbounded => true,
        };
        if self.hash != range.hash || !behind_start || !before_end {
            return invalid(
                "The provided starting key is outside query boundaries based on provided conditions",
            );
        }
        *(if forward { &mut range.from } else { &mut range.to }) = Bound::Excluded(self.place);
        Ok(())
    }
}

impl<'a> View<'a> {
    fn check_read(&self, consistent: bool, select: Option<Select>) -> Result<(), Refusal> {
        match (self.projection, select) {
            (Some(_), _) if consistent => {
                invalid("Consistent reads are not supported on global secondary indexes")
            }
            (Some(ProjectionType::KeysOnly), Some(Select::AllAttributes)) => invalid(
                "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for \
                 this global secondary index because its projection type is not ALL",
            ),
            (None, Some(Select::AllProjectedAttributes)) => {
                invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
            }
            _ => Ok(()),
        }
    }

    /// The attributes that determine an item's place in the view.
    fn key_names(&self) -> impl Iterator<Item = &'a str> {
        let (own, primary): (&'a KeySchema, &'a KeySchema) = (self.schema, self.primary);
        let others = primary.attributes().filter(|attribute| !own.has(&attribute.name));
        own.attributes().chain(others).map(|attribute| attribute.name.as_str())
    }

    fn key_of(&self, item: &Image) -> Attributes {
        only(item, self.key_names())
    }

    /// Reads an `ExclusiveStartKey`.
    fn start(&self, key: &Attributes) -> Result<Start, Refusal> {
        let refused = || Refusal::Validation("The provided starting key is invalid".to_owned());
        if key.len() != self.key_names().count() {
            return Err(refused());
        }
        let primary = self.primary.of_item(key).map_err(|_| refused())?;
        if self.projection.is_none() {
            return Ok(Start { place: primary.place(), hash: primary.hash });
        }
        let (hash, place) = self.schema.place(key, &primary).ok_or_else(refused)?;
        Ok(Start { hash, place })
    }

    /// The place of an item or entry in the view.
    fn place_of(&self, item: &Image) -> Result<Start, Refusal> {
        self.start(&self.key_of(item))
    }
}

fn limit(limit: Option<i64>) -> Result<Option<usize>, Refusal> {
    match limit {
        None => Ok(None),
        Some(limit) => match usize::try_from(limit) {
            Ok(limit) if limit > 0 => Ok(Some(limit)),
            _ => invalid(format!(
                "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member \
                 must have value greater than or equal to 1"
            )),
        },
    }
}

/// The segment of a parallel scan: its number, and the number of segments.
fn segment(request: &Scan) -> Result<Option<(u64, u64)>, Refusal> {
    match (request.segment, request.total_segments) {
        (None, None) => Ok(None),
        (Some(segment), Some(total)) if segment < total && total <= 1_000_000 => {
            Ok(Some((segment.into(), total.into())))
        }
        _ => invalid("Segment and TotalSegments must be given together, Segment being the lesser one"),
    }
}

fn is_in((segment, total): (u64, u64), hash: &Key) -> bool {
    let mut hasher = DefaultHasher::new();
    hash.hash(&mut hasher);
    hasher.finish() % total == segment
}
