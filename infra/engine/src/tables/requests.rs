//! The requests that read and write items. Parameters that are not listed are refused by their name.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{expression::Placeholders, value::Attributes};

/// Asks for the request's cost in the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum ReturnCapacity {
    #[default]
    None,
    Total,
}

/// The attributes that a write returns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ReturnValues {
    #[default]
    None,
    AllOld,
    AllNew,
    UpdatedOld,
    UpdatedNew,
}

/// The attributes that a refused write returns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum OnFailure {
    #[default]
    None,
    AllOld,
}

/// The attributes of each item that a query returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Select {
    AllAttributes,
    AllProjectedAttributes,
    Count,
}

/// `PutItem`, and `Put` in a transaction.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Put {
    table_name: String,
    item: Attributes,
    condition_expression: Option<String>,
    #[serde(default)]
    expression_attribute_names: BTreeMap<String, String>,
    #[serde(default)]
    expression_attribute_values: Attributes,
    #[serde(default)]
    return_values_on_condition_check_failure: OnFailure,
    return_values: Option<ReturnValues>,
    return_consumed_capacity: Option<ReturnCapacity>,
}

/// `UpdateItem` and `DeleteItem`, and `Update`, `Delete` and `ConditionCheck` in a transaction.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Keyed {
    table_name: String,
    key: Attributes,
    update_expression: Option<String>,
    condition_expression: Option<String>,
    #[serde(default)]
    expression_attribute_names: BTreeMap<String, String>,
    #[serde(default)]
    expression_attribute_values: Attributes,
    #[serde(default)]
    return_values_on_condition_check_failure: OnFailure,
    return_values: Option<ReturnValues>,
    return_consumed_capacity: Option<ReturnCapacity>,
}

/// A write of one item, alone or in a transaction.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Action {
    pub(crate) table: String,
    pub(crate) kind: Kind,
    pub(crate) condition: Option<String>,
    pub(crate) placeholders: Placeholders,
    pub(crate) on_failure: OnFailure,
}

/// The action of a write.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Put { item: Attributes },
    Update { key: Attributes, expression: Option<String> },
    Delete { key: Attributes },
    Check { key: Attributes },
}

/// A write of one item, with what it returns.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Put")]
pub(crate) struct PutItem(pub(crate) Single);

/// A write of an item that is named by its key.
#[derive(Debug, Deserialize)]
#[serde(from = "Keyed")]
pub(crate) struct UpdateItem(pub(crate) Single);

/// A write of an item that is named by its key, without an update.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Keyed")]
pub(crate) struct DeleteItem(pub(crate) Single);

/// A check of one item in a transaction.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Keyed")]
pub(crate) struct CheckItem(pub(crate) Single);

/// The fields that all four writes share.
#[derive(Debug)]
pub(crate) struct Single {
    pub(crate) action: Action,
    pub(crate) return_values: Option<ReturnValues>,
    pub(crate) capacity: Option<ReturnCapacity>,
}

impl TryFrom<Put> for PutItem {
    type Error = &'static str;

    fn try_from(put: Put) -> Result<Self, &'static str> {
        if !matches!(put.return_values, None | Some(ReturnValues::None | ReturnValues::AllOld)) {
            return Err("ReturnValues can only be ALL_OLD or NONE");
        }
        let action = Action {
            table: put.table_name,
            kind: Kind::Put { item: put.item },
            condition: put.condition_expression,
            placeholders: Placeholders {
                names: put.expression_attribute_names,
                values: put.expression_attribute_values,
            },
            on_failure: put.return_values_on_condition_check_failure,
        };
        Ok(Self(Single { action, return_values: put.return_values, capacity: put.return_consumed_capacity }))
    }
}

impl Keyed {
    fn single(self, kind: impl FnOnce(Attributes, Option<String>) -> Kind) -> Single {
        let action = Action {
            table: self.table_name,
            kind: kind(self.key, self.update_expression),
            condition: self.condition_expression,
            placeholders: Placeholders {
                names: self.expression_attribute_names,
                values: self.expression_attribute_values,
            },
            on_failure: self.return_values_on_condition_check_failure,
        };
        Single { action, return_values: self.return_values, capacity: self.return_consumed_capacity }
    }
}

impl From<Keyed> for UpdateItem {
    fn from(request: Keyed) -> Self {
        Self(request.single(|key, expression| Kind::Update { key, expression }))
    }
}

impl TryFrom<Keyed> for DeleteItem {
    type Error = &'static str;

    fn try_from(request: Keyed) -> Result<Self, &'static str> {
        if !matches!(request.return_values, None | Some(ReturnValues::None | ReturnValues::AllOld)) {
            return Err("ReturnValues can only be ALL_OLD or NONE");
        }
        without_update(&request)?;
        Ok(Self(request.single(|key, _| Kind::Delete { key })))
    }
}

