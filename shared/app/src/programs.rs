//! Which version of the program decides a payment.

use std::sync::{Arc, Mutex, PoisonError};

use guerdon_domain::{programs::Program, time::Timestamp};
use guerdon_store::ProgramVersion;

use crate::{App, AppError};

/// How old a list of versions may be before it is read again.
const KEPT_SECONDS: i64 = 30;
/// A new version takes effect this much later: by then nobody's list is too old to have it.
pub(crate) const EFFECTIVE_AFTER_SECONDS: i64 = 60;
/// Versions kept in mind. A payment from before the oldest of them is decided by the preset's rules.
const VERSIONS: i32 = 100;

/// The versions as last read. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Programs {
    read: Arc<Mutex<Option<Read>>>,
}

#[derive(Debug, Clone)]
struct Read {
    at: Timestamp,
    /// Newest first.
    versions: Arc<Vec<ProgramVersion>>,
}

impl Programs {
    async fn versions(&self, app: &App) -> Result<Arc<Vec<ProgramVersion>>, AppError> {
        let now = app.now();
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(read) = known.filter(|read| now < read.at.plus_seconds(KEPT_SECONDS)) {
            return Ok(read.versions);
        }
        let versions = Arc::new(app.store.program_versions(VERSIONS).await?);
        let read = Read { at: now, versions: versions.clone() };
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        Ok(versions)
    }
}

/// The program that decides payments which settled at `at`: the latest version in effect then, or the
/// preset's own. So a payment that is told late is still decided by the rules of its time.
///
/// # Errors
/// [`AppError`].
pub async fn program_at(app: &App, at: Timestamp) -> Result<Arc<Program>, AppError> {
    let versions = app.programs.versions(app).await?;
    let in_effect = versions.iter().find(|version| version.effective_from <= at);
    Ok(in_effect
        .map_or_else(|| Arc::new(app.preset.program.clone()), |version| Arc::new(version.program.clone())))
}

/// The program in force now.
///
/// # Errors
/// [`AppError`].
pub async fn program_now(app: &App) -> Result<Arc<Program>, AppError> {
    program_at(app, app.now()).await
}
