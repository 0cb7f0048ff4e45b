//! The calls that reach the table. Everything else in this crate uses these.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata,
    types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity, ReturnValue, Select},
};
use backon::{ExponentialBuilder, Retryable};

use crate::table::{
    CallKind, Meter, Reason, StoreError, Written, count_conflict, from_sdk,
    item::{Attributes, Key, Record, decode, encode},
    stamp,
};

/// The single table. Clones are cheap and share the client.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) meter: Option<Arc<Meter>>,
}

/// An update of one item: expression, names, values, and its condition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Update {
    pub(crate) expression: String,
    pub(crate) condition: Option<String>,
    pub(crate) names: HashMap<String, String>,
    pub(crate) values: HashMap<String, AttributeValue>,
}

impl Update {
    pub(crate) fn new(expression: impl Into<String>) -> Self {
        Self { expression: expression.into(), ..Self::default() }
    }

    pub(crate) fn only_if(mut self, condition: impl Into<String>) -> Self {
        self.condition = Some(condition.into());
        self
    }

    pub(crate) fn name(mut self, placeholder: &str, attribute: impl Into<String>) -> Self {
        self.names.insert(placeholder.to_owned(), attribute.into());
        self
    }

    pub(crate) fn value(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.values.insert(placeholder.to_owned(), value);
        self
    }
}

/// A range of items of one partition, or of one index partition.
#[derive(Debug, Clone)]
pub(crate) struct Range {
    index: Option<&'static str>,
    pk: String,
    condition: String,
    values: HashMap<String, AttributeValue>,
    newest_first: bool,
    limit: i32,
    start: Option<Attributes>,
}

impl Range {
    pub(crate) fn partition(pk: impl Into<String>) -> Self {
        Self {
            index: None,
            pk: pk.into(),
            condition: String::new(),
            values: HashMap::new(),
            newest_first: false,
            limit: 100,
            start: None,
        }
    }

    pub(crate) fn index(index: &'static str, pk: impl Into<String>) -> Self {
        Self { index: Some(index), ..Self::partition(pk) }
    }

    /// Adds a condition on the sort key, `#sk`: `begins_with`, `between` or a comparison.
    pub(crate) fn sort(mut self, condition: &str, values: &[(&str, AttributeValue)]) -> Self {
        self.condition = format!(" AND {condition}");
        self.values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self
    }

    pub(crate) fn prefix(self, prefix: &str) -> Self {
        self.sort("begins_with(#sk, :prefix)", &[(":prefix", AttributeValue::S(prefix.to_owned()))])
    }

    pub(crate) fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    pub(crate) fn limit(mut self, limit: i32) -> Self {
        self.limit = limit;
        self
    }

    pub(crate) fn start_after(mut self, key: Option<Attributes>) -> Self {
        self.start = key;
        self
    }
}

/// The most items that the table returns to one request by keys.
const AT_ONCE: usize = 100;

