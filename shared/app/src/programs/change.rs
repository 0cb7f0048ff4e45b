//! The newest version of the program, and the operation that sets the next version.

use guerdon_domain::programs::{Program, ProgramError, ProgramVersion};
use guerdon_store::table::metered;

use crate::{
    audit::{self, Line},
    context::App,
    error::{AppError, refusal},
    once::{Call, CallRefusal},
    programs::EFFECTIVE_AFTER_SECONDS,
};

/// The reason why a program was not set. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ProgramRefusal {
    /// The program contains an invalid setting.
    #[error(transparent)]
    Invalid(#[from] ProgramError),
    /// Another operator set a version first. Read the current version before trying again.
    #[error("version {0} is in force by now; look at it and decide again")]
    Outdated(u32),
    /// The same key was used before with a different input.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// The operation did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<CallRefusal> for ProgramRefusal {
    fn from(refusal: CallRefusal) -> Self {
        match refusal {
            CallRefusal::KeyReused => Self::KeyReused,
            CallRefusal::App(error) => Self::App(error),
        }
    }
}

/// Returns the newest version, or the preset's program until an operator sets one. The newest version can
/// still be waiting for its effective time.
pub async fn newest_program(app: &App) -> Result<ProgramVersion, AppError> {
    let newest = app.store.programs().versions(None, 1).await?.pop();
    Ok(newest.unwrap_or_else(|| ProgramVersion {
        program: app.preset.program.clone(),
        effective_from: guerdon_domain::time::Timestamp::from_millis(0),
        set_by: "preset".into(),
        set_at: guerdon_domain::time::Timestamp::from_millis(0),
    }))
}

/// Sets the rules for payments that settle one minute from now or later. `program.version` must be one more
/// than the newest version, so no operator overwrites a version they have not read. Booked commissions do not
/// change.
pub async fn set_program(
    app: &App,
    call: &Call,
    reason: &str,
    program: Program,
) -> Result<ProgramVersion, ProgramRefusal> {
    metered("set_program", async {
        app.preset.check_program(&program)?;
        if let Some(version) = set_before(app, call).await? {
            return Ok(version);
        }
        let before = newest_program(app).await?;
        if program.version != before.program.version.saturating_add(1) {
            return Err(ProgramRefusal::Outdated(before.program.version));
        }
        let now = app.now();
        let version = ProgramVersion {
            program,
            effective_from: now
                .plus_seconds(EFFECTIVE_AFTER_SECONDS)
                .whole_second()
                .max(before.effective_from),
            set_by: call.principal.clone(),
            set_at: now,
        };
        let json = |value| serde_json::to_string(value).map_err(AppError::from);
        let line = Line::new("program.set").because(reason);
        let line = line.states([json(&before.program)?, json(&version.program)?]);
        let id = format!("program-{}", version.program.version);
        let audit = audit::line(id, now, &call.principal, line);
        let body = serde_json::to_string(&version).map_err(AppError::from)?;
        let once = call.once_with(app, body, Some(audit));
        let mut writes = vec![app.store.programs().insert(&version, ()).map_err(AppError::from)?];
        writes.extend(once.fragments(app, ()).map_err(AppError::from)?);
        match refusal(app.store.commit(&writes).await)? {
            None => Ok(version),
            Some(()) => match set_before(app, call).await? {
                Some(version) => Ok(version),
                None => Err(ProgramRefusal::Outdated(newest_program(app).await?.program.version)),
            },
        }
    })
    .await
}

async fn set_before(app: &App, call: &Call) -> Result<Option<ProgramVersion>, ProgramRefusal> {
    let body = call.answered(app).await?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose().map_err(AppError::from)?)
}
