//! Lists in answers: read page by page to their end, or by one field.

use serde_json::Value;

/// A field of each item of a list; panics when it is no list.
pub fn each(list: &Value, field: &str) -> Vec<Value> {
    let items = list.as_array().expect("a list");
    items.iter().map(|item| item[field].clone()).collect()
}

/// Reads a list to its end. `page` is called with the rest of the query, which is empty for the first page, and
/// returns the page; a page has at most `limit` items.
pub async fn to_the_end(limit: usize, page: impl AsyncFn(&str) -> Value) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    for _ in 0..100 {
        let page = page(&cursor).await;
        let found = page["items"].as_array().expect("a list");
        assert!(found.len() <= limit, "{page}");
        items.extend(found.iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return items };
        cursor = format!("&cursor={next}");
    }
    panic!("no end after a hundred pages: {items:?}");
}
