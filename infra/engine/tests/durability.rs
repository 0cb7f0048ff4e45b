//! Guarantees of the engine on a file: data survives the end of the process, also when it is killed, and a stream
//! reader can continue from its position.
//!
//! The kill test starts this same binary as the writer, reads what it acknowledges, and kills it in the
//! middle of its work. Everything acknowledged must be there, complete, in the table and in the stream.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, Put,
        ScalarAttributeType, StreamSpecification, StreamViewType, TransactWriteItem,
    },
};
use guerdon_engine::{engine::Engine, stream::StreamPosition};
use serde_json::json;

const TABLE: &str = "durability";
/// Path of the file that the writer process works on; unset in an ordinary run.
const WRITER_FILE: &str = "GUERDON_ENGINE_TEST_WRITER";
/// Items of one transaction of the writer.
const PARTS: [&str; 3] = ["payment", "commission", "referral"];

async fn create_table(client: &Client) {
    let attribute =
        AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
    let sort = AttributeDefinition::builder().attribute_name("sk").attribute_type(ScalarAttributeType::S);
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewAndOldImages)
        .build()
        .unwrap();
    client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute.build().unwrap())
        .attribute_definitions(sort.build().unwrap())
        .key_schema(key_part("pk", KeyType::Hash))
        .key_schema(key_part("sk", KeyType::Range))
        .stream_specification(stream)
        .send()
        .await
        .unwrap();
}

fn key_part(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
}

/// Writes all parts of transaction `n`.
async fn write(client: &Client, n: u32) {
    let put = |part: &str| {
        let put = Put::builder()
            .table_name(TABLE)
            .item("pk", AttributeValue::S(format!("{n:06}")))
            .item("sk", AttributeValue::S(part.to_owned()))
            .build();
        TransactWriteItem::builder().put(put.unwrap()).build()
    };
    let items = PARTS.iter().map(|part| put(part)).collect();
    client.transact_write_items().set_transact_items(Some(items)).send().await.unwrap();
}

/// Counts the parts of each transaction that the table holds.
async fn stored(client: &Client) -> BTreeMap<u32, usize> {
    let mut parts = BTreeMap::new();
    let mut pages = client.scan().table_name(TABLE).consistent_read(true).into_paginator().send();
    while let Some(page) = pages.next().await {
        for item in page.unwrap().items() {
            let n = item["pk"].as_s().unwrap().parse().unwrap();
            *parts.entry(n).or_default() += 1;
        }
    }
    parts
}

/// Reads the transactions and parts in the stream after `position`, in pages of `limit`, and the position of its
/// end.
fn streamed(engine: &Engine, mut position: StreamPosition, limit: usize) -> (Vec<String>, StreamPosition) {
    let mut keys = Vec::new();
    loop {
        let page = engine.read_stream(TABLE, &position, limit).unwrap();
        if page.records.is_empty() {
            assert_eq!(page.position, position, "an empty page keeps the position");
            return (keys, position);
        }
        assert!(page.records.len() <= limit);
        for record in &page.records {
            assert_eq!(record["eventSourceARN"], page.arn.as_str());
            let key = &record["dynamodb"]["Keys"];
            keys.push(format!("{}/{}", key["pk"]["S"].as_str().unwrap(), key["sk"]["S"].as_str().unwrap()));
        }
        position = page.position;
    }
}

/// The stream's keys for transactions `first` to `last`, in the order they were written.
fn keys(first: u32, last: u32) -> Vec<String> {
    (first..=last).flat_map(|n| PARTS.map(|part| format!("{n:06}/{part}"))).collect()
}

#[tokio::test]
async fn data_outlives_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.db");
    let client = Engine::file(&path).unwrap().client();
    create_table(&client).await;
    for n in 0..5 {
        write(&client, n).await;
    }
    drop(client);
    for round in 0..3 {
        let client = Engine::file(&path).unwrap().client();
        assert_eq!(stored(&client).await, (0..5 + round).map(|n| (n, PARTS.len())).collect());
        write(&client, 5 + round).await;
    }
}

#[tokio::test]
async fn two_engines_in_memory_share_nothing() {
    let (one, other) = (Engine::memory().unwrap().client(), Engine::memory().unwrap().client());
    create_table(&one).await;
    create_table(&other).await;
    write(&one, 1).await;
    assert_eq!((stored(&one).await.len(), stored(&other).await.len()), (1, 0));
}

#[tokio::test]
async fn pages_of_the_stream_come_in_order() {
    let engine = Engine::memory().unwrap();
    let client = engine.client();
    create_table(&client).await;
    assert_eq!(streamed(&engine, StreamPosition::default(), 7), (vec![], StreamPosition::default()));
    for n in 0..10 {
        write(&client, n).await;
    }
    for limit in [1, 7, 1000] {
        assert_eq!(streamed(&engine, StreamPosition::default(), limit).0, keys(0, 9));
    }
}

