//! A table for one test, and records with ids as long as the real ones.
//!
//! The table is on the embedded engine in memory (on SQLite with `GUERDON_ENGINE=sqlite`), or on the endpoint
//! that `GUERDON_DYNAMODB_ENDPOINT` names (`make conformance`), where each test creates its own table.
#![allow(dead_code, unused_imports, reason = "each test binary uses a part of it")]

mod pages;
mod records;
mod script;
mod writes;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region, SharedHttpClient},
    types::AttributeValue,
};
use guerdon_engine::engine::Engine;
use guerdon_store::table::{Connection, Store};

pub use pages::read_to_the_end;
pub use records::*;
pub use script::Script;
pub use writes::*;

/// A stored item with its attributes in order.
pub type Item = BTreeMap<String, AttributeValue>;

/// The table of one test.
pub struct Table {
    /// The store under test.
    pub store: Store,
    /// The same table, for reading the stored items.
    pub client: Client,
    /// Its name.
    pub name: String,
    engine: Option<Engine>,
}

/// Makes an empty table.
pub async fn table() -> Table {
    static TABLES: AtomicU32 = AtomicU32::new(0);
    let number = TABLES.fetch_add(1, Ordering::Relaxed);
    let name = format!("store-tests-{}-{number}", std::process::id());
    let table = match std::env::var("GUERDON_DYNAMODB_ENDPOINT") {
        Ok(endpoint) => at_endpoint(&endpoint, name),
        Err(_) => embedded(name),
    };
    table.store.create_table().await.unwrap();
    table
}

/// Makes an empty table on the embedded engine; none, with a message, when an endpoint is configured, because
/// faults cannot be injected there.
pub async fn embedded_table() -> Option<Table> {
    if std::env::var_os("GUERDON_DYNAMODB_ENDPOINT").is_some() {
        eprintln!("skipped: faults can only be injected into the embedded engine");
        return None;
    }
    Some(table().await)
}

fn embedded(name: String) -> Table {
    let sqlite = std::env::var_os("GUERDON_ENGINE").is_some_and(|engine| engine == "sqlite");
    let engine = if sqlite { Engine::memory_sqlite() } else { Engine::memory() }.unwrap();
    let client = engine.client();
    Table { store: Store::new(client.clone(), &name), client, name, engine: Some(engine) }
}

fn at_endpoint(endpoint: &str, name: String) -> Table {
    let credentials = Credentials::new("local", "local", None, None, "conformance");
    let http_client = aws_smithy_http_client::Builder::new().build_http();
    let connection = Connection {
        region: "local".to_owned(),
        endpoint: Some(endpoint.to_owned()),
        credentials: credentials.clone(),
        http_client: Some(http_client.clone()),
        table: name.clone(),
    };
    let client = raw_client(endpoint, credentials, http_client);
    Table { store: Store::connect(connection), client, name, engine: None }
}

fn raw_client(endpoint: &str, credentials: Credentials, http_client: SharedHttpClient) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("local"))
        .endpoint_url(endpoint)
        .credentials_provider(credentials)
        .http_client(http_client);
    Client::from_conf(config.build())
}

impl Table {
    /// Returns the same table through a client whose requests fail as `script` defines.
    pub fn failing(&self, script: &Arc<Script>) -> Store {
        let engine = self.engine.as_ref().expect("only the embedded engine takes faults");
        Store::new(engine.client_with_faults(script.clone()), &self.name)
    }

    /// Reads all stored items, by key.
    pub async fn items(&self) -> BTreeMap<(String, String), Item> {
        let mut pages =
            self.client.scan().table_name(&self.name).consistent_read(true).into_paginator().send();
        let mut items = BTreeMap::new();
        while let Some(page) = pages.next().await {
            for item in page.unwrap().items.unwrap_or_default() {
                let item: Item = item.into_iter().collect();
                items.insert((text(&item, "pk"), text(&item, "sk")), item);
            }
        }
        items
    }

    /// Reads the one stored item of this type.
    pub async fn only(&self, kind: &str) -> Item {
        let mut found: Vec<Item> =
            self.items().await.into_values().filter(|item| text(item, "type") == kind).collect();
        assert_eq!(found.len(), 1, "items of type {kind}");
        found.remove(0)
    }
}

/// Reads a text attribute, empty when there is none.
pub fn text(item: &Item, name: &str) -> String {
    item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}
