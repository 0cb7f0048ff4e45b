//! Checks of the workspace: allowed dependencies, lengths of files and functions, and that the template and the
//! one-machine stack describe the same system.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use std::{collections::BTreeMap, fs, path::Path, path::PathBuf, process::Command};

use guerdon_tests::sources::sources;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every package of ours, as cargo describes it.
fn metadata() -> Vec<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// Normal dependencies of every package of ours, by package.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let names = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().clone();
        let normal = all.into_iter().filter(|dependency| dependency["kind"].is_null());
        normal.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let packages = metadata();
    packages.iter().map(|package| (package["name"].as_str().unwrap().to_owned(), names(package))).collect()
}

const FUNCTIONS: [&str; 12] = [
    "telegram-webhook",
    "stripe-webhook",
    "admin-api",
    "member-api",
    "commission-worker",
    "billing-worker",
    "hold-release",
    "code-expiry",
    "ledger-verifier",
    "projector",
    "event-relay",
    "notifier",
];

/// What a function may depend on.
const LAYERS: [&str; 6] =
    ["guerdon-domain", "guerdon-app", "guerdon-runtime", "guerdon-api", "guerdon-telegram", "guerdon-stripe"];

#[test]
fn dependencies_point_one_way() {
    let all = dependencies();
    let mut allowed: BTreeMap<&str, Vec<&str>> = BTreeMap::from([
        ("guerdon-domain", vec![]),
        ("guerdon-store", vec!["guerdon-domain"]),
        ("guerdon-app", vec!["guerdon-domain", "guerdon-store"]),
        ("guerdon-telegram", vec!["guerdon-domain"]),
        ("guerdon-stripe", vec!["guerdon-domain"]),
        ("guerdon-runtime", vec!["guerdon-domain", "guerdon-store", "guerdon-app"]),
        ("guerdon-api", vec!["guerdon-domain", "guerdon-app", "guerdon-runtime"]),
        ("guerdon-database", vec![]),
        ("guerdon-engine", vec!["guerdon-database"]),
        ("guerdon-simulator", vec![]),
    ]);
    for function in FUNCTIONS {
        allowed.insert(function, LAYERS.to_vec());
    }
    for (package, allowed) in allowed {
        let ours = all[package]
            .iter()
            .filter(|name| name.starts_with("guerdon-") || FUNCTIONS.contains(&name.as_str()));
        for dependency in ours {
            assert!(allowed.contains(&dependency.as_str()), "{package} must not depend on {dependency}");
        }
    }
}

#[test]
fn only_the_store_knows_the_tables_sdk_and_the_domain_does_no_io() {
    for (package, dependencies) in dependencies() {
        let has = |name: &str| dependencies.iter().any(|dependency| dependency == name);
        let may_know = ["guerdon-store", "guerdon-engine"].contains(&package.as_str());
        assert!(may_know || !has("aws-sdk-dynamodb"), "{package} must not know the table's SDK");
        if package == "guerdon-domain" {
            for forbidden in ["tokio", "async-trait", "getrandom", "reqwest", "aws-sdk-sqs", "tracing"] {
                assert!(!has(forbidden), "the domain must not know {forbidden}");
            }
        }
        let is_function = FUNCTIONS.contains(&package.as_str());
        assert!(!is_function || !has("reqwest"), "{package}: providers are called by their adapters");
    }
}

#[test]
fn a_providers_client_is_linked_only_where_it_is_called() {
    let callers = [
        ("guerdon-stripe", vec!["billing-worker"]),
        ("guerdon-telegram", vec!["notifier", "telegram-webhook"]),
    ];
    for (provider, functions) in callers {
        let mut linked: Vec<_> = metadata()
            .iter()
            .filter(|package| FUNCTIONS.contains(&package["name"].as_str().unwrap()))
            .filter(|package| {
                let dependencies = package["dependencies"].as_array().unwrap().iter();
                let client = |d: &Value| d["features"].as_array().unwrap().contains(&"client".into());
                dependencies.filter(|d| d["kind"].is_null() && d["name"] == provider).any(client)
            })
            .map(|package| package["name"].as_str().unwrap().to_owned())
            .collect();
        linked.sort_unstable();
        assert_eq!(linked, functions, "{provider}'s client");
    }
}

#[test]
fn files_stay_readable_and_are_named_after_what_they_hold() {
    let mut found = Vec::new();
    for folder in ["shared", "functions", "infra", "tests"] {
        sources(&root().join(folder), &mut found);
    }
    assert!(found.len() > 100, "the sources were found");
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        assert!(lines <= 600, "{} has {lines} lines", path.display());
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for vague in ["utils", "util", "common", "helpers", "misc", "manager"] {
            assert_ne!(name, vague, "{}", path.display());
        }
        if name == "main" && path.components().any(|part| part.as_os_str() == "functions") {
            assert!(lines <= 40, "{}: a main only wires", path.display());
        }
    }
}

