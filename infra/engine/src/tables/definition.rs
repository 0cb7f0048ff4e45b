//! Definitions of tables: `CreateTable`, `DescribeTable`, `UpdateTimeToLive`.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    error::{Refusal, invalid},
    key::{KeyAttribute, KeySchema, KeyType},
};

/// `CreateTable`, as far as it is supported. Anything else is refused by its name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct CreateTable {
    pub(crate) table_name: String,
    attribute_definitions: Vec<AttributeDefinition>,
    key_schema: Vec<KeyElement>,
    #[serde(default)]
    global_secondary_indexes: Vec<IndexRequest>,
    #[serde(default)]
    billing_mode: BillingMode,
    #[serde(default)]
    stream_specification: Option<StreamSpecification>,
}

/// `DescribeTable`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct DescribeTable {
    pub(crate) table_name: String,
}

/// `UpdateTimeToLive`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct UpdateTimeToLive {
    pub(crate) table_name: String,
    pub(crate) time_to_live_specification: TimeToLive,
}

/// The attribute with the time after which an item may be deleted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct TimeToLive {
    pub(crate) attribute_name: String,
    pub(crate) enabled: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum BillingMode {
    #[default]
    PayPerRequest,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AttributeDefinition {
    attribute_name: String,
    attribute_type: KeyType,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct KeyElement {
    attribute_name: String,
    key_type: KeyRole,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum KeyRole {
    Hash,
    Range,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct IndexRequest {
    index_name: String,
    key_schema: Vec<KeyElement>,
    projection: Projection,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Projection {
    projection_type: ProjectionType,
}

/// The attributes that an index holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ProjectionType {
    KeysOnly,
    All,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct StreamSpecification {
    stream_enabled: bool,
    #[serde(default)]
    stream_view_type: Option<StreamViewType>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum StreamViewType {
    NewAndOldImages,
}

/// An index, as requested.
#[derive(Debug, Clone)]
pub(crate) struct IndexDefinition {
    pub(crate) name: String,
    pub(crate) schema: KeySchema,
    pub(crate) projection: ProjectionType,
}

impl CreateTable {
    pub(crate) fn schema(&self) -> Result<KeySchema, Refusal> {
        self.key_schema(&self.key_schema)
    }

    pub(crate) fn indexes(&self) -> Result<Vec<IndexDefinition>, Refusal> {
        let index = |index: &IndexRequest| {
            Ok(IndexDefinition {
                name: index.index_name.clone(),
                schema: self.key_schema(&index.key_schema)?,
                projection: index.projection.projection_type,
            })
        };
        self.global_secondary_indexes.iter().map(index).collect()
    }

    pub(crate) fn has_stream(&self) -> bool {
        self.stream_specification.is_some_and(|stream| stream.stream_enabled)
    }

    fn key_schema(&self, elements: &[KeyElement]) -> Result<KeySchema, Refusal> {
        let attribute = |element: &KeyElement| {
            let name = &element.attribute_name;
            match self.attribute_definitions.iter().find(|definition| definition.attribute_name == *name) {
                Some(definition) => Ok(KeyAttribute { name: name.clone(), kind: definition.attribute_type }),
                None => invalid(format!(
                    "One or more parameter values were invalid: Some index key attributes are not defined in \
                     AttributeDefinitions. Keys: [{name}]"
                )),
            }
        };
        match elements {
            [hash] if hash.key_type == KeyRole::Hash => Ok(KeySchema { hash: attribute(hash)?, range: None }),
            [hash, range] if (hash.key_type, range.key_type) == (KeyRole::Hash, KeyRole::Range) => {
                Ok(KeySchema { hash: attribute(hash)?, range: Some(attribute(range)?) })
            }
            _ => invalid("Invalid KeySchema: one HASH key and at most one RANGE key, in this order"),
        }
    }

    /// `TableDescription`, also of a `DescribeTable`.
    pub(crate) fn description(&self, items: usize, stream_arn: Option<&str>) -> Json {
        let table = &self.table_name;
        let indexes: Vec<_> = self
            .global_secondary_indexes
            .iter()
            .map(|index| {
                json!({
                    "IndexName": index.index_name,
                    "IndexStatus": "ACTIVE",
                    "KeySchema": index.key_schema,
                    "Projection": index.projection,
                })
            })
            .collect();
        let mut description = json!({
            "TableName": table,
            "TableStatus": "ACTIVE",
            "TableArn": format!("arn:aws:dynamodb:local:000000000000:table/{table}"),
            "AttributeDefinitions": self.attribute_definitions,
            "KeySchema": self.key_schema,
            "BillingModeSummary": { "BillingMode": self.billing_mode },
            "ItemCount": items,
        });
        if !indexes.is_empty() {
            description["GlobalSecondaryIndexes"] = json!(indexes);
        }
        if let (Some(arn), Some(stream)) = (stream_arn, &self.stream_specification) {
            description["StreamSpecification"] = json!(stream);
            description["LatestStreamArn"] = json!(arn);
        }
        description
    }
}
