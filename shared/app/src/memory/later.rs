//! A figure that is written later: one write a minute for whatever happened in the minute before.

use std::sync::{Arc, Mutex, PoisonError};

use guerdon_domain::time::Timestamp;

/// A count that is taken out once a minute. What was counted last is lost when the process ends. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Later(Arc<Mutex<Sum>>);

#[derive(Debug, Default)]
struct Sum {
    minute: i64,
    count: u64,
}

impl Later {
    /// Adds to the count. Returns the count of earlier minutes, to be written now; mostly 0.
    pub(crate) fn add(&self, more: u64, now: Timestamp) -> u64 {
        let minute = now.seconds().div_euclid(60);
        let mut sum = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = if minute <= sum.minute { 0 } else { std::mem::take(&mut sum.count) };
        sum.minute = sum.minute.max(minute);
        sum.count = sum.count.saturating_add(more);
        earlier
    }
}
