//! Values that are read from the table and kept in memory for a short time.

use std::sync::{Arc, Mutex, PoisonError};

use guerdon_domain::time::Timestamp;

/// Maximum age of a value, in seconds, before it is read again.
const KEPT_SECONDS: i64 = 30;

/// A value that was read from the table in the last 30 seconds. Clones share it.
#[derive(Debug)]
pub struct Cached<T> {
    read: Arc<Mutex<Option<Read<T>>>>,
}

#[derive(Debug)]
struct Read<T> {
    at: Timestamp,
    version: u32,
    value: Arc<T>,
}

impl<T> Cached<T> {
    /// Returns the value if it was read in the last 30 seconds.
    pub(crate) fn known(&self, now: Timestamp) -> Option<Arc<T>> {
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = known.as_ref().filter(|read| now < read.at.plus_seconds(KEPT_SECONDS));
        fresh.map(|read| read.value.clone())
    }

    /// Keeps a value that was read or set at `now`, and returns the value in force. A value of an older
    /// `version` does not replace the known one.
    pub(crate) fn keep(&self, now: Timestamp, version: u32, value: T) -> Arc<T> {
        let mut known = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(newer) if newer.version > version => newer.value.clone(),
            _ => known.insert(Read { at: now, version, value: Arc::new(value) }).value.clone(),
        }
    }
}

impl<T> Clone for Cached<T> {
    fn clone(&self) -> Self {
        Self { read: self.read.clone() }
    }
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self { read: Arc::default() }
    }
}
