//! Tampers with every field of every stored item, one at a time, and lets the verification find it.
//!
//! A field that the verification does not protect must be on the list of those that do not matter to money, with the
//! reason. A new field is neither, so the test fails until somebody has decided.
mod allowed;
mod mutations;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use guerdon_app::verification::verify_all;

use crate::support::*;
use allowed::reason_to_leave;
use mutations::{Item, Mutation, mutations, variant};

/// Times that one field is tampered with: in so many items of each variant of its type.
const OF_EACH: usize = 1;
/// The same for a field that is a part of the frozen rule or of an entry, whatever the variant.
const OF_ALL: usize = 1;

impl Business {
    async fn items(&self) -> Vec<Item> {
        let client = self.engine.client();
        let scan = client.scan().table_name(TABLE).send().await.unwrap();
        assert!(scan.last_evaluated_key.is_none(), "a small world");
        scan.items.unwrap_or_default()
    }

    async fn put_item(&self, item: Item) {
        self.engine.client().put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
    }

    async fn delete_item(&self, item: &Item) {
        let delete = self.engine.client().delete_item().table_name(TABLE);
        delete.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await.unwrap();
    }

    /// The difference that the verification finds after the item was changed. The item is restored.
    async fn found_after(&self, item: &Item, changed: Option<Item>) -> Option<String> {
        match changed {
            Some(changed) => self.put_item(changed).await,
            None => self.delete_item(item).await,
        }
        let verified = verify_all(&self.app).await.unwrap();
        self.put_item(item.clone()).await;
        verified.difference.map(|difference| difference.to_string())
    }
}

/// The type of an item, and a narrower one where other fields matter.
fn kinds_of(item: &Item) -> Vec<String> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
    let kind = text("type");
    let granted = format!("{:?}", item.get("trace")).contains("granted");
    let narrower = match (kind.as_str(), text("state").as_str()) {
        ("limit", _) if text("pk").starts_with("BUDGET#") => "budget",
        ("payment", _) if !granted => "unrewarded payment",
        ("order", "pending") => "pending order",
        ("commission", "void") => "void commission",
        _ => return vec![kind],
    };
    vec![kind, narrower.to_owned()]
}

/// Counts how often each field was tampered with, and says when that is enough.
#[derive(Default)]
struct Enough(BTreeMap<String, usize>);

impl Enough {
    fn is_reached(&mut self, item: &Item, kind: &str, Mutation { path, what, .. }: &Mutation) -> bool {
        let alike = kind == "entry" || path.starts_with("snapshot");
        let (key, most) = if alike {
            (format!("{kind} {path} {what}"), OF_ALL)
        } else {
            (format!("{} {path} {what}", variant(item)), OF_EACH)
        };
        let count = self.0.entry(key).or_default();
        *count += 1;
        *count > most
    }
}

#[tokio::test]
async fn every_field_that_matters_to_money_is_found_when_it_is_tampered_with() {
    let b = world::business().await;
    assert_eq!(verify_all(&b.app).await.unwrap().difference, None, "sound before");
    let items = b.items().await;
    let (mut found, mut missed) = (BTreeMap::<String, usize>::new(), BTreeSet::new());
    let mut enough = Enough::default();
    for item in &items {
        let kinds = kinds_of(item);
        let kind = &kinds[0];
        for mutation in mutations(item, &items) {
            let left = reason_to_leave(&kinds, &mutation.path, mutation.what).is_some();
            if left || enough.is_reached(item, kind, &mutation) {
                continue;
            }
            let Mutation { path, what, item: changed } = mutation;
            match b.found_after(item, changed).await {
                Some(_) => *found.entry(format!("{kind}.{path}")).or_default() += 1,
                None => drop(missed.insert(format!("{kind}.{path} {what} ({})", variant(item)))),
            }
        }
    }
    for (field, times) in &found {
        println!("found {times:>3} times: {field}");
    }
    assert!(found.values().sum::<usize>() > 400, "{found:?}");
    assert!(missed.is_empty(), "neither found nor listed:\n{}", Vec::from_iter(missed).join("\n"));
}
