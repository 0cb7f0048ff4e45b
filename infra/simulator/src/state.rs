//! Everything the simulator remembers, and how it survives a restart.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{SimError, stripe::ledger::Stripe, telegram::chats::Telegram};

/// The whole simulated world. One lock guards it; no await ever happens while it is held.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// Goes up with every change, so that the page redraws only when something happened.
    pub revision: u64,
    pub telegram: Telegram,
    pub stripe: Stripe,
}

/// "Make the next N calls fail": the same for both stand-ins.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Injection {
    pub next: u32,
    #[serde(default = "Injection::server_error")]
    pub status: u16,
    /// The call takes effect, only its answer is lost.
    #[serde(default)]
    pub after_commit: bool,
    /// Stripe only: the failing answer is what the idempotency key remembers, as with Stripe's own 500s.
    #[serde(default)]
    pub sticky: bool,
    /// Telegram only: goes into `parameters.retry_after`.
    #[serde(default)]
    pub retry_after: Option<u32>,
}

impl Injection {
    fn server_error() -> u16 {
        500
    }

    /// Uses one failure up.
    pub(crate) fn take(slot: &mut Option<Self>) -> Option<Self> {
        let injection = slot.as_mut().filter(|injection| injection.next > 0)?;
        injection.next -= 1;
        let taken = *injection;
        if taken.next == 0 {
            *slot = None;
        }
        Some(taken)
    }
}

/// Reads a snapshot; a missing file is an empty world.
pub(crate) fn load(path: &Path) -> Result<Option<State>, SimError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SimError::ReadState { path: path.to_owned(), source }),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|source| SimError::ParseState { path: path.to_owned(), source })
}

/// Writes beside the snapshot and renames over it: a crash leaves the old one or the new one, never half.
pub(crate) fn save(path: &Path, state: &State) -> io::Result<()> {
    let mut temporary = PathBuf::from(path);
    temporary.add_extension("tmp");
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&temporary, serde_json::to_vec(state)?)?;
    fs::rename(&temporary, path)
}
