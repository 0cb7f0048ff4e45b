//! Tests of the OpenAPI document: it is made from the code, stored in `docs/openapi.json`, served, and correct.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use std::{collections::BTreeSet, path::Path};

use guerdon_tests::World;
use serde_json::Value;
use utoipa::OpenApi as _;
use utoipa::openapi::{Info, OpenApi, OpenApiBuilder, PathsBuilder};

/// Both documents as one.
fn document() -> OpenApi {
    let mut document =
        OpenApiBuilder::new().info(Info::new("Guerdon", "1")).paths(PathsBuilder::new()).build();
    document.info.description = Some(
        "Referrals, credits, wallets and orders of a business on Telegram. Errors are RFC 9457 problems with a stable \
         `code`; lists are paged by cursor; writes take an `Idempotency-Key`."
            .to_owned(),
    );
    let documents = [
        (admin_api::routes::Document::openapi(), admin_api::routes::ROUTES),
        (member_api::routes::Document::openapi(), member_api::routes::ROUTES),
    ];
    for (mut part, routes) in documents {
        guerdon_api::openapi::complete(&mut part, routes);
        let none = utoipa::openapi::Components::new();
        let (known, ours) =
            (document.components.as_ref().unwrap_or(&none), part.components.as_ref().unwrap_or(&none));
        for (name, schema) in &ours.schemas {
            let other = known.schemas.get(name).filter(|other| *other != schema);
            assert!(other.is_none(), "two schemas are called {name}");
        }
        document.merge(part);
    }
    document
}

fn kept() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json")
}

/// `UPDATE_OPENAPI=1 cargo test --workspace --test openapi` writes it.
#[test]
fn the_kept_document_is_what_the_code_says() {
    let now = document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(kept(), &now).unwrap();
    }
    let kept = std::fs::read_to_string(kept()).unwrap();
    assert!(kept == now, "docs/openapi.json is not what the code says: UPDATE_OPENAPI=1 writes it");
}

#[test]
fn every_route_is_described_with_who_may_call_it() {
    let document: Value = serde_json::from_str(&document().to_json().unwrap()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            described.insert((method.to_uppercase(), path.clone()));
            let what = format!("{method} {path}");
            assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 5), "{what} says nothing");
            assert!(operation["tags"][0].is_string(), "{what}");
            assert!(operation["security"].is_array(), "{what}");
        }
    }
    let routes = [admin_api::routes::ROUTES, member_api::routes::ROUTES].into_iter().flatten();
    let routes: BTreeSet<_> =
        routes.map(|route| (route.method.to_owned(), route.path.replace("{*", "{"))).collect();
    assert_eq!(described, routes);
    let ids: Vec<_> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| {
            item.as_object().unwrap().values().map(|operation| operation["operationId"].to_string())
        })
        .collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "two operations have one id");
}

/// Checks that every reference has a target.
#[test]
fn no_schema_is_missing() {
    let text = document().to_json().unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    for part in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_and_its_page_are_served_by_ourselves() {
    let world = World::new().await;
    let served = world.get("/openapi.json").await;
    assert_eq!((served.status, served.content_type.as_str()), (200, "application/json"));
    assert_eq!(
        served.body,
        serde_json::from_str::<Value>(&std::fs::read_to_string(kept()).unwrap()).unwrap()
    );
    let page = world.get("/docs").await;
    let text = page.body.as_str().unwrap();
    assert!(text.contains("/docs/redoc.js") && !text.contains("http"), "{text}");
    assert_eq!(world.get("/docs/redoc.js").await.status, 200);
}
