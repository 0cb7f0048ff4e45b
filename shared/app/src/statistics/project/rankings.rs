//! Projection of scores to the histogram of a ranking, from which places are computed.

use guerdon_domain::statistics::Counter;
use guerdon_store::{
    changes::{Change, Stored},
    statistics::Projection,
};

use super::plan::Plan;
use crate::statistics::bucket;

pub(super) fn changed(plan: &mut Plan, change: &Change) {
    let Some(Stored::Rank { period, score: after, .. }) = &change.after else { return };
    let before = match &change.before {
        Some(Stored::Rank { score, .. }) => Some(*score),
        _ => None,
    };
    if before == Some(*after) {
        return;
    }
    // A member whose conversions were all undone has no place.
    let counted = |score: i64, more| (score > 0).then(|| (Counter::Bucket(bucket(score)), more));
    let left = before.and_then(|score| counted(score, -1));
    let adds: Vec<_> = left.into_iter().chain(counted(*after, 1)).collect();
    plan.add(Projection::Histogram(period.clone()), &change.sequence, &adds);
}
