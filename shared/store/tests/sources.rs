//! What the crate's sources say about the table, compared with what is kept beside them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// All files below a folder of this crate whose names end so, with their texts.
fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "no {ending} in {folder}");
    found
}

/// The first text in quotes.
fn quoted(line: &str) -> Option<&str> {
    line.split('"').nth(1)
}

/// The types that records have: `const TYPE: &str = "member";`.
fn types_of_records(source: &str) -> Vec<&str> {
    source.lines().filter(|line| line.contains("const TYPE:")).filter_map(quoted).collect()
}

/// The types that updates set by hand: a text, another record's type, or a projection's name.
fn types_of_updates<'a>(path: &Path, source: &'a str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for set in source.split(r#"value(":type", "#).skip(1) {
        let set = set.split(['\n', ';']).next().unwrap();
        if let Some(text) = quoted(set) {
            found.push(text);
        } else if set.contains("type_name()") {
            let arms = source.split("fn type_name").nth(1).unwrap();
            found.extend(arms.lines().take_while(|line| *line != "    }").filter_map(quoted));
        } else {
            assert!(set.contains("::TYPE"), "{}: a type this test does not see: {set}", path.display());
        }
    }
    found
}

fn stored_types() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, source) in files("src", ".rs") {
        found.extend(types_of_records(&source).into_iter().map(str::to_owned));
        found.extend(types_of_updates(&path, &source).into_iter().map(str::to_owned));
    }
    found
}

/// The types of the items in the snapshots.
fn golden_types() -> BTreeSet<String> {
    let type_of = |(path, text): (PathBuf, String)| {
        // Behind the header between two lines of dashes.
        let body = text.splitn(3, "---\n").nth(2).unwrap();
        let golden: Value = serde_json::from_str(body).unwrap();
        let found = golden["item"]["type"]["S"].as_str();
        found.unwrap_or_else(|| panic!("{}: an item without a type", path.display())).to_owned()
    };
    files(".", ".snap").into_iter().map(type_of).collect()
}

#[test]
fn every_stored_type_has_a_golden_snapshot_and_none_is_left_over() {
    let (stored, golden) = (stored_types(), golden_types());
    for known in ["member", "limit", "rate", "payer", "histogram"] {
        assert!(stored.contains(known), "the sources were not read: {known}");
    }
    let missing: Vec<_> = stored.difference(&golden).collect();
    assert!(missing.is_empty(), "stored, but in no snapshot of tests/snapshots: {missing:?}");
    let left: Vec<_> = golden.difference(&stored).collect();
    assert!(left.is_empty(), "in a snapshot, but no longer stored: {left:?}");
}