impl Store {
    /// Makes a store on `table`, which `client` reaches.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), meter: None }
    }

    /// Counts the cost of every call.
    #[must_use]
    pub fn with_meter(mut self, meter: Arc<Meter>) -> Self {
        self.meter = Some(meter);
        self
    }

    pub(crate) fn wants_capacity(&self) -> Option<ReturnConsumedCapacity> {
        self.meter.as_ref().map(|_| ReturnConsumedCapacity::Total)
    }

    pub(crate) fn record<'a>(
        &self,
        kind: CallKind,
        consumed: impl IntoIterator<Item = &'a aws_sdk_dynamodb::types::ConsumedCapacity>,
    ) {
        if let Some(meter) = &self.meter {
            meter.add(kind, consumed);
        }
    }

    /// Reads one item, strongly consistent.
    pub(crate) async fn get<R: Record>(&self, key: &Key) -> Result<Option<R>, StoreError> {
        self.get_raw(key).await?.map(decode).transpose()
    }

    /// Reads one item's attributes, strongly consistent.
    pub(crate) async fn get_raw(&self, key: &Key) -> Result<Option<Attributes>, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .set_return_consumed_capacity(self.wants_capacity())
            .send()
            .await
            .map_err(from_sdk)?;
        self.record(CallKind::Read, output.consumed_capacity());
        Ok(output.item)
    }

    /// Reads items, strongly consistent, in the order of `keys`, each once; missing ones are left out.
    pub(crate) async fn get_all<R: Record>(&self, keys: &[Key]) -> Result<Vec<R>, StoreError> {
        self.get_each(keys).await?.into_iter().flatten().map(decode).collect()
    }

    /// Reads items of any kind, each strongly consistent: one for each of `keys`, 100 in one request. A repeated key finds
    /// nothing.
    pub(crate) async fn get_each(&self, keys: &[Key]) -> Result<Vec<Option<Attributes>>, StoreError> {
        if let [key] = keys {
            return Ok(vec![self.get_raw(key).await?]);
        }
        self.get_each_as(keys, true).await
    }

    /// Like `get_each`; without `consistent`, for half the price, what was written a moment ago may be missing.
    pub(crate) async fn get_each_as(
        &self,
        keys: &[Key],
        consistent: bool,
    ) -> Result<Vec<Option<Attributes>>, StoreError> {
        let mut found: HashMap<(String, String), Attributes> = HashMap::new();
        // An index may show an item twice while it moves, and a request with the same key twice is an error.
        let mut asked = HashSet::new();
        let mut pending: Vec<Attributes> =
            keys.iter().filter(|key| asked.insert(*key)).map(Key::attributes).collect();
        while !pending.is_empty() {
            let later = pending.split_off(pending.len().min(AT_ONCE));
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(pending))
                .consistent_read(consistent)
                .build()
                .map_err(|error| StoreError::Corrupt(Reason::of(error)))?;
            let output = self
                .client
                .batch_get_item()
                .request_items(&self.table, wanted)
                .set_return_consumed_capacity(self.wants_capacity())
                .send()
                .await
                .map_err(from_sdk)?;
            self.record(CallKind::Read, output.consumed_capacity());
            let items =
                output.responses.and_then(|mut tables| tables.remove(&self.table)).unwrap_or_default();
            found.extend(items.into_iter().map(|item| (primary_key(&item), item)));
            let rest = output.unprocessed_keys.and_then(|mut tables| tables.remove(&self.table));
            pending = rest.map(|rest| rest.keys).unwrap_or_default();
            pending.extend(later);
        }
        Ok(keys.iter().map(|key| found.remove(&(key.pk.clone(), key.sk.clone()))).collect())
    }

    /// Reads one page of a range: the items and the key to continue from.
    pub(crate) async fn page(
        &self,
        range: Range,
    ) -> Result<(Vec<Attributes>, Option<Attributes>), StoreError> {
        let (pk_name, sk_name) = match range.index {
            None => ("pk", "sk"),
            Some("gsi1") => ("gsi1pk", "gsi1sk"),
            Some(_) => ("gsi2pk", "gsi2sk"),
        };
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .set_index_name(range.index.map(str::to_owned))
            .key_condition_expression(format!("#pk = :pk{}", range.condition))
            .expression_attribute_names("#pk", pk_name)
            .expression_attribute_values(":pk", AttributeValue::S(range.pk))
            .scan_index_forward(!range.newest_first)
            .limit(range.limit)
            .set_exclusive_start_key(range.start)
            .set_return_consumed_capacity(self.wants_capacity());
        if !range.condition.is_empty() {
            query = query.expression_attribute_names("#sk", sk_name);
        }
        if range.index.is_none() {
            query = query.consistent_read(true).select(Select::AllAttributes);
        }
        for (name, value) in range.values {
            query = query.expression_attribute_values(name, value);
        }
        let output = query.send().await.map_err(from_sdk)?;
        self.record(CallKind::Read, output.consumed_capacity());
        Ok((output.items.unwrap_or_default(), output.last_evaluated_key))
    }

    /// Reads one page of the whole table, strongly consistent.
    pub(crate) async fn scan_page(
        &self,
        start: Option<Attributes>,
        limit: i32,
    ) -> Result<(Vec<Attributes>, Option<Attributes>), StoreError> {
        let output = self
            .client
            .scan()
            .table_name(&self.table)
            .limit(limit)
            .consistent_read(true)
            .set_exclusive_start_key(start)
            .set_return_consumed_capacity(self.wants_capacity())
            .send()
            .await
            .map_err(from_sdk)?;
        self.record(CallKind::Read, output.consumed_capacity());
        Ok((output.items.unwrap_or_default(), output.last_evaluated_key))
    }

    /// Reads a range to its end.
    pub(crate) async fn all<R: Record>(&self, range: Range) -> Result<Vec<R>, StoreError> {
        let mut records = Vec::new();
        let mut start = None;
        loop {
            let (items, next) = self.page(range.clone().start_after(start)).await?;
            for item in items {
                records.push(decode(item)?);
            }
            match next {
                Some(key) => start = Some(key),
                None => return Ok(records),
            }
        }
    }

    /// Writes a new item unless one exists.
    pub(crate) async fn insert<R: Record>(&self, record: &R) -> Result<Written, StoreError> {
        self.put_if(record, Some("attribute_not_exists(pk)".to_owned())).await
    }

    /// Writes an item, replacing any other: only for records whose content follows from their key.
    pub(crate) async fn put<R: Record>(&self, record: &R) -> Result<(), StoreError> {
        self.put_if(record, None).await.map(|_| ())
    }

    async fn put_if<R: Record>(&self, record: &R, condition: Option<String>) -> Result<Written, StoreError> {
        self.put_with(record, &Update { condition, ..Update::default() }).await
    }

    /// Writes a whole item under a condition; names and values of the condition come from `terms`.
    pub(crate) async fn put_under<R: Record>(
        &self,
        record: &R,
        condition: &str,
        terms: &Update,
    ) -> Result<Written, StoreError> {
        self.put_with(record, &terms.clone().only_if(condition)).await
    }

    async fn put_with<R: Record>(&self, record: &R, terms: &Update) -> Result<Written, StoreError> {
        let mut item = encode(record)?;
        stamp(&mut item);
        let send = || async {
            let output = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(item.clone()))
                .set_condition_expression(terms.condition.clone())
                .set_expression_attribute_names(none_if_empty(&terms.names))
                .set_expression_attribute_values(none_if_empty(&terms.values))
                .set_return_consumed_capacity(self.wants_capacity())
                .send()
                .await;
            match output {
                Ok(output) => {
                    self.record(CallKind::Write, output.consumed_capacity());
                    Ok(Written::Done(Attributes::new()))
                }
                Err(error) => refused_or(error),
            }
        };
        send.retry(contention()).when(is_conflict).notify(count_conflict).await
    }

    /// Changes one item; with `returning`, returns the item after the change.
    pub(crate) async fn update(
        &self,
        key: &Key,
        update: &Update,
        returning: bool,
    ) -> Result<Written, StoreError> {
        let send = || async {
            let output = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(key.attributes()))
                .update_expression(&update.expression)
                .set_condition_expression(update.condition.clone())
                .set_expression_attribute_names(none_if_empty(&update.names))
                .set_expression_attribute_values(none_if_empty(&update.values))
                .set_return_values(returning.then_some(ReturnValue::AllNew))
                .set_return_consumed_capacity(self.wants_capacity())
                .send()
                .await;
            match output {
                Ok(output) => {
                    self.record(CallKind::Write, output.consumed_capacity());
                    Ok(Written::Done(output.attributes.unwrap_or_default()))
                }
                Err(error) => refused_or(error),
            }
        };
        send.retry(contention()).when(is_conflict).notify(count_conflict).await
    }

    /// Deletes an item. A missing item is not an error.
    pub(crate) async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.delete_if(key, &Update::default()).await.map(|_| ())
    }

    /// Deletes an item under a condition.
    pub(crate) async fn delete_if(&self, key: &Key, terms: &Update) -> Result<Written, StoreError> {
        let output = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .set_condition_expression(terms.condition.clone())
            .set_expression_attribute_names(none_if_empty(&terms.names))
            .set_expression_attribute_values(none_if_empty(&terms.values))
            .set_return_consumed_capacity(self.wants_capacity())
            .send()
            .await;
        match output {
            Ok(output) => {
                self.record(CallKind::Write, output.consumed_capacity());
                Ok(Written::Done(Attributes::new()))
            }
            Err(error) => refused_or(error),
        }
    }
}

/// The retries after a conflict of writers: after 10 ms, doubling with jitter up to 500 ms, eight times.
pub(crate) fn contention() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(std::time::Duration::from_millis(10))
        .with_max_delay(std::time::Duration::from_millis(500))
        .with_max_times(8)
        .with_jitter()
}

pub(crate) fn is_conflict(error: &StoreError) -> bool {
    matches!(error, StoreError::Conflict)
}

fn refused_or<E, R>(error: aws_sdk_dynamodb::error::SdkError<E, R>) -> Result<Written, StoreError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match error.code() {
        Some("ConditionalCheckFailedException") => Ok(Written::Refused),
        Some("TransactionConflictException") => Err(StoreError::Conflict),
        _ => Err(from_sdk(error)),
    }
}

pub(crate) fn none_if_empty<V: Clone>(map: &HashMap<String, V>) -> Option<HashMap<String, V>> {
    (!map.is_empty()).then(|| map.clone())
}

pub(crate) fn primary_key(item: &Attributes) -> (String, String) {
    let part = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).cloned().unwrap_or_default();
    (part("pk"), part("sk"))
}
