//! A test's body fits on one screen: what it sets up is a builder's, and what it checks is seen at once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use std::{collections::BTreeMap, fs, path::Path};

use guerdon_tests::sources::sources;

/// The most lines of a test's body.
const MOST_LINES: usize = 25;

mod longer;
use longer::LONGER;

/// The name in a line that begins a function.
fn function(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    let name = line.strip_prefix("fn ")?;
    Some(name.split(['(', '<']).next().unwrap_or(name))
}

/// Each test of a source with the lines of its body. rustfmt puts the closing brace below the attribute.
fn bodies(source: &str) -> Vec<(&str, usize)> {
    let mut found = Vec::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        let attribute = line.trim_start();
        if !attribute.starts_with("#[test]") && !attribute.starts_with("#[tokio::test") {
            continue;
        }
        let end = format!("{}}}", &line[..line.len() - attribute.len()]);
        let Some(name) = lines.by_ref().find_map(function) else { break };
        found.push((name, lines.by_ref().take_while(|line| *line != end).count()));
    }
    found
}

#[test]
fn a_test_fits_on_a_screen_or_says_why_not() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for folder in ["shared", "functions", "infra", "tests"] {
        sources(&root.join(folder), &mut files);
    }
    let mut found = BTreeMap::new();
    for path in files {
        let source = fs::read_to_string(&path).unwrap();
        for (name, lines) in bodies(&source) {
            found.insert(name.to_owned(), lines);
        }
    }
    assert!(found.len() > 500, "the tests were found");
    let listed = |name: &str| LONGER.iter().find(|(test, _)| *test == name);
    let long: Vec<_> =
        found.iter().filter(|(name, lines)| **lines > MOST_LINES && listed(name).is_none()).collect();
    assert!(long.is_empty(), "over {MOST_LINES} lines, and not listed with a reason: {long:?}");
    let short = |name: &str| found.get(name).is_none_or(|lines| *lines <= MOST_LINES);
    let short: Vec<_> = LONGER.iter().filter(|(name, _)| short(name)).collect();
    assert!(short.is_empty(), "listed, and short or gone: {short:?}");
}

#[test]
fn bodies_are_counted() {
    let source = "#[test]\nfn one() {\n    a();\n    if b {\n    }\n}\nmod tests {\n    #[tokio::test(start_paused = true)]\n    async fn two() {\n        c();\n    }\n}\n";
    assert_eq!(bodies(source), [("one", 3), ("two", 1)]);
}
