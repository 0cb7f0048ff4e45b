//! Writing the world down: at once when people act, at most twice a second when machines do.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::state::{self, State};

/// The whole snapshot is written each time, so a burst of changes must not write it each time.
pub(crate) const SAVE_EVERY: Duration = Duration::from_millis(500);

/// Knows what of the world is on disk.
pub(crate) struct Saver {
    path: Option<PathBuf>,
    saved: Mutex<Saved>,
}

struct Saved {
    revision: u64,
    at: Option<Instant>,
}

impl Saver {
    /// A saver of a world that is on disk up to `revision`; without a path it saves nothing.
    pub(crate) const fn new(path: Option<PathBuf>, revision: u64) -> Self {
        Self { path, saved: Mutex::new(Saved { revision, at: None }) }
    }

    /// Saves, unless that was done a moment ago.
    pub(crate) fn save_unless_recent(&self, state: &State) {
        let at = self.saved.lock().unwrap_or_else(PoisonError::into_inner).at;
        if at.is_none_or(|at| at.elapsed() >= SAVE_EVERY) {
            self.save(state);
        }
    }

    /// Saves what is not on disk yet.
    #[expect(clippy::disallowed_methods, reason = "the pace of writing is real time")]
    pub(crate) fn save(&self, state: &State) {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(path) = self.path.as_ref().filter(|_| saved.revision != state.revision) else { return };
        // The world goes on in memory; only the next start would miss something.
        match state::save(path, state) {
            Ok(()) => *saved = Saved { revision: state.revision, at: Some(Instant::now()) },
            Err(error) => {
                tracing::error!(%error, path = %path.display(), "the simulator's state was not saved")
            }
        }
    }
}
