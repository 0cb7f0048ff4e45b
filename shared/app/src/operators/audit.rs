//! Reads of the audit trail.

use guerdon_domain::{operators::AuditRecord, time::Timestamp};

use crate::{context::App, error::AppError};

/// Returns at most `limit` lines of a month (`2026-11`), newest first, that are older than the line at
/// `before` (its instant and id).
pub async fn audit_trail(
    app: &App,
    month: &str,
    before: Option<(Timestamp, &str)>,
    limit: i32,
) -> Result<Vec<AuditRecord>, AppError> {
    Ok(app.store.audit().trail(month, before, limit).await?)
}
