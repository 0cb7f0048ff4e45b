//! Groups of writes that are committed and synced together, and tickets that wait for them.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::error::DatabaseError;

/// Writes that stand or fall together.
#[derive(Debug, Default)]
pub(crate) struct Group {
    outcome: Mutex<Option<Result<(), DatabaseError>>>,
    /// Wakes threads.
    settled: Condvar,
    /// Wakes tasks.
    notify: Notify,
}

impl Group {
    /// Tells everyone who waits how it ended.
    pub(crate) fn settle(&self, outcome: Result<(), DatabaseError>) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        self.settled.notify_all();
        self.notify.notify_waiters();
    }

    fn outcome(&self) -> Option<Result<(), DatabaseError>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Waits until everything that its holder wrote or saw is on the disk.
#[derive(Debug, Clone, Default)]
#[must_use = "nothing may be acknowledged before the ticket is settled"]
pub struct Ticket(pub(crate) Option<Arc<Group>>);

impl Ticket {
    /// The ticket of somebody who saw nothing that is not on the disk.
    pub const SETTLED: Self = Self(None);

    /// Returns whether there is nothing to wait for.
    pub const fn is_settled(&self) -> bool {
        self.0.is_none()
    }

    /// Returns whether both wait for the same.
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    /// Blocks this thread until all of it is on the disk.
    ///
    /// # Errors
    /// [`DatabaseError`] when it was not written after all.
    pub fn wait(&self) -> Result<(), DatabaseError> {
        let Some(group) = &self.0 else { return Ok(()) };
        let mut outcome = group.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(outcome) = outcome.as_ref() {
                return outcome.clone();
            }
            outcome = group.settled.wait(outcome).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until all of it is on the disk.
    ///
    /// # Errors
    /// Those of [`Self::wait`].
    pub async fn settled(&self) -> Result<(), DatabaseError> {
        let Some(group) = &self.0 else { return Ok(()) };
        loop {
            // First the place in the queue, then the look: an outcome between the two is not missed.
            let mut notified = std::pin::pin!(group.notify.notified());
            notified.as_mut().enable();
            if let Some(outcome) = group.outcome() {
                return outcome;
            }
            notified.await;
        }
    }
}
