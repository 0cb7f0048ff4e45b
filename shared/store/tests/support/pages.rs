//! Lists that are read page by page.

/// Reads a list to its end. `page` is called with the last item so far and returns at most `limit` that follow it.
pub async fn read_to_the_end<T>(limit: usize, page: impl AsyncFn(Option<&T>) -> Vec<T>) -> Vec<T> {
    let mut seen: Vec<T> = Vec::new();
    loop {
        let more = page(seen.last()).await;
        if more.is_empty() {
            return seen;
        }
        assert!(more.len() <= limit && seen.len() < 1000, "pages without end");
        seen.extend(more);
    }
}
