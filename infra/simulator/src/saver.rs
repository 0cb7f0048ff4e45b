//! Writing the world down: at once when people act, at most twice a second when machines do, and less often the longer
//! it takes.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    snapshot::{self, Snapshot},
    stripe::state::Stripe,
    telegram::state::Telegram,
    world::Side,
};

/// The whole snapshot is written each time, so a burst of changes must not write it each time.
pub(crate) const SAVE_EVERY: Duration = Duration::from_millis(500);

/// A large world is written for at most a twentieth of the time.
const SHARE: u32 = 20;

/// Knows what of the world is on disk.
pub(crate) struct Saver {
    path: Option<PathBuf>,
    bot: Side<Telegram>,
    stripe: Side<Stripe>,
    saved: Mutex<Saved>,
}

struct Saved {
    revision: u64,
    at: Option<Instant>,
    took: Duration,
}

impl Saver {
    /// A saver of a world that is on disk as it is now; without a path it saves nothing.
    pub(crate) fn new(path: Option<PathBuf>, bot: Side<Telegram>, stripe: Side<Stripe>) -> Self {
        let saved = Mutex::new(Saved { revision: bot.revision(), at: None, took: Duration::ZERO });
        Self { path, bot, stripe, saved }
    }

    /// Saves, unless that was done a moment ago. In a burst only the first change is written at once; the rest follow
    /// after a pause.
    pub(crate) fn save_unless_recent(&self) {
        let is_due = {
            let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
            saved.at.is_none_or(|at| at.elapsed() >= SAVE_EVERY.max(saved.took * SHARE))
        };
        if is_due {
            self.save();
        }
    }

    /// Saves what is not on disk yet, both sides as of one moment.
    #[expect(clippy::disallowed_methods, reason = "the pace of writing is real time")]
    pub(crate) fn save(&self) {
        let Some(path) = &self.path else { return };
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let (telegram, stripe) = (self.bot.lock(), self.stripe.lock());
        let revision = self.bot.revision();
        if saved.revision == revision {
            return;
        }
        let begun = Instant::now();
        // The world goes on in memory; only the next start would miss something.
        match snapshot::save(path, &Snapshot { revision, telegram: &telegram, stripe: &stripe }) {
            Ok(()) => *saved = Saved { revision, at: Some(Instant::now()), took: begun.elapsed() },
            Err(error) => {
                tracing::error!(%error, path = %path.display(), "the simulator's state was not saved")
            }
        }
    }
}
