//! Comparison of our engine, on ordered maps and on the database, with dynoxide, whose answers were compared with AWS's:
//! the same random requests must get the same answers, items and capacity units, and lead to the same table, indexes and
//! stream.
//!
//! Messages are not compared. Where the engines differ on purpose, the code that makes the requests says what it
//! leaves out.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod requests;

use guerdon_database::database::Database;
use guerdon_engine::{
    engine::{Engine, SCHEMA},
    stream::StreamPosition,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use requests::{Request, TABLE, requests};

fn on_database() -> Engine {
    Engine::on(Database::memory(&[SCHEMA]).unwrap()).unwrap()
}

fn create_table(engine: &Engine) {
    let kind = |name: &str| if name == "gsi2sk" { "N" } else { "S" };
    let definitions: Vec<_> = ["pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk"]
        .map(|name| json!({ "AttributeName": name, "AttributeType": kind(name) }))
        .into();
    let schema = |pk: &str, sk: &str| json!([{ "AttributeName": pk, "KeyType": "HASH" }, { "AttributeName": sk, "KeyType": "RANGE" }]);
    let index = |name: &str| {
        json!({
            "IndexName": name,
            "KeySchema": schema(&format!("{name}pk"), &format!("{name}sk")),
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        })
    };
    let request = json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": definitions,
        "KeySchema": schema("pk", "sk"),
        "GlobalSecondaryIndexes": [index("gsi1"), index("gsi2")],
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
    });
    let (status, answer) = engine.call("CreateTable", &request).unwrap();
    assert_eq!(status, 200, "{answer}");
}

/// The answer's parts that must agree, in one form: sets and unordered lists sorted, no messages.
fn comparable(request: &Request, engine: &Engine) -> Value {
    let (status, answer) = engine.call(request.operation, &request.body).unwrap();
    let mut parts = json!({ "status": status });
    if let Some(kind) = answer["__type"].as_str() {
        parts["error"] = json!(kind.rsplit('#').next());
    }
    for name in ["Item", "Attributes", "Count", "ScannedCount", "LastEvaluatedKey"] {
        parts[name] = ordered(&answer[name], false);
    }
    // An item that an update created had no old attributes; dynoxide returns the key for them.
    if request.body["ReturnValues"] == "ALL_OLD" && parts["Attributes"] == request.body["Key"] {
        parts["Attributes"].take();
    }
    parts["Items"] = ordered(&answer["Items"], request.operation == "Scan");
    parts["Responses"] = ordered(&answer["Responses"], true);
    let reasons = answer["CancellationReasons"].as_array().cloned().unwrap_or_default();
    let reason = |reason: &Value| json!({ "Code": reason["Code"], "Item": ordered(&reason["Item"], false) });
    parts["reasons"] = reasons.iter().map(reason).collect();
    parts["capacity"] = capacity(&answer["ConsumedCapacity"]);
    // Ours refuses the whole request for an error that needs no table to find; dynoxide reports some of these, such as
    // an impossible operand of an update, as the item's reason.
    let invalid = |reason: &Value| reason["Code"] == "ValidationError";
    if request.operation == "TransactWriteItems"
        && (parts["error"] == "ValidationException" || reasons.iter().any(invalid))
    {
        return json!("invalid");
    }
    parts
}

fn capacity(consumed: &Value) -> Value {
    match consumed {
        Value::Array(tables) => tables.iter().map(capacity).collect(),
        table => json!(table["CapacityUnits"].as_f64()),
    }
}

/// Sorts the members of sets and, where the order has no meaning, the elements of a list of items.
fn ordered(value: &Value, unordered: bool) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| {
                (name.clone(), ordered(value, ["SS", "NS", "BS"].contains(&name.as_str()) || unordered))
            })
            .collect(),
        Value::Array(list) => {
            let mut list: Vec<_> = list.iter().map(|value| ordered(value, false)).collect();
            if unordered {
                list.sort_by_key(Value::to_string);
            }
            Value::Array(list)
        }
        other => other.clone(),
    }
}

/// The changes in the stream. A write that changes nothing makes no record on AWS; dynoxide makes one.
fn changes(engine: &Engine) -> Vec<Value> {
    let page = engine.read_stream(TABLE, &StreamPosition::default(), 1000).unwrap();
    let change = |record: &Value| {
        let images = &record["dynamodb"];
        let part = |name: &str| ordered(&images[name], false);
        (part("OldImage") != part("NewImage")).then(|| {
            json!({
                "event": record["eventName"],
                "keys": part("Keys"),
                "old": part("OldImage"),
                "new": part("NewImage"),
            })
        })
    };
    page.records.iter().filter_map(change).collect()
}

/// The items of all pages of a scan.
fn scanned(engine: &Engine, mut request: Value) -> Vec<Value> {
    let mut found = Vec::new();
    loop {
        let (status, page) = engine.call("Scan", &request).unwrap();
        assert_eq!(status, 200, "{page}");
        found.extend(page["Items"].as_array().unwrap().clone());
        if page["LastEvaluatedKey"].is_null() {
            return found;
        }
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_engines_give_the_same_answers(requests in prop::collection::vec(requests(), 1..40)) {
        let theirs = Engine::memory_sqlite().unwrap();
        let engines = [Engine::memory().unwrap(), on_database()];
        engines.iter().chain([&theirs]).for_each(create_table);
        for (n, request) in requests.iter().enumerate() {
            let their = comparable(request, &theirs);
            for ours in &engines {
                prop_assert_eq!(&comparable(request, ours), &their, "request {}: {}", n, request.body);
            }
        }
        for request in requests::views() {
            let their = comparable(&request, &theirs);
            for ours in &engines {
                prop_assert_eq!(&comparable(&request, ours), &their, "at the end: {}", request.body);
            }
        }
        prop_assert_eq!(changes(&engines[0]), changes(&theirs));
        prop_assert_eq!(changes(&engines[1]), changes(&theirs));
    }

    #[test]
    fn the_pages_of_a_scan_are_the_table(
        writes in prop::collection::vec(requests::put_item(), 1..30),
        limit in 1_i64..5,
        segments in 1_u32..4,
    ) {
        for engine in [Engine::memory().unwrap(), on_database()] {
            create_table(&engine);
            for write in &writes {
                engine.call(write.operation, &write.body).unwrap();
            }
            let whole = engine.call("Scan", &json!({ "TableName": TABLE })).unwrap().1;
            let mut found = Vec::new();
            for segment in 0..segments {
                let scan = json!({
                    "TableName": TABLE, "Limit": limit, "Segment": segment, "TotalSegments": segments,
                });
                found.extend(scanned(&engine, scan));
            }
            prop_assert_eq!(ordered(&Value::Array(found), true), ordered(&whole["Items"], true));
        }
    }
}
