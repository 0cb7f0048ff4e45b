//! What an operator sees of a piece of work: what it is about, and how often things happen.

use std::{future::Future, sync::Arc, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use tracing::Instrument;

use crate::table::item::Attributes;

/// Target of the events that are metrics, not lines: each of their fields is one, and adds to a count, or
/// is a duration when its name ends in `_ms`. In the cloud they leave the process in CloudWatch's embedded
/// metric format (`docs/operations.md` lists them); elsewhere nobody listens.
pub const METRICS: &str = "guerdon_metrics";

/// The attribute that carries the correlation id with an item.
pub(crate) const ATTRIBUTE: &str = "correlation_id";

/// Longer ids are cut: they come from outside, and an item is billed by its size.
const LONGEST: usize = 64;

tokio::task_local! {
    static CORRELATION: Arc<str>;
}

/// Does `work` under a correlation id: what first came from outside and everything else follows from. Every
/// line that is logged meanwhile has it in its span, every item that is written has it as an attribute.
/// The outermost id wins.
pub async fn correlated<F: Future>(id: impl AsRef<str>, work: F) -> F::Output {
    // Boxed: use cases call each other, and their futures would nest too deep for the compiler.
    let work = Box::pin(work);
    if correlation().is_some() {
        return work.await;
    }
    let id: String = id.as_ref().chars().filter(|c| c.is_ascii_graphic()).take(LONGEST).collect();
    // At the highest level, so that the lines of every level have it.
    let span = tracing::error_span!("correlated", correlation_id = id);
    CORRELATION.scope(id.into(), work.instrument(span)).await
}

/// The id that the present work is done under.
pub fn correlation() -> Option<Arc<str>> {
    CORRELATION.try_with(Clone::clone).ok()
}

/// Writers met, and one of them tries again.
pub(crate) fn count_conflict<E>(_: &E, _: Duration) {
    tracing::info!(target: METRICS, conflicts = 1);
}

/// Gives an item that is about to be written the present id, unless it has kept an earlier one. An empty one
/// says nothing and is not stored.
pub(crate) fn stamp(item: &mut Attributes) {
    if let Some(id) = correlation().filter(|id| !id.is_empty()) {
        item.entry(ATTRIBUTE.to_owned()).or_insert_with(|| AttributeValue::S(id.to_string()));
    }
}
