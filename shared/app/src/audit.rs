//! Lines of the audit trail: who did what, to whom, and why.

use guerdon_domain::{ids::MemberId, operators::AuditRecord, time::Timestamp};

/// What a line says of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    action: String,
    member: Option<MemberId>,
    reason: String,
    states: [String; 2],
}

impl Line {
    /// A line about an action, as `credit.apply`, with no states.
    pub fn new(action: impl Into<String>) -> Self {
        let states = ["null", "null"].map(str::to_owned);
        Self { action: action.into(), member: None, reason: String::new(), states }
    }

    /// Whom it was done to.
    #[must_use]
    pub fn about(self, member: MemberId) -> Self {
        Self { member: Some(member), ..self }
    }

    /// Why it was done.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..self }
    }

    /// The state before and the state after, as JSON.
    #[must_use]
    pub fn states(self, states: [String; 2]) -> Self {
        Self { states, ..self }
    }
}

/// The line that `principal` leaves under `id`. A line exists once under its id.
pub(crate) fn line(id: String, at: Timestamp, principal: &str, line: Line) -> AuditRecord {
    let Line { action, member, reason, states: [before, after] } = line;
    AuditRecord { id, at, principal: principal.to_owned(), action, member, reason, before, after }
}
