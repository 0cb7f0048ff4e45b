//! The audit trail, read.

use guerdon_domain::{operators::AuditRecord, time::Timestamp};

use crate::{context::App, error::AppError};

/// The lines of a month (`2026-11`), newest first, at most `limit` that are older than the one at `before` (its instant
/// and id).
///
/// # Errors
/// [`AppError`].
pub async fn audit_trail(
    app: &App,
    month: &str,
    before: Option<(Timestamp, &str)>,
    limit: i32,
) -> Result<Vec<AuditRecord>, AppError> {
    Ok(app.store.audit().trail(month, before, limit).await?)
}
