//! What is read from the table once in a while and kept in memory between.

use std::sync::{Arc, Mutex, PoisonError};

use guerdon_domain::time::Timestamp;

/// How old a value may be before it is read again.
const KEPT_SECONDS: i64 = 30;

/// A value as last read, for half a minute. Clones share it.
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
    /// The value, if it was read within the last half minute.
    pub(crate) fn known(&self, now: Timestamp) -> Option<Arc<T>> {
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = known.as_ref().filter(|read| now < read.at.plus_seconds(KEPT_SECONDS));
        fresh.map(|read| read.value.clone())
    }

    /// Keeps what was read or set at `now`, and gives back what is in force. A read of an older `version` than the
    /// known one does not undo it.
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
