//! Writes: checks that need no table, the changes that a write would make, and making them.

use std::sync::Arc;

use serde::Serialize;

use super::{
    Tables,
    capacity::{Consumed, WriteCost},
    error::{Refusal, invalid},
    expression::{Cache, Condition, Parsed, Update, Uses},
    key::PrimaryKey,
    requests::{Action, Kind, OnFailure, ReturnValues, Single},
    storage::{Changes, Storage},
    table::{Change, Table},
    value::{Attributes, Image, size_of_item},
};

/// Expired items that are deleted at once.
const SWEPT: usize = 500;

/// A write whose expressions are read and whose key is known.
pub(crate) struct Prepared<'a> {
    pub(crate) action: &'a Action,
    condition: Option<Arc<Parsed<Condition>>>,
    update: Option<Arc<Parsed<Update>>>,
}

/// Answer of `PutItem`, `UpdateItem` and `DeleteItem`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Image>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_capacity: Option<Consumed>,
}

impl<'a> Prepared<'a> {
    /// Refuses what is wrong with the request itself.
    pub(crate) fn new(action: &'a Action, cache: &mut Cache) -> Result<Self, Refusal> {
        let condition = action.condition.as_deref().map(|text| cache.condition(text)).transpose()?;
        let update = match &action.kind {
            Kind::Update { expression: Some(text), .. } => Some(cache.update(text)?),
            _ => None,
        };
        let expressions: Vec<&dyn Uses> = condition
            .iter()
            .map(|condition| condition.as_ref() as &dyn Uses)
            .chain(update.iter().map(|update| update.as_ref() as &dyn Uses))
            .collect();
        action.placeholders.check_used(&expressions)?;
        if let Some(condition) = &condition {
            condition.tree.check(&condition.bind(&action.placeholders)?)?;
        }
        if let Some(update) = &update {
            update.tree.check(&update.bind(&action.placeholders)?)?;
        }
        Ok(Self { action, condition, update })
    }

    /// The key of the item that is written. A whole item must also fit the table's indexes.
    pub(crate) fn key(&self, table: &Table) -> Result<PrimaryKey, Refusal> {
        match &self.action.kind {
            Kind::Put { item } => {
                let key = table.schema.of_item(item)?;
                table.check_index_keys(item)?;
                Ok(key)
            }
            Kind::Update { key, .. } | Kind::Delete { key } | Kind::Check { key } => table.schema.of_key(key),
        }
    }

    /// Computes the change that the write would make, if its condition holds.
    pub(crate) fn change(
        &self,
        table: &Table,
        storage: &dyn Storage,
        key: PrimaryKey,
    ) -> Result<Change, Refusal> {
        let old = storage.get(table.id, &key)?;
        self.check_condition(old.as_ref())?;
        let new = match &self.action.kind {
            Kind::Put { item } => Some(Image::try_new(item.clone())?),
            Kind::Delete { .. } => None,
            Kind::Check { .. } => old.clone(),
            Kind::Update { key, .. } => Some(self.updated(table, old.as_ref(), key)?),
        };
        Ok(Change { key, old, new })
    }

    fn check_condition(&self, old: Option<&Image>) -> Result<(), Refusal> {
        let Some(condition) = &self.condition else { return Ok(()) };
        let nothing = Attributes::new();
        let item = old.map_or(&nothing, |old| &**old);
        if condition.tree.holds(item, &condition.bind(&self.action.placeholders)?) {
            return Ok(());
        }
        let shown = self.action.on_failure == OnFailure::AllOld;
        Err(Refusal::ConditionFailed(old.filter(|_| shown).cloned()))
    }

    fn updated(&self, table: &Table, old: Option<&Image>, key: &Attributes) -> Result<Image, Refusal> {
        let before = old.map_or(key, |old| &**old);
        let Some(update) = &self.update else { return Image::try_new(before.clone()) };
        let bindings = update.bind(&self.action.placeholders)?;
        update.tree.check_key(&table.schema, &bindings)?;
        let after = update.tree.apply(before, &bindings)?;
        table.check_index_keys(&after)?;
        Image::try_new(after).map_err(|refusal| match refusal {
            Refusal::Validation(message) if message.starts_with("Item size") => {
                Refusal::Validation("Item size to update has exceeded the maximum allowed size".to_owned())
            }
            other => other,
        })
    }

    /// Bytes in the request of the write.
    pub(crate) fn bytes(&self) -> usize {
        match &self.action.kind {
            Kind::Put { item } => size_of_item(item),
            Kind::Update { key, .. } => size_of_item(key) + size_of_item(&self.action.placeholders.values),
            Kind::Delete { key } | Kind::Check { key } => size_of_item(key),
        }
    }

    /// The attributes that the write returns.
    fn returned(&self, values: ReturnValues, change: &Change) -> Result<Option<Image>, Refusal> {
        let part = |image: &Option<Image>| {
            let (Some(image), Some(update)) = (image, &self.update) else { return Ok(None) };
            let touched = update.tree.touched(image, &update.bind(&self.action.placeholders)?);
            Ok((!touched.is_empty()).then(|| Image::new(touched)))
        };
        match values {
            ReturnValues::None => Ok(None),
            ReturnValues::AllOld => Ok(change.old.clone()),
            ReturnValues::AllNew => Ok(change.new.clone()),
            ReturnValues::UpdatedOld => part(&change.old),
            ReturnValues::UpdatedNew => part(&change.new),
        }
    }
}

impl Tables {
    /// `PutItem`, `UpdateItem`, `DeleteItem`.
    pub(crate) fn write(&mut self, request: &Single, now: i64) -> Result<Written, Refusal> {
        let prepared = Prepared::new(&request.action, &mut self.expressions)?;
        let table = self.table(&request.action.table)?;
        let key = prepared.key(table)?;
        let change = prepared.change(table, self.storage.as_ref(), key)?;
        let attributes = prepared.returned(request.return_values.unwrap_or_default(), &change)?;
        let cost = self.commit(vec![(&request.action.table, change)], now, false)?;
        let cost = cost.into_iter().next().unwrap_or_default();
        let wanted = request.capacity.unwrap_or_default();
        let consumed_capacity = Consumed::new(wanted, &request.action.table, cost.halves());
        Ok(Written { attributes, consumed_capacity })
    }

    /// Deletes some expired items; none when there are no more.
    pub(crate) fn sweep(&mut self, now: i64) -> Result<usize, Refusal> {
        let names: Vec<_> = self.tables.keys().cloned().collect();
        for name in names {
            let expired = self.table(&name)?.expired(self.storage.as_ref(), now, SWEPT)?;
            if !expired.is_empty() {
                let changes = expired.into_iter().map(|change| (name.as_str(), change)).collect();
                return Ok(self.commit(changes, now, true)?.len());
            }
        }
        Ok(0)
    }

    /// Makes changes, all of them or none.
    pub(crate) fn commit(
        &mut self,
        changes: Vec<(&str, Change)>,
        now: i64,
        by_ttl: bool,
    ) -> Result<Vec<WriteCost>, Refusal> {
        let mut all = Changes::default();
        let mut costs = Vec::with_capacity(changes.len());
        for (name, change) in changes {
            costs.push(self.table_mut(name)?.add(change, now, by_ttl, &mut all));
        }
        if !all.entries.is_empty() {
            self.storage.write(all)?;
        }
        Ok(costs)
    }
}

/// Refuses a token or name of a length that the API does not take.
pub(crate) fn check_token(token: &str) -> Result<(), Refusal> {
    if (1..=36).contains(&token.len()) {
        return Ok(());
    }
    invalid("ClientRequestToken must have from 1 to 36 characters")
}
