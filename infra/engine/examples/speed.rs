//! Measures the engines' speed through the SDK: `cargo run --release -p guerdon-engine --example speed`.
//!
//! Arguments: the repetitions of each operation, 2000 by default; and `ours` or `file` for our
//! engine alone, in memory or on a file.
//! One client, one request at a time, items of about 300 bytes with both index keys.
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::float_arithmetic)]

use std::{collections::HashMap, error::Error, time::Instant};

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
        Projection, ProjectionType, Put, ScalarAttributeType, StreamSpecification, StreamViewType,
        TransactWriteItem,
    },
};
use guerdon_engine::engine::Engine;

const TABLE: &str = "speed";
const OPERATIONS: [&str; 4] = ["put", "get", "3-item transaction", "update"];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn key_schema(pk: &str, sk: &str) -> Outcome<Vec<KeySchemaElement>> {
    let part = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    Ok(vec![part(pk, KeyType::Hash)?, part(sk, KeyType::Range)?])
}

async fn create_table(client: &Client) -> Outcome<()> {
    let index = |name: &str| -> Outcome<GlobalSecondaryIndex> {
        Ok(GlobalSecondaryIndex::builder()
            .index_name(name)
            .set_key_schema(Some(key_schema(&format!("{name}pk"), &format!("{name}sk"))?))
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
            .build()?)
    };
    let mut request = client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema("pk", "sk")?))
        .global_secondary_indexes(index("gsi1")?)
        .global_secondary_indexes(index("gsi2")?)
        .stream_specification(
            StreamSpecification::builder()
                .stream_enabled(true)
                .stream_view_type(StreamViewType::NewAndOldImages)
                .build()?,
        );
    for name in ["pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk"] {
        let kind = if name == "gsi2sk" { ScalarAttributeType::N } else { ScalarAttributeType::S };
        let definition = AttributeDefinition::builder().attribute_name(name).attribute_type(kind);
        request = request.attribute_definitions(definition.build()?);
    }
    request.send().await?;
    Ok(())
}

fn key(n: usize) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(format!("M#{n:032}"))),
        ("sk".to_owned(), AttributeValue::S("MEMBER".to_owned())),
    ])
}

fn item(n: usize) -> HashMap<String, AttributeValue> {
    let mut item = key(n);
    let text = |text: String| AttributeValue::S(text);
    item.insert("gsi1pk".to_owned(), text(format!("REFERRERS#{}", n % 4)));
    item.insert("gsi1sk".to_owned(), text(format!("{n:032}")));
    item.insert("gsi2pk".to_owned(), text("RANKING#all".to_owned()));
    item.insert("gsi2sk".to_owned(), AttributeValue::N((n % 100).to_string()));
    item.insert("first_name".to_owned(), text("Aleksandra".to_owned()));
    item.insert("paid".to_owned(), AttributeValue::N("4797".to_owned()));
    item.insert("note".to_owned(), text("x".repeat(80)));
    item
}

fn put(n: usize) -> Outcome<TransactWriteItem> {
    let put = Put::builder().table_name(TABLE).set_item(Some(item(n)));
    let put = put.condition_expression("attribute_not_exists(pk)").build()?;
    Ok(TransactWriteItem::builder().put(put).build())
}

async fn operate(client: &Client, operation: &str, n: usize) -> Outcome<()> {
    match operation {
        "put" => {
            let request = client.put_item().table_name(TABLE).set_item(Some(item(n)));
            request.condition_expression("attribute_not_exists(pk)").send().await?;
        }
        "get" => {
            let request = client.get_item().table_name(TABLE).set_key(Some(key(n)));
            request.consistent_read(true).send().await?;
        }
        "update" => {
            let request = client.update_item().table_name(TABLE).set_key(Some(key(n)));
            let request = request.update_expression("SET seen = :n ADD paid :n");
            request.expression_attribute_values(":n", AttributeValue::N("1".to_owned())).send().await?;
        }
        _ => {
            let items = (0..3).map(|part| put(1_000_000 + 3 * n + part)).collect::<Outcome<Vec<_>>>()?;
            client.transact_write_items().set_transact_items(Some(items)).send().await?;
        }
    }
    Ok(())
}

/// CPU time of this thread in seconds, where the system reports it, so that other programs do not count.
fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e9)
}

/// Operations per second of this thread's CPU time, for each kind of operation.
async fn measure(engine: &Engine, count: usize) -> Outcome<Vec<f64>> {
    let client = engine.client();
    create_table(&client).await?;
    let mut rates = Vec::new();
    for operation in OPERATIONS {
        let start = (Instant::now(), cpu_seconds());
        for n in 0..count {
            operate(&client, operation, n).await?;
        }
        let seconds = match start.1.zip(cpu_seconds()) {
            Some((before, after)) => after - before,
            None => start.0.elapsed().as_secs_f64(),
        };
        rates.push(f64::from(u32::try_from(count)?) / seconds);
    }
    Ok(rates)
}

async fn one(engine: &Engine, count: usize) -> Outcome<()> {
    println!("{OPERATIONS:?} {:.0?}", measure(engine, count).await?);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let count = std::env::args().nth(1).map_or(Ok(2000), |text| text.parse())?;
    match std::env::args().nth(2).as_deref() {
        Some("ours") => return one(&Engine::memory()?, count).await,
        Some("file") => {
            let folder = tempfile::tempdir()?;
            return one(&Engine::file(&folder.path().join("table"))?, count).await;
        }
        _ => {}
    }
    let ours = measure(&Engine::memory()?, count).await?;
    let sqlite = measure(&Engine::memory_sqlite()?, count).await?;
    println!("{:20} {:>10} {:>10} {:>7}", "operations a second", "ours", "SQLite", "ratio");
    for (operation, (ours, sqlite)) in OPERATIONS.iter().zip(ours.iter().zip(&sqlite)) {
        println!("{operation:20} {ours:>10.0} {sqlite:>10.0} {:>6.1}x", ours / sqlite);
    }
    Ok(())
}
