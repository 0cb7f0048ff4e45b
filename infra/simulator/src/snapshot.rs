//! The file that the world is kept in between runs.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{config::SimError, stripe::state::Stripe, telegram::state::Telegram};

/// The whole simulated world, as it is read.
#[derive(Default, Deserialize)]
pub(crate) struct Kept {
    pub revision: u64,
    pub telegram: Telegram,
    pub stripe: Stripe,
}

/// The whole simulated world, as it is written: the same fields.
#[derive(Serialize)]
pub(crate) struct Snapshot<'a> {
    /// Goes up with every change.
    pub revision: u64,
    pub telegram: &'a Telegram,
    pub stripe: &'a Stripe,
}

/// Reads a snapshot; a missing file is an empty world.
pub(crate) fn load(path: &Path) -> Result<Option<Kept>, SimError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SimError::ReadState { path: path.to_owned(), source }),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|source| SimError::ParseState { path: path.to_owned(), source })
}

/// Writes beside the snapshot and renames over it: a crash or a power cut leaves the old one or the new one, never half.
pub(crate) fn save(path: &Path, snapshot: &Snapshot<'_>) -> io::Result<()> {
    let mut temporary = PathBuf::from(path);
    temporary.add_extension("tmp");
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    std::io::Write::write_all(&mut file, &serde_json::to_vec(snapshot)?)?;
    // Its bytes first, then its name.
    file.sync_data()?;
    fs::rename(&temporary, path)
}
