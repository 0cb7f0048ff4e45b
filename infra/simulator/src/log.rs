//! Logs that forget.

use std::collections::VecDeque;

/// Number of entries that each log keeps. A load test through the simulator must not grow the snapshot for ever.
const KEPT_LOG: usize = 2_000;

/// Adds an entry; the oldest gives way to it when the log is full.
pub(crate) fn push_capped<T>(log: &mut VecDeque<T>, entry: T) {
    log.push_back(entry);
    if log.len() > KEPT_LOG {
        log.pop_front();
    }
}
