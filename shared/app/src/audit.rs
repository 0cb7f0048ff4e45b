//! Lines of the audit trail: the actor, the action, the subject and the reason.

use guerdon_domain::{
    ids::{MemberId, PrincipalId},
    operators::AuditRecord,
    time::Timestamp,
};

/// The content of an audit line about a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    action: String,
    member: Option<MemberId>,
    reason: String,
    states: [String; 2],
}

impl Line {
    /// Creates a line about an action, for example `credit.apply`, without states.
    pub fn new(action: impl Into<String>) -> Self {
        let states = ["null", "null"].map(str::to_owned);
        Self { action: action.into(), member: None, reason: String::new(), states }
    }

    /// Sets the subject of the action.
    #[must_use]
    pub fn about(self, member: MemberId) -> Self {
        Self { member: Some(member), ..self }
    }

    /// Sets the reason of the action.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..self }
    }

    /// Sets the states before and after the action, as JSON.
    #[must_use]
    pub fn states(self, states: [String; 2]) -> Self {
        Self { states, ..self }
    }
}

/// Builds the audit record of `principal` under `id`. Only one record can exist under an id.
pub(crate) fn line(id: String, at: Timestamp, principal: &PrincipalId, line: Line) -> AuditRecord {
    let Line { action, member, reason, states: [before, after] } = line;
    AuditRecord { id, at, principal: principal.clone(), action, member, reason, before, after }
}
