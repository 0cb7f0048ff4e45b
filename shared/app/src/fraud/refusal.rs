//! Why a flag was not raised or resolved, and the audit line of one.

use guerdon_domain::{fraud::FraudVerdict, ids::MemberId, operators::AuditRecord};
use guerdon_store::table::StoreError;

use crate::{
    audit::{self, Line},
    context::App,
    error::AppError,
};

/// Why a flag was not raised or resolved. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum FraudRefusal {
    /// Nobody of that id is known.
    #[error("no member has this user id")]
    UnknownMember,
    /// There is no flag of that id.
    #[error("there is no such flag")]
    UnknownFlag,
    /// A person has looked already.
    #[error("the flag was {} already", .0.as_str())]
    AlreadyResolved(FraudVerdict),
    /// It did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<StoreError> for FraudRefusal {
    fn from(error: StoreError) -> Self {
        Self::App(error.into())
    }
}

/// A line of the audit trail about a member.
pub(super) fn line(
    app: &App,
    (principal, action): (&str, &'static str),
    member: &MemberId,
    reason: &str,
    states: [serde_json::Value; 2],
) -> Result<AuditRecord, AppError> {
    let line = Line::new(action).about(member.clone()).because(reason);
    let line = line.states(states.map(|state| state.to_string()));
    Ok(audit::line(random(app)?, app.now(), principal, line))
}

pub(super) fn random(app: &App) -> Result<String, AppError> {
    Ok(hex::encode(&app.entropy.nonce()?[..16]))
}
