//! Random requests on a table so small that they touch the same items.

use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value, json};

pub const TABLE: &str = "differential";

/// A request of the JSON protocol.
#[derive(Debug, Clone)]
pub struct Request {
    pub operation: &'static str,
    pub body: Value,
}

/// Meanings of placeholders. An expression is written with them, and those that it uses go into the request.
fn placeholders() -> (Map<String, Value>, Map<String, Value>) {
    let names = json!({ "#n": "n", "#m": "m", "#x": "x", "#odd": "a.b" });
    let values = json!({
        ":n0": { "N": "0" },
        ":n1": { "N": "1.0" },
        ":n2": { "N": "-3" },
        ":n3": { "N": "123456789012345678901234567890" },
        ":n4": { "N": "0.25" },
        ":s0": { "S": "" },
        ":s1": { "S": "ab" },
        ":s2": { "S": "b" },
        ":t": { "BOOL": true },
        ":z": { "NULL": true },
        ":b": { "B": "YWI=" },
        ":l0": { "L": [] },
        ":l1": { "L": [{ "N": "1" }, { "S": "b" }] },
        ":m": { "M": { "x": { "N": "1" }, "y": { "L": [{ "BOOL": true }] } } },
        ":ss": { "SS": ["b", "c"] },
        // Not `2.50`: when a set already holds `2.5`, dynoxide treats the two as duplicates.
        ":ns": { "NS": ["1", "2.5"] },
        ":type": { "S": "N" },
    });
    (names.as_object().unwrap().clone(), values.as_object().unwrap().clone())
}

const VALUES: [&str; 16] = [
    ":n0", ":n1", ":n2", ":n3", ":n4", ":s0", ":s1", ":s2", ":t", ":z", ":b", ":l0", ":l1", ":m", ":ss",
    ":ns",
];
const ORDERED: [&str; 9] = [":n0", ":n1", ":n2", ":n3", ":n4", ":s0", ":s1", ":s2", ":b"];
const PATHS: [&str; 17] = [
    "n", "#n", "s", "l", "l[0]", "l[1]", "l[3]", "m", "m.x", "#m.#x", "m.y", "m.y[0]", "ss", "ns", "nope",
    "#odd", "pk",
];
const TARGETS: [&str; 14] =
    ["n", "#n", "s", "l", "l[0]", "l[1]", "l[3]", "m", "m.x", "#m.#x", "m.y[0]", "ss", "nope", "gsi2sk"];

fn pick(from: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    select(from)
}

/// A condition. Operands that AWS refuses for their type are left out: dynoxide takes some of them.
fn condition() -> impl Strategy<Value = String> {
    let path = || pick(&PATHS);
    let leaf = prop_oneof![
        4 => (path(), pick(&["=", "<>"]), pick(&VALUES)).prop_map(|(p, c, v)| format!("{p} {c} {v}")),
        4 => (path(), pick(&["<", "<=", ">", ">="]), pick(&ORDERED)).prop_map(|(p, c, v)| format!("{p} {c} {v}")),
        1 => (path(), pick(&["=", "<>", "<"]), path()).prop_map(|(p, c, q)| format!("{p} {c} {q}")),
        2 => (path(), pick(&[":n2 AND :n0", ":n0 AND :n3", ":s1 AND :s2"])).prop_map(|(p, b)| format!("{p} BETWEEN {b}")),
        2 => (path(), pick(&VALUES), pick(&VALUES)).prop_map(|(p, v, w)| format!("{p} IN ({v}, {w})")),
        2 => path().prop_map(|p| format!("attribute_exists({p})")),
        2 => path().prop_map(|p| format!("attribute_not_exists({p})")),
        1 => path().prop_map(|p| format!("attribute_type({p}, :type)")),
        1 => (path(), pick(&[":s0", ":s1", ":b"])).prop_map(|(p, v)| format!("begins_with({p}, {v})")),
        2 => (path(), pick(&VALUES)).prop_map(|(p, v)| format!("contains({p}, {v})")),
        1 => (path(), pick(&["=", "<", ">="]), pick(&[":n0", ":n1"])).prop_map(|(p, c, v)| format!("size({p}) {c} {v}")),
        // Invalid conditions that both must refuse.
        1 => pick(&["n =", "year = :n0", "n = :undefined", "((n = :n0))", "#undefined = :n0", "", "nope(n)", "n ! :n0"])
            .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} AND {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b}) AND {a}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} OR {b}")),
            inner.prop_map(|a| format!("NOT ({a} AND {a})")),
        ]
    })
}

