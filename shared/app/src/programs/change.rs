//! The newest version of the program, and setting the next one.

use guerdon_domain::{
    operators::AuditRecord,
    programs::{Program, ProgramError, ProgramVersion},
};
use guerdon_store::{requests::StoredResponse, table::metered};

use crate::{
    context::App,
    error::{AppError, refusal},
    programs::EFFECTIVE_AFTER_SECONDS,
};

/// Why a program was not set. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ProgramRefusal {
    /// A setting that cannot be.
    #[error(transparent)]
    Invalid(#[from] ProgramError),
    /// Another operator was faster: look at the present version first.
    #[error("version {0} is in force by now; look at it and decide again")]
    Outdated(u32),
    /// The same key came with another input before.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// It did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

/// Who asks for a new program, and under which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramRequest {
    /// The operator's credential, by name.
    pub principal: String,
    /// The `Idempotency-Key` they chose.
    pub key: String,
    /// SHA-256 of route and body.
    pub input_hash: String,
    /// Why, in the operator's words.
    pub reason: String,
}

/// The newest version: the preset's own until an operator sets one. It may take effect in a moment only.
///
/// # Errors
/// [`AppError`].
pub async fn newest_program(app: &App) -> Result<ProgramVersion, AppError> {
    let newest = app.store.programs().versions(1).await?.pop();
    Ok(newest.unwrap_or_else(|| ProgramVersion {
        program: app.preset.program.clone(),
        effective_from: guerdon_domain::time::Timestamp::from_millis(0),
        set_by: "preset".to_owned(),
        set_at: guerdon_domain::time::Timestamp::from_millis(0),
    }))
}

/// Sets the rules for payments that settle from a minute from now on. `program.version` must be one more
/// than the newest version's, so nobody overwrites what they have not seen. What is booked stays as it is.
///
/// # Errors
/// [`ProgramRefusal`].
pub async fn set_program(
    app: &App,
    request: &ProgramRequest,
    program: Program,
) -> Result<ProgramVersion, ProgramRefusal> {
    metered("set_program", async {
        program.check(app.preset.currency)?;
        if let Some(version) = set_before(app, request).await? {
            return Ok(version);
        }
        let before = newest_program(app).await?;
        if program.version != before.program.version.saturating_add(1) {
            return Err(ProgramRefusal::Outdated(before.program.version));
        }
        let now = app.now();
        let version = ProgramVersion {
            program,
            effective_from: now.plus_seconds(EFFECTIVE_AFTER_SECONDS).max(before.effective_from),
            set_by: request.principal.clone(),
            set_at: now,
        };
        let json = |value| serde_json::to_string(value).map_err(AppError::from);
        let audit = AuditRecord {
            id: format!("program-{}", version.program.version),
            at: now,
            principal: request.principal.clone(),
            action: "program.set".to_owned(),
            member: None,
            reason: request.reason.clone(),
            before: json(&before.program)?,
            after: json(&version.program)?,
        };
        let response = StoredResponse {
            principal: request.principal.clone(),
            key: request.key.clone(),
            input_hash: request.input_hash.clone(),
            body: serde_json::to_string(&version).map_err(AppError::from)?,
            at: now,
        };
        let mut writes = vec![app.store.programs().insert(&version, ()).map_err(AppError::from)?];
        writes.extend(app.store.requests().audited(&audit, &response, ()).map_err(AppError::from)?);
        match refusal(app.store.commit(&writes).await)? {
            None => Ok(version),
            Some(()) => match set_before(app, request).await? {
                Some(version) => Ok(version),
                None => Err(ProgramRefusal::Outdated(newest_program(app).await?.program.version)),
            },
        }
    })
    .await
}

async fn set_before(app: &App, request: &ProgramRequest) -> Result<Option<ProgramVersion>, ProgramRefusal> {
    let stored =
        app.store.requests().answer(&request.principal, &request.key).await.map_err(AppError::from)?;
    match stored {
        None => Ok(None),
        Some(stored) if stored.input_hash != request.input_hash => Err(ProgramRefusal::KeyReused),
        Some(stored) => Ok(Some(serde_json::from_str(&stored.body).map_err(AppError::from)?)),
    }
}
