//! Retries of a use case after a write conflict.
//!
//! A use case reads, decides and commits in a `loop`. It calls [`Attempts::again`] at the end of the loop
//! when another writer changed the data first. `again` does not take the step as an async closure: the
//! compiler (1.95) cannot prove that the values borrowed by such a closure are `Send`, and axum requires
//! `Send` of every handler.

use std::time::Duration;

use crate::{context::App, error::AppError};

/// Maximum number of tries of one use case. Writers of a wallet are ordered by its version; this number is
/// enough for a busy wallet.
const TRIES: u32 = 25;

/// Counts the tries of one use case.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    refused: u32,
}

impl Attempts {
    /// Waits after a write conflict. The wait grows with the tries and differs between callers.
    ///
    /// # Errors
    /// [`AppError::Conflict`] after the last try: nothing was written.
    pub(crate) async fn again(&mut self, app: &App) -> Result<(), AppError> {
        self.at_once()?;
        let jitter = app.entropy.code_bytes().map_or(0, |bytes| u64::from(bytes[0]));
        let millis = 2 + (jitter * u64::from(self.refused.min(20))) / 32;
        sleep(Duration::from_millis(millis)).await;
        Ok(())
    }

    /// Like [`again`](Self::again), without the wait. Used where the next try probably ends the loop: the
    /// other writer made the same change, or the next try requests something else.
    ///
    /// # Errors
    /// [`AppError::Conflict`] after the last try: nothing was written.
    pub(crate) const fn at_once(&mut self) -> Result<(), AppError> {
        self.refused = self.refused.saturating_add(1);
        if self.refused >= TRIES { Err(AppError::Conflict) } else { Ok(()) }
    }
}

async fn sleep(duration: Duration) {
    use backon::Sleeper;
    backon::TokioSleeper.sleep(duration).await;
}