fn update() -> impl Strategy<Value = String> {
    let target = || pick(&TARGETS);
    let operand = || {
        prop_oneof![
            3 => pick(&VALUES).prop_map(str::to_owned),
            2 => pick(&PATHS).prop_map(str::to_owned),
            2 => (pick(&PATHS), pick(&VALUES)).prop_map(|(p, v)| format!("if_not_exists({p}, {v})")),
        ]
    };
    let number = || prop_oneof![pick(&[":n0", ":n1", ":n2", ":n4", "n", "m.x", "if_not_exists(n, :n1)"])];
    let value = prop_oneof![
        4 => operand(),
        2 => (number(), pick(&["+", "-"]), number()).prop_map(|(a, c, b)| format!("{a} {c} {b}")),
        1 => (pick(&["l", ":l1", "m.y"]), pick(&["l", ":l1", ":l0"])).prop_map(|(a, b)| format!("list_append({a}, {b})")),
    ];
    let set = (target(), value).prop_map(|(t, v)| format!("{t} = {v}"));
    let list =
        |what: BoxedStrategy<String>| prop::collection::vec(what, 1..3).prop_map(|parts| parts.join(", "));
    let add =
        (target(), pick(&[":n1", ":n2", ":n4", ":ss", ":ns", ":s1"])).prop_map(|(t, v)| format!("{t} {v}"));
    let delete = (target(), pick(&[":ss", ":ns"])).prop_map(|(t, v)| format!("{t} {v}"));
    let section = prop_oneof![
        6 => list(set.boxed()).prop_map(|text| format!("SET {text}")),
        2 => list(target().prop_map(str::to_owned).boxed()).prop_map(|text| format!("REMOVE {text}")),
        3 => list(add.boxed()).prop_map(|text| format!("ADD {text}")),
        1 => list(delete.boxed()).prop_map(|text| format!("DELETE {text}")),
        1 => pick(&["SET n", "CHANGE n = :n0", "SET pk = :s1", "SET n = :undefined", "REMOVE", "SET year = :n0"])
            .prop_map(str::to_owned),
    ];
    let sections = prop::collection::vec(section, 1..3).prop_map(|sections| sections.join(" "));
    // dynoxide reads an attribute of that name as the start of a section.
    sections.prop_filter("differs on purpose", |text| !text.starts_with("REMOVE REMOVE"))
}

fn key() -> impl Strategy<Value = Value> {
    (pick(&["a", "b"]), pick(&["1", "10", "2"]))
        .prop_map(|(pk, sk)| json!({ "pk": { "S": pk }, "sk": { "S": sk } }))
}

fn item() -> impl Strategy<Value = Value> {
    let optional = |value: BoxedStrategy<Value>| prop::option::weighted(0.6, value);
    let text = |from: &'static [&'static str]| pick(from).prop_map(|text| json!({ "S": text })).boxed();
    let number = || pick(&["0", "1", "1.50", "-3", "1e3", "123456789012345678901234567890"]);
    let any = || (0..VALUES.len()).prop_map(|n| placeholders().1[VALUES[n]].clone()).boxed();
    let number = || number().prop_map(|n| json!({ "N": n })).boxed();
    let parts = (
        key(),
        optional(number()),
        optional(any()),
        optional(prop::collection::vec(any(), 0..3).prop_map(|list| json!({ "L": list })).boxed()),
        optional((number(), any()).prop_map(|(x, y)| json!({ "M": { "x": x, "y": y } })).boxed()),
        optional(Just(json!({ "SS": ["a", "b"] })).boxed()),
        optional(text(&["g", "h"])),
        // Sometimes of a type, or of a length, that an index refuses.
        optional(prop_oneof![12 => text(&["1", "2"]), 1 => text(&[""]), 1 => number()].boxed()),
        optional(text(&["g", "h"])),
        optional(prop_oneof![12 => number(), 1 => text(&["x"])].boxed()),
    );
    parts.prop_map(|(key, n, s, l, m, ss, pk1, sk1, pk2, sk2)| {
        let mut item = key;
        let names = ["n", "s", "l", "m", "ss", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk"];
        for (name, value) in names.into_iter().zip([n, s, l, m, ss, pk1, sk1, pk2, sk2]) {
            if let Some(value) = value {
                item[name] = value;
            }
        }
        item
    })
}

/// Gives a request the placeholders that its expressions use; and sometimes one more, which is refused.
fn with_placeholders(mut body: Value, expressions: &[&str], one_more: bool) -> Value {
    let (names, values) = placeholders();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let uses = |name: &str| {
        expressions
            .iter()
            .any(|text| text.match_indices(name).any(|(at, _)| !text[at + name.len()..].starts_with(word)))
    };
    let used = |map: Map<String, Value>, extra: &str| -> Map<String, Value> {
        map.into_iter().filter(|(name, _)| uses(name) || one_more && name == extra).collect()
    };
    let (names, values) = (used(names, "#odd"), used(values, ":none"));
    if !names.is_empty() {
        body["ExpressionAttributeNames"] = Value::Object(names);
    }
    if !values.is_empty() {
        body["ExpressionAttributeValues"] = Value::Object(values);
    }
    body
}

