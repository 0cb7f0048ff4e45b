//! The ways to change one attribute of an item.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

pub type Item = HashMap<String, AttributeValue>;

/// One change of one item.
pub struct Mutation {
    /// The attribute's path. A part that is an id is written `*`.
    pub path: String,
    /// `deleted`, `changed`, or `other`: the text that the same attribute has elsewhere.
    pub what: &'static str,
    /// The item after the change; nothing when it is deleted as a whole.
    pub item: Option<Item>,
}

/// Attributes whose keys are ids.
const BY_ID: [&str; 6] = ["refunds", "disputes", "notes", "customers", "subscriptions", "progress"];

/// What tells items of one type apart: the states and kinds of its content.
pub fn variant(item: &Item) -> String {
    let text = |path: &[&str]| {
        let mut value = item.get(path[0]);
        for name in &path[1..] {
            value = value.and_then(|value| value.as_m().ok()).and_then(|map| map.get(*name));
        }
        value.and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
    };
    let words = [
        &["type"][..],
        &["state"],
        &["reason"],
        &["kind"],
        &["place", "at"],
        &["purpose"],
        &["snapshot", "rule", "id"],
    ];
    let words: Vec<_> = words.map(text).into_iter().filter(|word| !word.is_empty()).collect();
    let words = words.join(" ");
    let granted = format!("{:?}", item.get("trace")).contains("granted");
    let marks = [
        ("reversed", item.contains_key("reversals")),
        ("granted", granted),
        ("capped", item.contains_key("allowed")),
    ];
    let marks: String = marks.iter().filter(|(_, has)| *has).map(|(mark, _)| format!(" {mark}")).collect();
    format!("{words}{marks}")
}

/// Every change of `item`: each attribute and each part of it, and the item as a whole.
pub fn mutations(item: &Item, all: &[Item]) -> Vec<Mutation> {
    let mut made = vec![Mutation { path: "*".to_owned(), what: "deleted", item: None }];
    let mut paths = Vec::new();
    leaves(&AttributeValue::M(item.clone()), &mut Vec::new(), &mut paths);
    for path in paths.iter().filter(|path| !matches!(path[0].as_str(), "pk" | "sk")) {
        let name = named(path);
        let mut add = |what, value: Option<AttributeValue>| {
            let mut changed = item.clone();
            set(&mut changed, path, value);
            made.push(Mutation { path: name.clone(), what, item: Some(changed) });
        };
        let Some(value) = get(item, path) else { continue };
        add("deleted", None);
        let same_type = all.iter().filter(|other| other.get("type") == item.get("type"));
        let other = same_type.filter_map(|other| get(other, path)).find(|other| *other != value);
        let text = matches!(value, AttributeValue::S(_) | AttributeValue::Null(_));
        match other.filter(|_| text) {
            // A value that can be read is harder to find than one that cannot.
            Some(other) => add("other", Some(other)),
            None => add("changed", Some(changed(&name, &value))),
        }
    }
    made
}

fn changed(name: &str, value: &AttributeValue) -> AttributeValue {
    // Of a refund, one cent more takes back the same.
    let more = if name.starts_with("reversals") { -1000 } else { 1 };
    match value {
        AttributeValue::N(digits) => match digits.parse::<i64>() {
            Ok(number) => AttributeValue::N((number + more).to_string()),
            Err(_) => AttributeValue::N("7".to_owned()),
        },
        AttributeValue::S(text)
            if text.chars().all(|c| c.is_ascii_digit() || c == '.') && !text.is_empty() =>
        {
            AttributeValue::S(format!("{text}1"))
        }
        AttributeValue::S(text) => AttributeValue::S(format!("{text}x")),
        AttributeValue::Bool(yes) => AttributeValue::Bool(!yes),
        AttributeValue::L(_) => AttributeValue::L(Vec::new()),
        AttributeValue::Ss(_) => AttributeValue::Ss(vec!["ff00ff00ff00ff00ff00ff00ff00ff00".to_owned()]),
        other => other.clone(),
    }
}

fn leaves(value: &AttributeValue, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match value {
        AttributeValue::M(map) => {
            let mut names: Vec<_> = map.keys().collect();
            names.sort();
            for name in names {
                at.push(name.clone());
                leaves(&map[name], at, found);
                at.pop();
            }
        }
        AttributeValue::L(list) if !list.is_empty() => {
            for (n, one) in list.iter().enumerate() {
                at.push(n.to_string());
                leaves(one, at, found);
                at.pop();
            }
            found.push(at.clone());
        }
        _ => found.push(at.clone()),
    }
}

fn named(path: &[String]) -> String {
    let mut names: Vec<String> = Vec::new();
    for (n, name) in path.iter().enumerate() {
        let is_id = n > 0 && BY_ID.contains(&path[n - 1].as_str());
        let is_number = name.bytes().all(|b| b.is_ascii_digit());
        names.push(if is_id || is_number { "*".to_owned() } else { name.clone() });
    }
    names.join(".")
}

fn get(item: &Item, path: &[String]) -> Option<AttributeValue> {
    let mut value = item.get(&path[0])?;
    for name in &path[1..] {
        value = match value {
            AttributeValue::M(map) => map.get(name)?,
            AttributeValue::L(list) => list.get(name.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value.clone())
}

fn set(item: &mut Item, path: &[String], value: Option<AttributeValue>) {
    let ([parents @ .., last], mut at) = (path, AttributeValue::M(std::mem::take(item))) else { return };
    {
        let mut value_at = &mut at;
        for name in parents {
            value_at = match value_at {
                AttributeValue::M(map) => map.get_mut(name).unwrap(),
                AttributeValue::L(list) => &mut list[name.parse::<usize>().unwrap()],
                _ => return,
            };
        }
        match (value_at, value) {
            (AttributeValue::M(map), Some(value)) => drop(map.insert(last.clone(), value)),
            (AttributeValue::M(map), None) => drop(map.remove(last)),
            (AttributeValue::L(list), Some(value)) => list[last.parse::<usize>().unwrap()] = value,
            (AttributeValue::L(list), None) => drop(list.remove(last.parse::<usize>().unwrap())),
            _ => {}
        }
    }
    if let AttributeValue::M(map) = at {
        *item = map;
    }
}