impl TryFrom<Keyed> for CheckItem {
    type Error = &'static str;

    fn try_from(request: Keyed) -> Result<Self, &'static str> {
        without_update(&request)?;
        if request.condition_expression.is_none() {
            return Err("The ConditionExpression of a ConditionCheck is missing");
        }
        Ok(Self(request.single(|key, _| Kind::Check { key })))
    }
}

fn without_update(request: &Keyed) -> Result<(), &'static str> {
    match request.update_expression {
        Some(_) => Err("unknown field `UpdateExpression`"),
        None => Ok(()),
    }
}

/// `TransactWriteItems`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct TransactWriteItems {
    pub(crate) transact_items: Vec<TransactItem>,
    pub(crate) client_request_token: Option<String>,
    #[serde(default)]
    pub(crate) return_consumed_capacity: ReturnCapacity,
}

/// One item of a transaction: exactly one of these.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum TransactItem {
    Put(PutItem),
    Update(UpdateItem),
    Delete(DeleteItem),
    ConditionCheck(CheckItem),
}

impl TransactItem {
    pub(crate) fn single(self) -> Single {
        match self {
            Self::Put(PutItem(single))
            | Self::Update(UpdateItem(single))
            | Self::Delete(DeleteItem(single))
            | Self::ConditionCheck(CheckItem(single)) => single,
        }
    }
}

/// `GetItem`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct GetItem {
    pub(crate) table_name: String,
    pub(crate) key: Attributes,
    #[serde(default)]
    pub(crate) consistent_read: bool,
    #[serde(default)]
    pub(crate) return_consumed_capacity: ReturnCapacity,
}

/// `BatchGetItem`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct BatchGetItem {
    pub(crate) request_items: BTreeMap<String, Keys>,
    #[serde(default)]
    pub(crate) return_consumed_capacity: ReturnCapacity,
}

/// The keys that a `BatchGetItem` wants of one table.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Keys {
    pub(crate) keys: Vec<Attributes>,
    #[serde(default)]
    pub(crate) consistent_read: bool,
}

/// `TransactGetItems`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct TransactGetItems {
    pub(crate) transact_items: Vec<TransactGet>,
    #[serde(default)]
    pub(crate) return_consumed_capacity: ReturnCapacity,
}

/// One item of a `TransactGetItems`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum TransactGet {
    Get(GetOne),
}

/// Its table and key.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct GetOne {
    pub(crate) table_name: String,
    pub(crate) key: Attributes,
}

/// `Query`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Query {
    pub(crate) table_name: String,
    pub(crate) index_name: Option<String>,
    pub(crate) key_condition_expression: String,
    pub(crate) filter_expression: Option<String>,
    #[serde(default)]
    expression_attribute_names: BTreeMap<String, String>,
    #[serde(default)]
    expression_attribute_values: Attributes,
    #[serde(default = "forward")]
    pub(crate) scan_index_forward: bool,
    pub(crate) limit: Option<i64>,
    pub(crate) exclusive_start_key: Option<Attributes>,
    pub(crate) select: Option<Select>,
    #[serde(default)]
    pub(crate) consistent_read: bool,
    #[serde(default)]
    pub(crate) return_consumed_capacity: ReturnCapacity,
}

const fn forward() -> bool {
    true
}

impl Query {
    pub(crate) fn placeholders(&mut self) -> Placeholders {
        Placeholders {
            names: std::mem::take(&mut self.expression_attribute_names),
            values: std::mem::take(&mut self.expression_attribute_values),
        }
    }
}

/// `Scan`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Scan {
    pub(crate) table_name: String,
    pub(crate) index_name: Option<String>,
    pub(crate) filter_expression: Option<String>,
    #[serde(default)]
    expression_attribute_names: BTreeMap<String, String>,
    #[serde(default)]
    expression_attribute_values: Attributes,
    pub(crate) limit: Option<i64>,
    pub(crate) exclusive_start_key: Option<Attributes>,
    pub(crate) segment: Option<u32>,
    pub(crate) total_segments: Option<u32>,
    pub(crate) select: Option<Select>,
    #[serde(default)]
    pub(crate) consistent_read: bool,
    #[serde(default)]
    pub(crate) return_consumed_capacity: ReturnCapacity,
}

impl Scan {
    pub(crate) fn placeholders(&mut self) -> Placeholders {
        Placeholders {
            names: std::mem::take(&mut self.expression_attribute_names),
            values: std::mem::take(&mut self.expression_attribute_values),
        }
    }
}
