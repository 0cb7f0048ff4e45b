//! Checks of the crate's sources against the snapshots and tests beside them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// Reads all files below a folder of this crate whose names have this ending.
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

/// Returns the first text in quotes.
fn quoted(line: &str) -> Option<&str> {
    line.split('"').nth(1)
}

/// The types in constants: `const TYPE: &str = "member";`.
fn types_of_records(source: &str) -> Vec<&str> {
    source.lines().filter(|line| line.contains("const TYPE")).filter_map(quoted).collect()
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
        // The content follows the header between two lines of dashes.
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

/// A line of the table of access patterns: its number, and the functions it names as type and function.
type Pattern = (usize, Vec<(String, String)>);

/// Reads the table of access patterns at the top of the crate.
fn patterns() -> Vec<Pattern> {
    let (_, lib) = files("src", "lib.rs").remove(0);
    let table = lib.split("# Access patterns").nth(1).unwrap().split("//! # ").next().unwrap();
    let mut found = Vec::new();
    for line in table.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let &[_, number, _, functions, _] = cells.as_slice() else { continue };
        let Ok(number) = number.parse() else { continue };
        let named = functions.split('`').skip(1).step_by(2);
        let of_type = named.map(|name| name.split_once("::").unwrap_or_else(|| panic!("{name} of no type")));
        found.push((number, of_type.map(|(of, name)| (of.to_owned(), name.to_owned())).collect()));
    }
    found
}

#[test]
fn access_patterns_are_numbered_from_1_without_a_gap() {
    let numbers: Vec<usize> = patterns().into_iter().map(|(number, _)| number).collect();
    assert!(numbers.len() > 40, "the table was read");
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
}

#[test]
fn every_access_pattern_names_functions_that_exist() {
    let sources = files("src", ".rs");
    let exists = |of: &str, name: &str| {
        let (owner, function) = (format!("impl {of}"), format!("fn {name}"));
        let begins = |text: &str, what: &str, next: [char; 3]| {
            text.split(what).skip(1).any(|rest| rest.starts_with(next))
        };
        let has =
            |text: &str| begins(text, &owner, [' ', '<', '{']) && begins(text, &function, ['(', '<', ' ']);
        sources.iter().any(|(_, text)| has(text))
    };
    for (number, functions) in patterns() {
        assert!(!functions.is_empty(), "pattern {number} names no function");
        for (of, name) in functions {
            assert!(exists(&of, &name), "pattern {number}: there is no {of}::{name}");
        }
    }
}

/// Tests are named after the pattern that they read by, such as `pattern_8_commissions_are_paged`.
#[test]
fn tests_cite_patterns_that_exist() {
    let last = patterns().len();
    let mut cited = 0;
    for (path, source) in files("tests", ".rs") {
        for name in source.split("fn pattern_").skip(1) {
            let Ok(number) = name.split('_').next().unwrap().parse::<usize>() else { continue };
            assert!((1..=last).contains(&number), "{}: there is no pattern {number}", path.display());
            cited += 1;
        }
    }
    assert!(cited > 20, "the tests were read");
}
