//! Trying again when another writer was faster.
//!
//! A use case that read, decided and was refused looks again in a `loop`, and calls [`Attempts::again`] at its end.
//! It is no function that takes the step as an async closure: what such a closure borrows is not known to be `Send`
//! by the compiler (1.95), and axum needs that of every handler.

use std::time::Duration;

use crate::{context::App, error::AppError};

/// Tries of one use case before it gives up. Writers of a wallet take turns through its version; with this many
/// tries a busy one is let through.
const TRIES: u32 = 25;

/// Counts the tries of one use case.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    refused: u32,
}

impl Attempts {
    /// Another writer was faster: waits a moment that grows with the tries and differs between callers.
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

    /// Like [`again`](Self::again) without the wait, for where the next look most likely finds the end: the other
    /// writer did the same, or the next try asks for something else.
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
