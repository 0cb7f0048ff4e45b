//! A test's body fits on one screen: what it sets up is a builder's, and what it checks is seen at once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use std::{collections::BTreeMap, fs, path::Path};

use guerdon_tests::sources::sources;

/// The most lines of a test's body.
const MOST_LINES: usize = 25;

/// The most lines of the body of a test on the list.
const MOST_LINES_LISTED: usize = 45;

/// The most tests on the list.
const MOST_LISTED: usize = 5;

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

/// Every test of the workspace with the lines of its body, the longest body for a name that several tests have.
fn all_bodies() -> BTreeMap<String, usize> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for folder in ["shared", "functions", "infra", "tests"] {
        sources(&root.join(folder), &mut files);
    }
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for path in files {
        for (name, lines) in bodies(&fs::read_to_string(&path).unwrap()) {
            let longest = found.entry(name.to_owned()).or_default();
            *longest = lines.max(*longest);
        }
    }
    assert!(found.len() > 500, "the tests were found");
    found
}

#[test]
fn a_test_fits_on_a_screen_or_says_why_not() {
    let found = all_bodies();
    let listed = |name: &str| LONGER.iter().any(|(test, _)| *test == name);
    let most = |name: &str| if listed(name) { MOST_LINES_LISTED } else { MOST_LINES };
    let long: Vec<_> = found.iter().filter(|(name, lines)| **lines > most(name)).collect();
    assert!(
        long.is_empty(),
        "over {MOST_LINES} lines and not listed with a reason, or over {MOST_LINES_LISTED}: {long:?}"
    );
}

#[test]
fn the_list_of_longer_tests_is_short_and_true() {
    let found = all_bodies();
    let short = |name: &str| found.get(name).is_none_or(|lines| *lines <= MOST_LINES);
    let short: Vec<_> = LONGER.iter().filter(|(name, _)| short(name)).collect();
    assert!(short.is_empty(), "listed, and short or gone: {short:?}");
    let mute: Vec<_> = LONGER.iter().filter(|(_, reason)| reason.is_empty()).collect();
    assert!(mute.is_empty(), "listed without a reason: {mute:?}");
    assert!(LONGER.len() <= MOST_LISTED, "{} tests are listed; shorten one instead", LONGER.len());
}

#[test]
fn bodies_are_counted() {
    let source = "#[test]\nfn one() {\n    a();\n    if b {\n    }\n}\nmod tests {\n    #[tokio::test(start_paused = true)]\n    async fn two() {\n        c();\n    }\n}\n";
    assert_eq!(bodies(source), [("one", 3), ("two", 1)]);
}