#[test]
fn functions_reach_the_table_through_use_cases_only() {
    let mut found = Vec::new();
    for folder in ["functions", "shared/api", "shared/runtime"] {
        sources(&root().join(folder), &mut found);
    }
    assert!(found.len() > 100, "the sources were found");
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        let asks = text.contains(".app.store()") || text.contains("app().store()");
        assert!(!asks, "{} reads the table itself; call a use case", path.display());
    }
}

fn template() -> String {
    fs::read_to_string(root().join("template.yaml")).unwrap()
}

#[test]
fn every_function_has_its_crate_and_its_resource() {
    let template = template();
    let mut folders: Vec<_> = fs::read_dir(root().join("functions"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let mut expected = FUNCTIONS.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(folders, expected);
    for function in FUNCTIONS {
        assert!(template.contains(&format!("CodeUri: functions/{function}/")), "{function} is not deployed");
    }
}

/// A rule of the template: its queue, the events that it names in order, and its input.
fn template_rule(rule: &str) -> (String, (Vec<&'static str>, Option<String>)) {
    let rule = rule.split("\n\n").next().unwrap_or(rule);
    let known = guerdon_local::bus::EVENT_NAMES;
    let names = rule.split(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)));
    let mut names: Vec<_> =
        names.filter_map(|name| known.iter().find(|event| **event == name).copied()).collect();
    names.sort_unstable();
    let target = rule.split("Arn: !GetAtt ").nth(1).and_then(|arn| arn.split("Queue.Arn").next()).unwrap();
    // The only variable that the stand-in knows.
    assert_eq!(rule.contains("InputPathsMap: { announcement: $.detail }"), rule.contains("InputTemplate:"));
    let input = rule.split("InputTemplate: '").nth(1).and_then(|input| input.split('\'').next());
    (target.to_lowercase(), (names, input.map(str::to_owned)))
}

#[test]
fn the_local_bus_routes_as_the_templates_rules_do() {
    let template = template();
    let rules = template.split("Type: AWS::Events::Rule").skip(1);
    let in_template: BTreeMap<_, _> = rules.map(template_rule).collect();
    assert_eq!(in_template.len(), guerdon_local::bus::RULES.len());
    for rule in guerdon_local::bus::RULES {
        let mut here = rule.events.to_vec();
        here.sort_unstable();
        let (there, input) = in_template.get(rule.queue.as_str()).cloned().unwrap_or_default();
        assert_eq!(here, there, "{}", rule.queue.as_str());
        assert_eq!(rule.input.map(str::to_owned), input, "{}", rule.queue.as_str());
    }
}

#[test]
fn the_gateway_leads_where_the_templates_routes_do() {
    let template = template();
    let mut there = Vec::new();
    for route in template.split("Type: AWS::ApiGatewayV2::Route\n").skip(1) {
        let route = route.split("\n\n").next().unwrap_or(route);
        let path = route.split("RouteKey: ").nth(1).and_then(|key| key.split_whitespace().nth(1)).unwrap();
        if route.contains("MemberApiIntegration") {
            there.push(path.trim_end_matches("{proxy+}").trim_end_matches("{code}").to_owned());
        } else {
            let stands = |known: &&str| path.starts_with(*known) && known.ends_with('/');
            assert!(
                guerdon_local::gateway::MEMBER_PATHS.into_iter().find(stands).is_none(),
                "{path} leads elsewhere"
            );
        }
    }
    there.sort();
    let mut here = guerdon_local::gateway::MEMBER_PATHS.map(str::to_owned).to_vec();
    here.sort();
    assert_eq!(here, there);
    // Each of our routes must be covered by one of them.
    for route in member_api::routes::ROUTES {
        let led = |known: &&str| route.path.starts_with(*known);
        assert!(guerdon_local::gateway::MEMBER_PATHS.into_iter().find(led).is_some(), "{}", route.path);
    }
}

#[test]
fn the_streams_filters_let_through_what_their_readers_read() {
    let template = template();
    for types in [&guerdon_app::statistics::PROJECTED[..], &guerdon_app::events::RELAYED[..]] {
        let quoted: Vec<_> = types.iter().map(|name| format!("\"{name}\"")).collect();
        let pattern =
            format!("{{\"dynamodb\":{{\"NewImage\":{{\"type\":{{\"S\":[{}]}}}}}}}}", quoted.join(","));
        assert!(template.contains(&pattern), "no trigger filters by {pattern}");
    }
}

#[test]
fn the_template_makes_the_table_that_the_store_expects() {
    let template = template();
    let table = template.split("Type: AWS::DynamoDB::Table").nth(1).unwrap();
    for needed in [
        "AttributeName: gsi1pk",
        "AttributeName: gsi1sk",
        "AttributeName: gsi2pk",
        "AttributeName: gsi2sk",
        "IndexName: gsi1",
        "IndexName: gsi2",
        "ProjectionType: KEYS_ONLY",
        "StreamViewType: NEW_AND_OLD_IMAGES",
        "AttributeName: ttl",
        "BillingMode: PAY_PER_REQUEST",
        "PointInTimeRecoveryEnabled: true",
        "DeletionProtectionEnabled:",
    ] {
        assert!(table.contains(needed), "the table lacks {needed}");
    }
}