#[tokio::test]
async fn a_reader_goes_on_where_it_stopped_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.db");
    let engine = Engine::file(&path).unwrap();
    create_table(&engine.client()).await;
    for n in 0..4 {
        write(&engine.client(), n).await;
    }
    let page = engine.read_stream(TABLE, &StreamPosition::default(), 5).unwrap();
    assert_eq!(page.records.len(), 5);
    drop(engine);

    let engine = Engine::file(&path).unwrap();
    write(&engine.client(), 4).await;
    let (rest, end) = streamed(&engine, page.position, 2);
    assert_eq!(rest, keys(0, 4)[5..]);
    drop(engine);

    let engine = Engine::file(&path).unwrap();
    assert_eq!(streamed(&engine, end.clone(), 2), (vec![], end.clone()));
    write(&engine.client(), 5).await;
    assert_eq!(streamed(&engine, end, 2).0, keys(5, 5));
}

#[test]
fn a_file_opens_while_other_threads_start_processes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.db");
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                // A child process holds the locks of this process until it runs its own program.
                for _ in 0..500 {
                    Command::new("/bin/true").status().unwrap();
                }
            });
        }
        for _ in 0..500 {
            drop(Engine::file(&path).unwrap());
        }
    });
}

/// The process that the next test kills; not a test of its own.
#[tokio::test]
async fn the_writer_process() {
    let Some(path) = std::env::var_os(WRITER_FILE) else { return };
    let client = Engine::file(Path::new(&path)).unwrap().client();
    create_table(&client).await;
    for n in 0.. {
        write(&client, n).await;
        // On a line of its own, apart from the output of the test runner.
        let mut out = std::io::stdout().lock();
        write!(out, "\nwritten {n}\n").and_then(|()| out.flush()).unwrap();
    }
}

fn start_writer(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_writer_process", "--nocapture"])
        .env(WRITER_FILE, path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// The transactions that the writer acknowledges, until its output ends.
fn acknowledged(output: ChildStdout) -> impl Iterator<Item = u32> {
    let lines = BufReader::new(output).lines().map_while(Result::ok);
    lines.filter_map(|line| line.strip_prefix("written ")?.parse().ok())
}

#[tokio::test]
async fn a_killed_process_loses_no_acknowledged_write() {
    let folder = tempfile::tempdir().unwrap();
    // Killed early and late: before and after the log is first rewritten.
    for (round, kill_after) in [3, 40, 250].into_iter().enumerate() {
        let path = folder.path().join(format!("table-{round}.db"));
        let mut writer = start_writer(&path);
        let mut writes = acknowledged(writer.stdout.take().unwrap());
        assert_eq!(writes.by_ref().take(kill_after).count(), kill_after, "the writer died by itself");
        writer.kill().unwrap();
        // It wrote until the signal came: what it acknowledged by then counts as well.
        let last = writes.last().unwrap_or(u32::try_from(kill_after).unwrap() - 1);
        assert!(!writer.wait().unwrap().success());
        check_survived(&path, last).await;
    }
}

/// Asserts that all transactions up to `last` are there, and perhaps one more that was not acknowledged; each is
/// complete, and the stream has the same.
async fn check_survived(path: &Path, last: u32) {
    let engine = Engine::file(path).unwrap();
    let stored = stored(&engine.client()).await;
    assert!(stored.values().all(|parts| *parts == PARTS.len()), "half a transaction: {stored:?}");
    assert!(
        stored.keys().copied().eq(0..=last) || stored.keys().copied().eq(0..=last + 1),
        "up to {last}: {stored:?}"
    );
    let in_stream: BTreeSet<_> = streamed(&engine, StreamPosition::default(), 500).0.into_iter().collect();
    let end = *stored.keys().next_back().unwrap();
    assert_eq!(in_stream, keys(0, end).into_iter().collect());
    write(&engine.client(), end + 1).await;
}

const TWO: [&str; 2] = ["one", "two"];

fn call(engine: &Engine, operation: &str, body: &serde_json::Value) {
    let (status, answer) = engine.call(operation, body).unwrap();
    assert_eq!(status, 200, "{answer}");
}

/// Writes an item to both tables in one transaction, and returns the ends of their streams.
fn write_both(engine: &Engine, n: u32) -> [StreamPosition; 2] {
    let put = |table| json!({ "Put": { "TableName": table, "Item": { "pk": { "S": n.to_string() } } } });
    call(engine, "TransactWriteItems", &json!({ "TransactItems": TWO.map(put) }));
    TWO.map(|table| engine.read_stream(table, &StreamPosition::default(), 9).unwrap().position)
}

#[test]
fn the_streams_of_two_tables_keep_their_numbers_when_records_were_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.db");
    let engine = Engine::file(&path).unwrap();
    for table in TWO {
        let definition = json!({
            "TableName": table,
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
        });
        call(&engine, "CreateTable", &definition);
    }
    let before = write_both(&engine, 1);
    TWO.iter().zip(&before).for_each(|(table, read)| engine.forget_read(table, read).unwrap());
    drop(engine);
    let now = write_both(&Engine::file(&path).unwrap(), 2);
    assert!(now.iter().zip(&before).all(|(now, before)| now.0 > before.0), "{now:?} after {before:?}");
}
