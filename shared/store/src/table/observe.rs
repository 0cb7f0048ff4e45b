//! Observation of work for operators: correlation ids and metrics.

use std::{future::Future, sync::Arc, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use tracing::Instrument;

use crate::table::item::Attributes;

/// Target of the events that are metrics, not log lines: each of their fields is a metric, and adds to a
/// count, or is a duration when its name ends in `_ms`. In the cloud they are written in CloudWatch's
/// embedded metric format (`docs/operations.md` lists them); elsewhere they are not used.
pub const METRICS: &str = "guerdon_metrics";

/// The attribute that carries the correlation id with an item.
pub(crate) const ATTRIBUTE: &str = "correlation_id";

/// Longer ids are cut: they come from outside, and an item is billed by its size.
const LONGEST: usize = 64;

tokio::task_local! {
    static CORRELATION: Arc<str>;
}

/// Does `work` under a correlation id: the id of the external event that caused it. Every log line written by
/// it has the id in its span, every written item has it as an attribute. The outermost id wins.
pub async fn correlated<F: Future>(id: impl AsRef<str>, work: F) -> F::Output {
    // Boxed: use cases call each other, and their futures would nest too deep for the compiler.
    let work = Box::pin(work);
    if correlation().is_some() {
        return work.await;
    }
    let id: String = id.as_ref().chars().filter(|c| c.is_ascii_graphic()).take(LONGEST).collect();
    // At the highest level, so that the log lines of every level have it.
    let span = tracing::error_span!("correlated", correlation_id = id);
    CORRELATION.scope(id.into(), work.instrument(span)).await
}

/// The correlation id of the current work.
pub fn correlation() -> Option<Arc<str>> {
    CORRELATION.try_with(Clone::clone).ok()
}

/// Counts a conflict of writers, after which one of them tries again.
pub(crate) fn count_conflict<E>(_: &E, _: Duration) {
    tracing::info!(target: METRICS, conflicts = 1);
}

/// Adds the current correlation id to an item that is about to be written, unless the item kept an earlier
/// one. An empty id is not stored.
pub(crate) fn stamp(item: &mut Attributes) {
    if let Some(id) = correlation().filter(|id| !id.is_empty()) {
        item.entry(ATTRIBUTE.to_owned()).or_insert_with(|| AttributeValue::S(id.to_string()));
    }
}
