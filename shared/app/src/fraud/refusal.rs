//! The reasons why a flag was not raised or resolved, and the audit line of a flag.

use guerdon_domain::{
    fraud::FraudVerdict,
    ids::{MemberId, PrincipalId},
    operators::AuditRecord,
};
use guerdon_store::table::StoreError;

use crate::{
    audit::{self, Line},
    context::App,
    error::AppError,
};

/// The reason why a flag was not raised or resolved. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum FraudRefusal {
    /// No member has this id.
    #[error("no member has this user id")]
    UnknownMember,
    /// No flag has this id.
    #[error("there is no such flag")]
    UnknownFlag,
    /// An operator has resolved the flag already.
    #[error("the flag was {} already", .0.as_str())]
    AlreadyResolved(FraudVerdict),
    /// The call did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<StoreError> for FraudRefusal {
    fn from(error: StoreError) -> Self {
        Self::App(error.into())
    }
}

/// Builds an audit line about a member.
pub(super) fn line(
    app: &App,
    (principal, action): (&PrincipalId, &'static str),
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
