//! The table's definition, for the embedded engine and for conformance runs. In the cloud the template
//! creates the table; a test compares the two.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType, TimeToLiveSpecification,
};

use crate::table::{Reason, Store, StoreError, from_sdk};

/// The attributes of the keys: name and whether it is a number.
const ATTRIBUTES: &[(&str, bool)] = &[
    ("pk", false),
    ("sk", false),
    ("gsi1pk", false),
    ("gsi1sk", false),
    ("gsi2pk", false),
    ("gsi2sk", true),
];

impl Store {
    /// Creates the table with its indexes, stream and TTL unless it exists.
    ///
    /// # Errors
    /// [`StoreError`] when the engine refuses.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        let exists = self.client.describe_table().table_name(&self.table).send().await.is_ok();
        if exists {
            return Ok(());
        }
        let stream = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::NewAndOldImages)
            .build()
            .map_err(malformed)?;
        self.client
            .create_table()
            .table_name(&self.table)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(attributes()?))
            .set_key_schema(Some(key_schema("pk", "sk")?))
            .global_secondary_indexes(index("gsi1")?)
            .global_secondary_indexes(index("gsi2")?)
            .stream_specification(stream)
            .send()
            .await
            .map_err(from_sdk)?;
        let ttl = TimeToLiveSpecification::builder()
            .attribute_name("ttl")
            .enabled(true)
            .build()
            .map_err(malformed)?;
        self.client
            .update_time_to_live()
            .table_name(&self.table)
            .time_to_live_specification(ttl)
            .send()
            .await
            .map_err(from_sdk)?;
        Ok(())
    }
}

fn malformed(error: aws_sdk_dynamodb::error::BuildError) -> StoreError {
    StoreError::Corrupt(Reason::of(error))
}

fn attributes() -> Result<Vec<AttributeDefinition>, StoreError> {
    ATTRIBUTES
        .iter()
        .map(|(name, is_number)| {
            let kind = if *is_number { ScalarAttributeType::N } else { ScalarAttributeType::S };
            AttributeDefinition::builder()
                .attribute_name(*name)
                .attribute_type(kind)
                .build()
                .map_err(malformed)
        })
        .collect()
}

fn key_schema(pk: &str, sk: &str) -> Result<Vec<KeySchemaElement>, StoreError> {
    [(pk, KeyType::Hash), (sk, KeyType::Range)]
        .into_iter()
        .map(|(name, kind)| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(malformed)
        })
        .collect()
}

fn index(name: &str) -> Result<GlobalSecondaryIndex, StoreError> {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(key_schema(&format!("{name}pk"), &format!("{name}sk"))?))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .map_err(malformed)
}