fn some_condition() -> impl Strategy<Value = Option<String>> {
    prop::option::weighted(0.6, condition())
}

/// Puts a condition and its placeholders into a request.
fn conditional(mut body: Value, condition: Option<String>, update: Option<String>, one_more: bool) -> Value {
    let mut texts = Vec::new();
    if let Some(text) = &condition {
        body["ConditionExpression"] = json!(text);
        body["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
        texts.push(text.as_str());
    }
    if let Some(text) = &update {
        body["UpdateExpression"] = json!(text);
        texts.push(text.as_str());
    }
    with_placeholders(body, &texts, one_more && !texts.is_empty())
}

pub fn put_item() -> impl Strategy<Value = Request> {
    (item(), some_condition(), any::<bool>(), prop::bool::weighted(0.03)).prop_map(
        |(item, condition, old, one_more)| {
            let mut body = json!({ "TableName": TABLE, "Item": item, "ReturnConsumedCapacity": "TOTAL" });
            if old {
                body["ReturnValues"] = json!("ALL_OLD");
            }
            Request { operation: "PutItem", body: conditional(body, condition, None, one_more) }
        },
    )
}

fn delete_item() -> impl Strategy<Value = Request> {
    (key(), some_condition()).prop_map(|(key, condition)| {
        let body = json!({
            "TableName": TABLE, "Key": key, "ReturnValues": "ALL_OLD", "ReturnConsumedCapacity": "TOTAL",
        });
        Request { operation: "DeleteItem", body: conditional(body, condition, None, false) }
    })
}

fn update_item() -> impl Strategy<Value = Request> {
    let returned = pick(&["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"]);
    (key(), update(), some_condition(), returned, prop::bool::weighted(0.03)).prop_map(
        |(key, update, condition, returned, one_more)| {
            let body = json!({
                "TableName": TABLE, "Key": key, "ReturnValues": returned, "ReturnConsumedCapacity": "TOTAL",
            });
            Request { operation: "UpdateItem", body: conditional(body, condition, Some(update), one_more) }
        },
    )
}

fn get_item() -> impl Strategy<Value = Request> {
    (key(), any::<bool>()).prop_map(|(key, consistent)| {
        let body = json!({
            "TableName": TABLE, "Key": key, "ConsistentRead": consistent, "ReturnConsumedCapacity": "TOTAL",
        });
        Request { operation: "GetItem", body }
    })
}

fn get_several() -> impl Strategy<Value = Request> {
    (prop::collection::vec(key(), 1..4), any::<bool>()).prop_map(|(keys, together)| {
        if together {
            let gets: Vec<_> =
                keys.iter().map(|key| json!({ "Get": { "TableName": TABLE, "Key": key } })).collect();
            let body = json!({ "TransactItems": gets, "ReturnConsumedCapacity": "TOTAL" });
            return Request { operation: "TransactGetItems", body };
        }
        let body = json!({ "RequestItems": { TABLE: { "Keys": keys } }, "ReturnConsumedCapacity": "TOTAL" });
        Request { operation: "BatchGetItem", body }
    })
}

fn transaction() -> impl Strategy<Value = Request> {
    // Left out: an update of a key, which dynoxide allows in a transaction; and what makes dynoxide refuse the
    // item where ours refuses the whole request, perhaps after a condition that failed.
    let update = update().prop_filter("differs on purpose", |text| {
        ["pk =", ":undefined", " :s1"].iter().all(|part| !text.contains(part))
    });
    let write = prop_oneof![
        3 => (item(), some_condition()).prop_map(|(item, condition)| {
            json!({ "Put": conditional(json!({ "TableName": TABLE, "Item": item }), condition, None, false) })
        }),
        3 => (key(), update, some_condition()).prop_map(|(key, update, condition)| {
            let body = json!({ "TableName": TABLE, "Key": key });
            json!({ "Update": conditional(body, condition, Some(update), false) })
        }),
        1 => (key(), some_condition()).prop_map(|(key, condition)| {
            json!({ "Delete": conditional(json!({ "TableName": TABLE, "Key": key }), condition, None, false) })
        }),
        1 => (key(), condition()).prop_map(|(key, condition)| {
            let body = json!({ "TableName": TABLE, "Key": key });
            json!({ "ConditionCheck": conditional(body, Some(condition), None, false) })
        }),
    ];
    let token = prop::option::of(pick(&["token-1", "token-2"]));
    (prop::collection::vec(write, 1..4), token).prop_map(|(items, token)| {
        let mut body = json!({ "TransactItems": items, "ReturnConsumedCapacity": "TOTAL" });
        if let Some(token) = token {
            body["ClientRequestToken"] = json!(token);
        }
        Request { operation: "TransactWriteItems", body }
    })
}

/// A query of the table or an index, with any condition on the sort key.
fn query() -> impl Strategy<Value = Request> {
    let text = pick(&[
        "",
        "AND #sk = :a",
        "AND #sk < :a",
        "AND #sk <= :a",
        "AND #sk > :a",
        "AND #sk >= :a",
        "AND #sk BETWEEN :a AND :b",
        "AND begins_with(#sk, :a)",
    ]);
    let filter =
        prop::option::weighted(0.3, pick(&["n > :f", "attribute_exists(l)", "size(ss) = :f", "sk = :f"]));
    let parts = (
        0..3_usize,
        pick(&["a", "b", "g", "h"]),
        text,
        filter,
        any::<bool>(),
        0..4_i64,
        0..3_usize,
        any::<bool>(),
    );
    parts.prop_map(|(view, pk, sort, filter, forward, limit, from, count)| {
        let (index, names) = [
            (None, ("pk", "sk")),
            (Some("gsi1"), ("gsi1pk", "gsi1sk")),
            (Some("gsi2"), ("gsi2pk", "gsi2sk")),
        ][view];
        let mut body = json!({
            "TableName": TABLE,
            "KeyConditionExpression": format!("#pk = :pk {sort}"),
            "ExpressionAttributeNames": { "#pk": names.0 },
            "ExpressionAttributeValues": { ":pk": { "S": pk } },
            "ScanIndexForward": forward,
            "ReturnConsumedCapacity": "TOTAL",
        });
        let bounds = if view == 2 {
            [json!({ "N": (["0", "1", "1.5"][from]) }), json!({ "N": "1000" })]
        } else {
            [json!({ "S": (["1", "10", "2"][from]) }), json!({ "S": "2" })]
        };
        if !sort.is_empty() {
            body["ExpressionAttributeNames"]["#sk"] = json!(names.1);
            body["ExpressionAttributeValues"][":a"] = bounds[0].clone();
        }
        if sort.contains(":b") {
            body["ExpressionAttributeValues"][":b"] = bounds[1].clone();
        }
        if let Some(filter) = filter {
            body["FilterExpression"] = json!(filter);
            if filter.contains(":f") {
                body["ExpressionAttributeValues"][":f"] = json!({ "N": "1" });
            }
        }
        if let Some(index) = index {
            body["IndexName"] = json!(index);
        }
        if limit > 0 {
            body["Limit"] = json!(limit);
        }
        if count {
            body["Select"] = json!("COUNT");
        }
        // Some pages continue after an item that may not exist.
        if limit == 3 && index.is_none() {
            body["ExclusiveStartKey"] = json!({ "pk": { "S": pk }, "sk": { "S": "10" } });
        }
        if limit == 3 && view == 1 {
            body["ExclusiveStartKey"] = json!({
                "pk": { "S": "a" }, "sk": { "S": "10" }, "gsi1pk": { "S": pk }, "gsi1sk": { "S": "1" },
            });
        }
        Request { operation: "Query", body }
    })
}

fn scan() -> impl Strategy<Value = Request> {
    // dynoxide finds an undefined value only when it evaluates an item.
    let filter = condition().prop_filter("differs on purpose", |text| !text.contains("undefined"));
    prop::option::weighted(0.7, filter).prop_map(|filter| {
        let mut body = json!({ "TableName": TABLE, "ReturnConsumedCapacity": "TOTAL" });
        if let Some(filter) = filter {
            body["FilterExpression"] = json!(filter);
            body = with_placeholders(body, &[&filter], false);
        }
        Request { operation: "Scan", body }
    })
}

/// Any request.
pub fn requests() -> impl Strategy<Value = Request> {
    prop_oneof![
        6 => put_item(),
        6 => update_item(),
        2 => delete_item(),
        6 => transaction(),
        2 => get_item(),
        2 => get_several(),
        5 => query(),
        2 => scan(),
    ]
}

/// Requests that read everything.
pub fn views() -> Vec<Request> {
    let query = |index: &str, pk: &str| {
        let body = json!({
            "TableName": TABLE,
            "IndexName": index,
            "KeyConditionExpression": format!("{index}pk = :pk"),
            "ExpressionAttributeValues": { ":pk": { "S": pk } },
            "ReturnConsumedCapacity": "TOTAL",
        });
        Request { operation: "Query", body }
    };
    let scan = Request { operation: "Scan", body: json!({ "TableName": TABLE }) };
    vec![scan, query("gsi1", "g"), query("gsi1", "h"), query("gsi2", "g"), query("gsi2", "h")]
}
